"""Pix2pix: the published gradients, losses that move, a model that a recipe of pictures uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from artgen.errors import ValidationErrors
from artgen.events import ignore_event
from artgen.models.architectures.unet import UNet
from artgen.models.files.checkpoint import load_model
from artgen.training.families.pix2pix import Pix2PixTraining
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training
from tests.training.shipped import painted, shrunk, trained

TINY = """
family = "pix2pix"
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
side = 120
[[steps]]
use = "translate"
model = "out/pixels.safetensors"
"""
SIZES = {"side": 128, "crop": 64, "levels": 6, "width": 8, "critic_width": 8}


def recipe(place: Path, steps: int, more: str = "") -> TrainingRecipe:
    file = place / "tiny.toml"
    file.write_text(TINY.format(steps=steps, more=more))
    return load_training_recipe(file)


@pytest.mark.parametrize(("gan", "criterion"), [("vanilla", nn.BCEWithLogitsLoss()), ("lsgan", nn.MSELoss())])
def test_both_turns_have_the_published_gradients(
    tmp_path: Path, photographs: Path, gan: str, criterion: nn.Module
) -> None:
    """The published losses, written as published, at the same weights and with the same dropout."""
    more = f'gan = "{gan}"\nbatch = 2\n[pairs]\nuse = "edges"'
    family = prepared(recipe(tmp_path, 9, more), tmp_path, photographs)
    a, b = family.draw_batch(0)
    assert a.shape == (2, 1, 32, 32)
    assert b.shape == (2, 3, 32, 32)

    torch.manual_seed(3)
    optimiser_steps = family.optimiser_steps((a, b), 0.0)
    critic = next(optimiser_steps)
    gradients = torch.autograd.grad(critic.loss, list(family.critic.parameters()))
    generator = next(optimiser_steps)
    gradients += torch.autograd.grad(generator.loss, list(family.generator.parameters()))
    assert next(optimiser_steps, None) is None
    assert (critic.optimiser_name, generator.optimiser_name) == ("critic", "generator")

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
    for ours, theirs in zip(gradients, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_a_generators_turn_computes_no_gradient_of_the_critic(tmp_path: Path, photographs: Path) -> None:
    family = prepared(recipe(tmp_path, 9), tmp_path, photographs)
    optimiser_steps = family.optimiser_steps(family.draw_batch(0), 0.0)
    next(optimiser_steps)
    next(optimiser_steps).loss.backward()
    critic, generator = (family.networks[name] for name in ("critic", "generator"))
    assert all(weight.grad is None for weight in critic.parameters())
    assert all(weight.grad is not None for weight in generator.parameters())


def test_the_rate_falls_to_nothing_over_the_second_half(tmp_path: Path, photographs: Path) -> None:
    family = prepared(recipe(tmp_path, 9), tmp_path, photographs)
    assert [family.learning_rate_factor(done) for done in (0.0, 0.5, 0.75)] == [1.0, 1.0, 0.5]
    assert family.learning_rate_factor(0.999) == pytest.approx(0.002)


@pytest.mark.slow
def test_a_recipe_of_pictures_uses_what_the_shipped_recipe_trains(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "photographs").symlink_to(photographs)
    (file,), losses = trained(shrunk("pix2pix-pixels", **SIZES, steps=120), tmp_path / "out")
    they_move(losses)
    model = load_model(file, network_class=UNet)
    assert json.loads(model.metadata["inputs"])["use"] == "pixelate"
    metrics = json.loads(model.metadata["metrics"])
    assert metrics["l1"] < 0.2
    assert metrics.keys() >= {"l1_input", "swd", "coherence", "spectrum"}
    (picture,) = painted(tmp_path, RUN)
    assert max(Image.open(picture).copy().size) == 120


@pytest.mark.slow
@pytest.mark.parametrize("name", ["learning-to-see", "edges-to-paint", "sketch-to-painting"])
def test_losses_of_the_other_shipped_recipes_move(tmp_path: Path, photographs: Path, name: str) -> None:
    images = {"data": [str(photographs)], "inputs": [str(photographs)] if name.startswith("sketch") else []}
    (file,), losses = trained(shrunk(name, **SIZES, steps=80), tmp_path / "out", **images)
    they_move(losses)
    assert file.name == f"{name}.safetensors"


def they_move(losses: list[dict[str, float]]) -> None:
    """The generator nears the targets; the critic is no longer guessing, and has not won."""
    first, last = losses[0], losses[-1]
    assert first.keys() == {"made", "real", "fool", "l1"}
    assert losses[-2]["l1"] + last["l1"] < 1.8 * first["l1"]
    assert 0.02 < (last["made"] + last["real"]) / 2 < 0.6 < (first["made"] + first["real"]) / 2
    assert last["fool"] > first["fool"]


@pytest.mark.parametrize("many", [1, 2, 4])
def test_no_picture_is_shown_or_measured_twice(tmp_path: Path, photographs: Path, many: int) -> None:
    files = sorted(str(file) for file in photographs.iterdir())[:many]
    family = prepare_training(
        TrainingJob(recipe(tmp_path, 9), tmp_path / "out", data=files), ignore_event
    ).family
    assert isinstance(family, Pix2PixTraining)
    assert picture(family).shape == (3, 3 * 32, many * 32)
    with torch.inference_mode():
        measured = family.evaluate({"generator": family.generator})
    assert measured.measured_on == f"{many} pair{'s' * (many > 1)} it was trained on, 32 px"
    assert ("swd_floor" in [figure.name for figure in measured.metrics]) == (many == 4)


def test_a_model_of_true_greyscale_has_one_channel(tmp_path: Path, photographs: Path) -> None:
    more = 'generator = "resnet"\nblocks = 1\nnorm = "instance"\n[pairs]\nuse = "learning-to-see"\nfactor = 8'
    grey = recipe(tmp_path, 2, more)
    family = prepared(grey, tmp_path, photographs)
    assert family.generator.config.inputs == 1
    assert family.draw_batch(0)[0].shape == (1, 1, 32, 32)
    assert grey.published_metadata()["inputs"]["grey"] is True
    assert picture(family).shape == (3, 3 * 32, 4 * 32)


def prepared(recipe: TrainingRecipe, place: Path, photographs: Path) -> Pix2PixTraining:
    torch.set_num_threads(1)
    data = [] if recipe.data else [str(photographs)]
    inputs = [str(photographs)] if recipe.needs_inputs_folder else []
    family = prepare_training(
        TrainingJob(recipe, place / "out", data=data, inputs=inputs), ignore_event
    ).family
    assert isinstance(family, Pix2PixTraining)
    return family


def picture(family: Pix2PixTraining) -> Tensor:
    with torch.inference_mode():
        return family.sample_grid({"generator": family.generator.eval()})


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
    text = TINY.format(steps=1, more=more)
    for key in ("levels", "critic_layers"):
        if more.startswith(key):
            text = "\n".join(line for line in text.splitlines() if not line.startswith(key)) + "\n" + more
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    with pytest.raises(ValidationErrors) as found:
        load_training_recipe(file)
    assert said in str(found.value)
