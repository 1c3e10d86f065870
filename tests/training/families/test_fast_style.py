"""Fast-style: pairs are painted once, losses move, the model paints in a recipe of pictures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from artgen.errors import ArtgenError, ValidationErrors
from artgen.events import Event, TrainingStep
from artgen.models.architectures.faststyle import FastStyleNet
from artgen.models.features.convert import install_weights
from artgen.models.features.weight_files import WEIGHTS_FOLDER_VARIABLE, get_weights_info
from artgen.models.files.checkpoint import load_model
from artgen.style import library
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, run_training

DISTILLED = """
family = "fast-style"
title = "painter"
styles = ["builtin:great-wave", "beside.png"]
side = 256
steps = {steps}
sample_every = 1000
width = 6
blocks = 1
crop = 32
batch = 4
rate = 5e-3
[distilled]
pairs = {pairs}
side = 40
hasty = true
warm_up = 0.2
critic_width = 8
"""
PERCEPTUAL = """
family = "fast-style"
title = "painter"
styles = ["builtin:starry-night"]
weights = "vgg19"
side = 256
steps = 60
sample_every = 1000
width = 6
blocks = 1
crop = 32
batch = 2
rate = 3e-3
[perceptual]
side = 96
"""
RUN = """
title = "Painted"
seed = 1
candidates = 1
[source]
use = "photos"
images = "photographs"
side = 90
[[steps]]
use = "translate"
model = "out/painter.safetensors"
style = "beside"
"""


@pytest.fixture
def place(tmp_path: Path, photographs: Path) -> Path:
    """A folder with photographs, and a painting beside the recipe."""
    (tmp_path / "photographs").symlink_to(photographs)
    Image.open(library.painting_credit("starry-night").file).resize((150, 120)).save(tmp_path / "beside.png")
    return tmp_path


def written(place: Path, text: str) -> Path:
    file = place / "painter.toml"
    file.write_text(text)
    return file


def trained(recipe: Path) -> tuple[Path, list[dict[str, float]]]:
    """The model, and the losses over time."""
    torch.set_num_threads(1)
    events: list[Event] = []
    job = TrainingJob(
        load_training_recipe(recipe),
        recipe.parent / "out",
        data=[str(recipe.parent / "photographs")],
        recipe_folder=recipe.parent,
    )
    (model,) = run_training(job, events.append)
    return model, [event.losses for event in events if isinstance(event, TrainingStep)]


def artgen(*arguments: str, place: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "artgen", *arguments]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_distilled_comes_nearer_to_what_patch_em_painted(place: Path) -> None:
    model, losses = trained(written(place, DISTILLED.format(steps=100, pairs=3)))
    assert losses[0].keys() == {"l1"}  # the warm-up knows no critic
    assert losses[-1].keys() == {"l1", "critic", "fool", "features"}
    assert losses[-1]["l1"] < 0.8 * losses[0]["l1"]
    loaded = load_model(model, network_class=FastStyleNet)
    assert loaded.network.config.styles == 2
    wave, beside = json.loads(loaded.metadata["styles"])
    assert wave["artist"] == "Katsushika Hokusai"
    assert wave["source"].startswith("https://")
    assert beside == {"name": "beside"}
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        painted = [loaded.network(picture, loaded.network.style_weights(style)) for style in (0, 1)]
    assert (painted[0] - painted[1]).abs().mean() > 0.02


@pytest.mark.slow
def test_killed_while_painting_it_paints_only_the_rest_and_a_recipe_uses_the_model(place: Path) -> None:
    written(place, DISTILLED.format(steps=2, pairs=3))
    train = ("train", "painter.toml", "--data", "photographs", "--folder", "out", "--device", "cpu")
    process = artgen(*train, "--threads", "1", place=place)
    deadline = time.monotonic() + 60
    while len(painted := pairs(place)) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    before = {file: file.stat().st_mtime_ns for file in painted}
    again = artgen(*train, "--threads", "1", place=place)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert len(pairs(place)) == 2 * (3 + 4)  # and four held out, for samples
    assert {file: file.stat().st_mtime_ns for file in painted} == before
    assert {Image.open(file).copy().size for file in pairs(place)} == {(80, 40)}
    assert not list((place / "out" / "pairs").rglob(".artgen-tmp-*"))

    (place / "run.toml").write_text(RUN)
    run = artgen("run", "run.toml", place=place)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said
    (picture,) = place.glob("runs/*/candidates/*.png")
    assert max(Image.open(picture).copy().size) == 90


def pairs(place: Path) -> set[Path]:
    return set((place / "out" / "pairs").glob("*/[!.]*.png"))


@pytest.mark.slow
def test_perceptual_shows_more_of_the_painting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = (3, 64, 64, 128, 128, 256)
    generator = torch.Generator().manual_seed(0)
    state = {}
    for number, (before, after) in zip((0, 2, 5, 7, 10), pairwise(sizes), strict=True):
        weight = nn.init.kaiming_normal_(torch.empty(after, before, 3, 3), generator=generator)
        state |= {f"features.{number}.weight": weight, f"features.{number}.bias": torch.zeros(after)}
    torch.save(state, place / "vgg.pth")
    monkeypatch.setenv(WEIGHTS_FOLDER_VARIABLE, str(place / "weights"))
    with pytest.raises(ArtgenError, match="artgen models pull vgg19"):
        trained(written(place, PERCEPTUAL))
    install_weights(get_weights_info("vgg19"), place / "vgg.pth")
    model, losses = trained(written(place, PERCEPTUAL))
    assert losses[0].keys() == {"content", "style", "smoothness"}
    assert losses[-1]["style"] < 0.9 * losses[0]["style"]
    assert not (place / "out" / "pairs").exists()
    metrics = json.loads(load_model(model).metadata["metrics"])
    assert 0 < metrics["style"] < metrics["style_content"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('styles = ["builtin:great-wafe"]', "did you mean builtin:great-wave"),
        ('styles = ["a/sea.png", "b/sea.jpg"]', "a different file name"),
        ("styles = []", "styles"),
        ('styles = "builtin:great-wave"\nloss = "perceptual"', "needs weights"),
        ('styles = "builtin:great-wave"\ncrop = 260', "at most the side of"),
    ],
)
def test_problems_of_a_recipe(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(f'family = "fast-style"\ntitle = "wrong"\nsteps = 1\n{line}\n')
    with pytest.raises(ValidationErrors) as found:
        load_training_recipe(file)
    assert said in str(found.value)


def test_a_painting_that_is_not_there_is_named(place: Path) -> None:
    (place / "beside.png").unlink()
    with pytest.raises(ArtgenError, match=r"beside\.png"):
        trained(written(place, DISTILLED.format(steps=2, pairs=2)))
