"""DCGAN and the small R3GAN: the published gradients, losses that move, a film through what was learned."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from artgen.errors import ValidationErrors
from artgen.events import Event, TrainingStep, ignore_event
from artgen.models.architectures.latent import LatentGenerator
from artgen.models.files.checkpoint import load_model
from artgen.training.critics.diffaugment import apply_diffaugment
from artgen.training.engine.loop import run_step
from artgen.training.engine.runtime import create_accelerator
from artgen.training.families.dcgan_r3 import DCGANR3Training
from artgen.training.families.latent import LatentTraining
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training, run_training

SHIPPED = Path(__file__).parents[3] / "recipes"
SMALL = {
    "dcgan": "width = 8\ncritic_width = 4",
    "dcgan-r3": "width = 8\ncritic_width = 8",
}
TINY = """\
family = "{family}"
title = "tiny"
steps = {steps}
size = 32
side = 128
latent = 16
batch = 6
average = 0.98
sample_every = 100
{more}
"""
WALK = """\
title = "Walk"
candidates = 5
[source]
use = "generator"
model = "out/tiny.safetensors"
walk = 5
keys = 3
"""


def recipe(place: Path, family: str, steps: int = 9, more: str = "") -> TrainingRecipe:
    file = place / "tiny.toml"
    file.write_text(TINY.format(family=family, steps=steps, more=f"{SMALL[family]}\n{more}"))
    return load_training_recipe(file)


def prepared(recipe: TrainingRecipe, place: Path, photographs: Path) -> LatentTraining:
    torch.set_num_threads(1)
    family = prepare_training(
        TrainingJob(recipe, place / "out", data=[str(photographs)]), ignore_event
    ).family
    assert isinstance(family, LatentTraining)
    return family


def test_dcgan_has_the_published_gradients(tmp_path: Path, photographs: Path) -> None:
    """Binary cross-entropy, as Goodfellow's and Radford's papers have it, at the same weights."""
    family = prepared(recipe(tmp_path, "dcgan"), tmp_path, photographs)
    batch = family.draw_batch(0)
    generator, critic, gradients = family.generator, family.critic, []
    for step in family.optimiser_steps(batch, 0.0):
        weights = list(family.networks[step.optimiser_name].parameters())
        gradients += torch.autograd.grad(step.loss, weights, retain_graph=True)
    entropy, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(6), torch.zeros(6)
    critic.requires_grad_(True)
    made = generator(batch.latents)
    loss = entropy(critic(batch.real), ones) + entropy(critic(made.detach()), zeros)
    expected = list(torch.autograd.grad(loss, list(critic.parameters())))
    expected += torch.autograd.grad(entropy(critic(made), ones), list(generator.parameters()))
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("number", [0, 1])
def test_r3_has_the_published_gradients(tmp_path: Path, photographs: Path, number: int) -> None:
    """Pairs of real and made; R1 and R2 row by row on values in [-1, 1], every second step, doubled."""
    more = "penalty_every = 2\npenalty = 3.0\naugment = 1.0"
    family = prepared(recipe(tmp_path, "dcgan-r3", more=more), tmp_path, photographs)
    torch.nn.init.normal_(family.critic.levels[0][0].narrow.weight, 0, 0.2)  # so that R1 sees a bent critic
    batch = family.draw_batch(number)
    gradients = []
    for step in family.optimiser_steps(batch, 0.0):
        weights = list(family.networks[step.optimiser_name].parameters())
        gradients += torch.autograd.grad(step.loss, weights, retain_graph=True)
    critic = family.critic.requires_grad_(True)

    def verdict(signed: Tensor) -> Tensor:
        return critic(signed * 0.5 + 0.5)

    made = family.generator(batch.latents)
    real, fake = (
        apply_diffaugment(p, batch.augmentations[:, k]) for k, p in ((0, batch.real), (1, made.detach()))
    )
    loss = F.softplus(verdict(fake * 2 - 1) - verdict(real * 2 - 1)).mean()
    if number == 0:
        for pictures in (real, fake):
            for picture in pictures:
                signed = (picture[None] * 2 - 1).requires_grad_(True)
                (slope,) = torch.autograd.grad(verdict(signed)[0], signed, create_graph=True)
                loss = loss + 2 * 3.0 / 2 * slope.square().sum() / len(pictures)
    expected = list(torch.autograd.grad(loss, list(critic.parameters())))
    real, fake = (apply_diffaugment(p, batch.augmentations[:, k]) for k, p in ((2, batch.real), (3, made)))
    loss = F.softplus(critic(real).detach() - critic(fake)).mean()
    expected += torch.autograd.grad(loss, list(family.generator.parameters()))
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("family", SMALL)
def test_a_batch_is_its_number_s_alone_and_is_shared_out_by_rows(
    tmp_path: Path, photographs: Path, family: str
) -> None:
    whole = prepared(recipe(tmp_path, family), tmp_path, photographs)
    batch, again, other = whole.draw_batch(3), whole.draw_batch(3), whole.draw_batch(4)
    for name in ("real", "latents", "augmentations"):
        assert torch.equal(getattr(batch, name), getattr(again, name))
        alike = torch.equal(getattr(batch, name), getattr(other, name))
        assert alike == (name == "augmentations" and family == "dcgan")  # which changes nothing
    halves = []
    for process in (0, 1):
        half = prepared(recipe(tmp_path, family), tmp_path, photographs)
        half.batch_size, half.context = 3, replace(half.context, process_index=process)
        halves.append(half.draw_batch(3))
    for name in ("real", "latents", "augmentations"):
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(batch, name))


def test_squares_of_the_centre_or_of_any_place(tmp_path: Path, photographs: Path) -> None:
    more = 'crop = "centre"\nflip = false'
    centred = prepared(recipe(tmp_path, "dcgan", more=more), tmp_path, photographs)
    squares = torch.cat([centred.draw_batch(number).real for number in range(4)])
    assert len(torch.unique(squares.flatten(1), dim=0)) == 4  # one a photograph
    anywhere = prepared(recipe(tmp_path, "dcgan"), tmp_path, photographs)
    squares = torch.cat([anywhere.draw_batch(number).real for number in range(4)])
    assert len(torch.unique(squares.flatten(1), dim=0)) == 24


def test_a_sample_shows_the_same_latents_and_leaves_the_training_alone(
    tmp_path: Path, photographs: Path
) -> None:
    family = prepared(recipe(tmp_path, "dcgan"), tmp_path, photographs)
    network = family.generator
    before = {name: value.clone() for name, value in network.state_dict().items()}
    first, second = (family.sample_grid({"generator": network}) for _ in range(2))
    assert first.shape == (3, 4 * 32, 7 * 32)
    assert torch.equal(first, second)
    weights = {name for name, _ in network.named_parameters()}
    assert all(torch.equal(network.state_dict()[name], before[name]) for name in weights)
    assert network.training


QUICK = {"dcgan": "rate = 1e-3", "dcgan-r3": "rate = 2e-3\npenalty = 0.1\naugment = 0.0"}


@pytest.mark.slow
@pytest.mark.parametrize(("family", "steps"), [("dcgan", 200), ("dcgan-r3", 300)])
def test_losses_move_and_a_film_goes_through_the_model(
    tmp_path: Path, photographs: Path, family: str, steps: int
) -> None:
    torch.set_num_threads(1)
    events: list[Event] = []
    training = recipe(tmp_path, family, steps, QUICK[family])
    untrained = prepared(training, tmp_path, photographs)
    begun = {f.name: f.value for f in untrained.evaluate({"generator": untrained.generator}).metrics}
    job = TrainingJob(training, tmp_path / "out", data=[str(photographs)])
    (file,) = run_training(job, events.append)
    losses = [event.losses for event in events if isinstance(event, TrainingStep)]
    if family == "dcgan":
        assert losses[-1]["right"] > 0.55  # better than guessing
    else:
        assert losses[0].keys() == {"critic", "margin", "r1", "r2", "fool"}
        assert losses[-1]["margin"] > losses[0]["margin"]  # real pictures look more and more real
        assert losses[-1]["r1"] > losses[0]["r1"]
    model = load_model(file, network_class=LatentGenerator)
    metrics = json.loads(model.metadata["metrics"])
    assert metrics["swd"] < 0.8 * begun["swd"]  # the pictures have come nearer to photographs
    assert metrics.keys() >= {"swd_floor", "coherence", "diversity", "novelty"}
    (tmp_path / "walk.toml").write_text(WALK)
    for command in (["check", "walk.toml"], ["run", "walk.toml"], ["film", "-o", "walk.mp4"]):
        done = artgen(*command, folder=tmp_path)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "walk.mp4").stat().st_size > 500
    pictures = sorted(tmp_path.glob("runs/*/candidates/*.png"))
    assert [Image.open(picture).copy().size for picture in pictures] == [(32, 32)] * 5


@pytest.mark.parametrize("name", ["dcgan-frames", "compositions"])
def test_shipped_recipes_train(tmp_path: Path, photographs: Path, name: str) -> None:
    """As they are but for their size."""
    shipped = load_training_recipe(SHIPPED / "train" / f"{name}.toml")
    small: dict[str, Any] = {"size": 32, "width": 8, "critic_width": 8, "batch": 4}
    family = prepared(shipped.model_copy(update=small), tmp_path, photographs)
    accelerator = create_accelerator("cpu", "fp32")
    for number in range(2):
        shown = run_step(family, family.draw_batch(number), 0.0, accelerator)
        assert all(bool(torch.isfinite(value)) for value in shown.values())


@pytest.mark.slow
def test_the_shipped_walk(tmp_path: Path) -> None:
    done = artgen("run", str(SHIPPED / "walk.toml"), "-n", "2", "--device", "cpu", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("runs/walk-*/candidates/*.png"))) == 2


@pytest.mark.parametrize(
    ("family", "more", "said"),
    [
        ("dcgan", "size = 48", "32, 64, 128 or 256"),
        ("dcgan", "penalty = 1", "penalty"),
        ("dcgan-r3", "augment = 2", "a number from 0 to 1"),
        ("dcgan-r3", 'crop = "center"', "did you mean 'centre'"),
    ],
)
def test_problems_of_a_recipe(tmp_path: Path, family: str, more: str, said: str) -> None:
    text = "\n".join(line for line in TINY.splitlines() if not line.startswith(more.split()[0]))
    (tmp_path / "wrong.toml").write_text(text.format(family=family, steps=1, more=more))
    with pytest.raises(ValidationErrors) as found:
        load_training_recipe(tmp_path / "wrong.toml")
    assert said in str(found.value)


def test_the_penalty_is_rare_and_strong(tmp_path: Path, photographs: Path) -> None:
    family = prepared(recipe(tmp_path, "dcgan-r3", more="penalty_every = 3"), tmp_path, photographs)
    assert isinstance(family, DCGANR3Training)
    shown = [
        next(family.optimiser_steps(family.draw_batch(number), 0.0)).reported_losses for number in range(6)
    ]
    assert ["r1" in losses for losses in shown] == [True, False, False] * 2


def artgen(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8")
