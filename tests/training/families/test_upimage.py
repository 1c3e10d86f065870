"""Upimage: losses that move, own pictures as inputs, a model that a recipe of pictures uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from artgen.events import ignore_event
from artgen.models.architectures.upimage import UpImager
from artgen.models.files.checkpoint import load_model
from artgen.training.families.upimage import UpImageTraining
from artgen.training.session import TrainingJob, prepare_training
from tests.training.shipped import painted, shrunk, trained

SIZES = {"side": 256, "width": 8, "blocks": 2, "widths": [8, 8, 8], "critic_width": 8}
CROPS = {"sizes": [{"crop": 8, "batch": 4}, {"since": 0.9, "crop": 16, "batch": 3}]}
RUN = """
title = "Dreamt up"
seed = 1
candidates = 1
[source]
use = "photos"
images = "photographs/coffee.png"
side = 24
[[steps]]
use = "upscale"
model = "out/first-8x.safetensors"
"""


def family(place: Path, data: list[str], **more: object) -> UpImageTraining:
    torch.set_num_threads(1)
    recipe = shrunk("first-8x", **SIZES, **CROPS, steps=100, second_pass=0.5, **more)
    training = prepare_training(TrainingJob(recipe, place / "out", data=data), ignore_event).family
    assert isinstance(training, UpImageTraining)
    return training


@pytest.mark.slow
def test_a_recipe_of_pictures_uses_what_the_shipped_recipe_trains(tmp_path: Path, photographs: Path) -> None:
    (tmp_path / "photographs").symlink_to(photographs)
    recipe = shrunk("first-8x", **SIZES, **CROPS, steps=120, warm_up=0.2)  # of so few steps a larger share
    (file,), losses = trained(recipe, tmp_path / "out", data=[str(photographs)])
    assert losses[0].keys() == {"l1", "consistency"}  # the warm-up is L1 alone
    assert max(each["consistency"] for each in losses) < 0.02
    assert 0.3 < losses[-1]["critic"] < losses[1]["critic"] < 2.05  # from chance to better than that
    assert losses[-1]["fool"] > losses[1]["fool"]
    assert losses[-1]["spread"] > 1.5 * losses[1]["spread"]  # noise matters more and more
    metrics = json.loads(load_model(file, network_class=UpImager).metadata["metrics"])
    assert metrics["consistency"] > 30  # dB
    assert metrics["diversity"] > 0.01
    (picture,) = painted(tmp_path, RUN)
    assert max(Image.open(picture).copy().size) == 8 * 24


@pytest.mark.parametrize(("critic", "more"), [("spectral", set()), ("penalised", {"penalty"})])
def test_an_own_picture_has_no_target(tmp_path: Path, photographs: Path, critic: str, more: set[str]) -> None:
    """Its row is judged and asked to be consistent, but no loss looks at the target that was drawn for it."""
    losses = []
    for target in (0.0, 1.0):
        training = family(tmp_path, [str(photographs)], critic=critic, penalty_every=1)
        training.own_images = [torch.full((3, 64, 64), 90, dtype=torch.uint8)]
        number = next(n for n in range(99) if training._replace_last_input(training.draw_batch(n)) == 3)
        batch = training.draw_batch(number)
        batch.targets[-1] = target
        optimiser_steps = list(training.optimiser_steps(batch, 0.5))
        assert (batch.inputs[-1] == 90 / 255).all()
        losses.append(
            {name: float(value) for step in optimiser_steps for name, value in step.reported_losses.items()}
        )
    assert losses[0] == losses[1]
    assert losses[0].keys() == {"critic", "l1", "consistency", "fool", "features", "spread"} | more


@pytest.mark.parametrize("many", [1, 4])
def test_no_picture_is_shown_or_measured_twice(tmp_path: Path, photographs: Path, many: int) -> None:
    training = family(tmp_path, sorted(str(file) for file in photographs.iterdir())[:many])
    networks = {"generator": training.generator}
    with torch.inference_mode():
        assert training.sample_grid(networks).shape == (3, 3 * 256, many * 256)
        measured = training.evaluate(networks)
    size = {1: "32 px to 256 px", 4: "16 px to 128 px"}[many]  # the smallest of the four is not enlarged
    assert measured.measured_on == f"{many} picture{'s' * (many > 1)} it was trained on, {size}"
    assert ("swd_floor" in [figure.name for figure in measured.metrics]) == (many == 4)
