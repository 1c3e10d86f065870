"""The source ``generator``: one candidate, one picture; walks that pass through them and close."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from artgen.errors import ArtgenError, ValidationErrors
from artgen.models.architectures.r3gan import R3GANConfig, R3Generator
from artgen.models.architectures.upimage import UpImager, UpImagerConfig
from artgen.models.files.checkpoint import save_model
from artgen.recipe import load_recipe
from artgen.steps import StepContext
from artgen.steps.generator import GeneratorSource


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator of 32 px, and a model of another kind."""
    place = tmp_path_factory.mktemp("models")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        network = R3Generator(R3GANConfig(side=32, latent=16, width=8))
        torch.nn.init.normal_(network.paint.weight, 0, 0.5)
    save_model(place / "sky.safetensors", network, {})
    save_model(place / "up.safetensors", UpImager(UpImagerConfig(width=8, blocks=1, widths=(8,))), {})
    return place


def picture(folder: Path, candidate: int = 1, seed: int = 2017, **fields: Any) -> Tensor:
    context = StepContext(seed, candidate, "source", folder, "cpu", False, lambda fraction: None)
    return GeneratorSource(model="sky.safetensors", **fields).create(context)


def test_the_same_candidate_the_same_picture(folder: Path) -> None:
    first = picture(folder)
    assert first.shape == (3, 32, 32)
    assert torch.equal(first, picture(folder))
    assert not torch.allclose(first, picture(folder, 2), atol=0.01)
    assert not torch.allclose(first, picture(folder, seed=1), atol=0.01)


def test_truncation_draws_pictures_together(folder: Path) -> None:
    def spread(truncation: float) -> float:
        made = torch.stack([picture(folder, n, truncation=truncation) for n in range(1, 9)])
        return float(made.std(0).mean())

    assert spread(0.0) < 1e-6
    assert spread(0.5) < spread(1.0) < spread(1.5)


def test_a_walk_begins_at_a_candidate_passes_others_and_closes(folder: Path) -> None:
    walk = {"walk": 90, "keys": [5, 2, 9]}
    assert torch.allclose(picture(folder, 1, **walk), picture(folder, 5), atol=1e-4)
    assert torch.allclose(picture(folder, 91, **walk), picture(folder, 5), atol=1e-4)
    way = torch.stack([picture(folder, n, **walk) for n in range(1, 92)])
    steps = (way[1:] - way[:-1]).abs().mean((1, 2, 3))
    for key in (2, 9):
        assert (way - picture(folder, key)).abs().mean((1, 2, 3)).min() < steps.max()
    apart = (picture(folder, 5) - picture(folder, 2)).abs().mean()
    assert 0 < steps.min() < steps.max() < apart / 5


def test_keys_as_a_number_are_the_first_candidates(folder: Path) -> None:
    assert torch.equal(picture(folder, 7, walk=40, keys=3), picture(folder, 7, walk=40, keys=[1, 2, 3]))


def test_the_caption_names_the_model(folder: Path) -> None:
    context = StepContext(1, 1, "source", folder, "cpu", False, lambda fraction: None)
    assert GeneratorSource(model="models/sky.safetensors").describe(replace(context)) == "sky"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('model = "up.safetensors"', "'upimage'; here a model must be dcgan or r3gan"),
        ('model = "abstract-8x"', "'abstract-8x' is of the architecture 'upimage'"),
        ('model = "skye.safetensors"', "no model 'skye.safetensors'"),
        ("truncation = 1.0", "model: missing"),
        ('model = "sky.safetensors"\ntruncation = 2', "truncation: 2; must be a number from 0 to 1.5"),
        ('model = "sky.safetensors"\nwalk = 9\nkeys = 1', "a whole number from 2 to 100, or a list"),
        ('model = "sky.safetensors"\nwalk = 9\nkeys = [3]', "a whole number from 2 to 100, or a list"),
        ('model = "sky.safetensors"\nwalk = 9\ntruncation = { uniform = [0.5, 1] }', "would flicker"),
    ],
)
def test_what_a_check_says(folder: Path, tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "x.toml").write_text(f'[source]\nuse = "generator"\n{source}\n')
    for file in folder.glob("*.safetensors"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ValidationErrors) as caught:
        load_recipe(tmp_path / "x.toml")
    assert message in str(caught.value)


def test_a_damaged_model_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"no model at all")
    with pytest.raises(ArtgenError, match="not a safetensors file"):
        GeneratorSource(model="bad.safetensors").list_files(tmp_path)
