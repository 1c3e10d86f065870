"""Pix2pix and mix: the published gradients, losses that move, a model that a recipe of pictures uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from artgen.errors import Problems
from artgen.events import Event, TrainingStep, ignore
from artgen.models.checkpoint import load_model
from artgen.models.unet import UNet
from artgen.training.families.pix2pix import Pix2PixTraining
from artgen.training.loop import chance, step
from artgen.training.reading import load_training_recipe
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.pix2pix import Pix2PixRecipe
from artgen.training.runtime import start
from artgen.training.session import Job, prepare, run_training

SHIPPED = Path(__file__).parents[2] / "recipes" / "train"
TINY = """
family = "{family}"
title = "tiny"
steps = {steps}
side = 128
crop = 32
levels = 5
width = 12
critic_width = 8
critic_layers = 2
sample_every = 1000
rate = 1e-3
average = 0.98
{more}
"""
RUN = """
title = "Painted in"
seed = 1
candidates = 1
[source]
use = "photos"
images = "photographs/coffee.png"
side = 90
[[steps]]
use = "translate"
model = "out/tiny.safetensors"
"""


def recipe(place: Path, steps: int, more: str = "", family: str = "pix2pix") -> TrainingRecipe:
    file = place / "tiny.toml"
    file.write_text(TINY.format(family=family, steps=steps, more=more))
    return load_training_recipe(file)


@pytest.mark.parametrize(("gan", "criterion"), [("vanilla", nn.BCEWithLogitsLoss()), ("lsgan", nn.MSELoss())])
def test_both_turns_have_the_published_gradients(
    tmp_path: Path, photographs: Path, gan: str, criterion: nn.Module
) -> None:
    """The published losses, written as published, at the same weights and with the same dropout."""
    more = f'gan = "{gan}"\nbatch = 2\n[pairs]\nuse = "edges"'
    family = prepared(recipe(tmp_path, 9, more), tmp_path, photographs)
    a, b = family.draw(0)
    assert a.shape == (2, 1, 32, 32)
    assert b.shape == (2, 3, 32, 32)

    torch.manual_seed(3)
    turns = family.turns((a, b), 0.0)
    critic = next(turns)
    found = torch.autograd.grad(critic.loss, list(family.critic.parameters()))
    generator = next(turns)
    found += torch.autograd.grad(generator.loss, list(family.generator.parameters()))
    assert next(turns, None) is None
    assert (critic.optimiser, generator.optimiser) == ("critic", "generator")

    def judged(picture: Tensor, truth: float) -> Tensor:
        verdicts = family.critic(torch.cat([a, picture], 1))
        loss: Tensor = criterion(verdicts, torch.full_like(verdicts, truth))
        return loss

    torch.manual_seed(3)
    fake = family.generator(a)
    family.critic.requires_grad_(True)
    critic_loss = (judged(fake.detach(), 0.0) + judged(b, 1.0)) * 0.5
    expected = torch.autograd.grad(critic_loss, list(family.critic.parameters()))
    generator_loss = judged(fake, 1.0) + 100 * nn.L1Loss()(fake * 2 - 1, b * 2 - 1)
    expected += torch.autograd.grad(generator_loss, list(family.generator.parameters()))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_generators_turn_computes_no_gradient_of_the_critic(tmp_path: Path, photographs: Path) -> None:
    family = prepared(recipe(tmp_path, 9), tmp_path, photographs)
    turns = family.turns(family.draw(0), 0.0)
    next(turns)
    next(turns).loss.backward()
    critic, generator = (family.networks[name] for name in ("critic", "generator"))
    assert all(weight.grad is None for weight in critic.parameters())
    assert all(weight.grad is not None for weight in generator.parameters())


def test_the_rate_falls_to_nothing_over_the_second_half(tmp_path: Path, photographs: Path) -> None:
    family = prepared(recipe(tmp_path, 9), tmp_path, photographs)
    assert [family.rate(done) for done in (0.0, 0.5, 0.75)] == [1.0, 1.0, 0.5]
    assert family.rate(0.999) == pytest.approx(0.002)


def test_losses_move_and_a_recipe_of_pictures_uses_the_model(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "photographs").symlink_to(photographs)
    more = '[pairs]\nuse = "pixelate"\nfactor = 4'
    job = Job(recipe(tmp_path, 300, more), tmp_path / "out", data=[str(photographs)])
    torch.set_num_threads(1)
    events: list[Event] = []
    (file,) = run_training(job, events.append)
    steps = [event for event in events if isinstance(event, TrainingStep)]
    first, last = steps[0].losses, steps[-1].losses
    assert first.keys() == {"made", "real", "fool", "l1"}
    assert last["l1"] < 0.5 * first["l1"]
    assert last["made"] < 0.69  # the critic is better than chance
    model = load_model(file, kind=UNet)
    assert json.loads(model.metadata["inputs"])["use"] == "pixelate"
    metrics = json.loads(model.metadata["metrics"])
    assert metrics["l1"] < 0.2
    assert metrics.keys() >= {"l1_input", "swd", "swd_floor", "coherence", "spectrum"}
    (tmp_path / "run.toml").write_text(RUN)
    command = [sys.executable, "-m", "artgen", "run", "run.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (picture,) = tmp_path.glob("runs/*/candidates/*.png")
    assert max(Image.open(picture).size) == 90


def test_a_model_of_true_greyscale_has_one_channel(tmp_path: Path, photographs: Path) -> None:
    more = 'generator = "resnet"\nblocks = 1\nnorm = "instance"\n[pairs]\nuse = "learning-to-see"\nfactor = 8'
    grey = recipe(tmp_path, 2, more)
    family = prepared(grey, tmp_path, photographs)
    assert family.generator.config.inputs == 1
    assert family.draw(0)[0].shape == (1, 1, 32, 32)
    assert grey.learns_from()["inputs"]["grey"] is True
    assert picture(family).shape == (3, 3 * 32, 4 * 32)


def test_mix_is_pix2pix_on_blended_faces(tmp_path: Path, photographs: Path) -> None:
    mix = recipe(tmp_path, 120, family="mix")
    assert mix.learns_from()["inputs"]["use"] == "blend"
    losses = some_steps(prepared(mix, tmp_path, photographs), 120)
    assert sum(losses[-20:]) < 0.7 * sum(losses[:20])


@pytest.mark.parametrize(
    "name", ["pix2pix-pixels", "learning-to-see", "edges-to-paint", "sketch-to-painting", "mix-faces"]
)
def test_shipped_recipes_train(tmp_path: Path, photographs: Path, name: str) -> None:
    """As they are but for their size."""
    shipped = load_training_recipe(SHIPPED / f"{name}.toml")
    assert isinstance(shipped, Pix2PixRecipe)
    small = {"side": 160, "crop": 128, "levels": 7, "width": 4, "critic_width": 4}
    family = prepared(shipped.model_copy(update=small), tmp_path, photographs)
    some_steps(family, 2)
    assert picture(family).shape == (3, 3 * 128, 4 * 128)


def prepared(recipe: TrainingRecipe, place: Path, photographs: Path) -> Pix2PixTraining:
    torch.set_num_threads(1)
    data = [] if recipe.data else [str(photographs)]
    inputs = [str(photographs)] if recipe.two_folders else []
    family = prepare(Job(recipe, place / "out", data=data, inputs=inputs), ignore).family
    assert isinstance(family, Pix2PixTraining)
    return family


def some_steps(family: Pix2PixTraining, count: int) -> list[float]:
    """The L1 of each."""
    accelerator, losses = start("cpu", "fp32"), []
    for number in range(count):
        with chance(0, number, family):
            losses.append(float(step(family, family.draw(number), number / count, accelerator)["l1"]))
    return losses


def picture(family: Pix2PixTraining) -> Tensor:
    with torch.inference_mode():
        return family.preview({"generator": family.generator.eval()})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("levels = 6", "no multiple of 64"),
        ("critic_layers = 4", "needs at least 48 px"),
        ('[pairs]\nuse = "pixelate"\nfactor = 7', "no multiple of the pairs' factor 7"),
        ('[pairs]\nuse = "pixelated"', "pixelate"),
        ('generater = "resnet"', "did you mean 'generator'"),
    ],
)
def test_problems_of_a_recipe(tmp_path: Path, more: str, said: str) -> None:
    text = TINY.format(family="pix2pix", steps=1, more=more)
    for key in ("levels", "critic_layers"):
        if more.startswith(key):
            text = "\n".join(line for line in text.splitlines() if not line.startswith(key)) + "\n" + more
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(Problems) as found:
        load_training_recipe(file)
    assert said in str(found.value)
