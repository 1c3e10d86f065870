"""The recipe in a model's file is one that could be trained again, without saying where anything lay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artgen.models.files import catalog, header
from artgen.training.recipes import TrainingRecipe, model_of
from artgen.training.recipes.load import load_training_recipe

RECIPES = Path(__file__).parents[3] / "recipes" / "train"
NAMES = catalog.names()
LEAST: dict[str, Any] = {"title": "x", "steps": 1, "data": "/home/ann/photos"}
LAID: list[dict[str, Any]] = [
    {"family": "upimage", "start": "/home/ann/first.safetensors", "start_share": 0.5},
    {"family": "fast-style", "styles": ["builtin:great-wave", "/home/ann/wave.jpg"]},
    {"family": "fast-style", "styles": "~ann/a.jpg", "weights": "/home/ann/vgg.pth", "loss": "perceptual"},
    {"family": "cyclegan", "inputs": ["/home/ann/drawings"]},
]


def checked(table: dict[str, Any]) -> TrainingRecipe:
    return model_of(table).model_validate(table)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_and_the_card_says_the_same(name: str) -> None:
    entry = catalog.entry(name)
    told = header.parsed(entry.metadata, "recipe")
    assert checked(told).title == name
    card = entry.file.with_suffix(".md").read_text("utf-8")
    assert json.loads(card.partition("```json\n")[2].partition("```")[0]) == told


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_recipe_that_ships_beside_it(name: str) -> None:
    told = checked(header.parsed(catalog.entry(name).metadata, "recipe"))
    assert told.published() == load_training_recipe(RECIPES / f"{name}.toml").published()


@pytest.mark.parametrize("name", [name for name in NAMES if "start" in catalog.entry(name).metadata])
def test_with_what_it_went_on_from_it_is_the_whole_recipe(name: str) -> None:
    said = catalog.entry(name).metadata
    start = header.parsed(said, "start")
    recipe = checked(header.parsed(said, "recipe") | {"start": start["name"], "start_share": start["share"]})
    assert recipe.start_share == load_training_recipe(RECIPES / f"{name}.toml").start_share


@pytest.mark.parametrize("laid", LAID)
def test_what_is_published_is_valid_and_names_no_folder(laid: dict[str, Any]) -> None:
    recipe = checked(LEAST | laid)
    told = json.loads(json.dumps(recipe.published()))
    again = checked(told)
    assert "ann" not in json.dumps(told)
    assert again.learns_from() == recipe.learns_from()
    assert again.crop_side() == recipe.crop_side()  # of a fast-style net, this hangs on its kind of loss


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_a_recipe_that_ships_can_be_published(file: Path) -> None:
    told = load_training_recipe(file).published()
    assert checked(told).published() == told
