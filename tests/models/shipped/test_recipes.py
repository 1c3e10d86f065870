"""The recipe in a model's file is valid, could be trained again, and names no path of its author."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from artgen.models.files import catalog, header
from artgen.training.recipes import TrainingRecipe, find_recipe_class
from artgen.training.recipes.load import load_training_recipe

RECIPES = Path(__file__).parents[3] / "recipes" / "train"
NAMES = catalog.shipped_model_names()
MINIMAL_RECIPE: dict[str, Any] = {"title": "x", "steps": 1, "data": "/home/ann/photos"}
RECIPES_WITH_PATHS: list[dict[str, Any]] = [
    {"family": "upimage", "start": "/home/ann/first.safetensors", "start_share": 0.5},
    {"family": "fast-style", "styles": ["builtin:great-wave", "/home/ann/wave.jpg"]},
    {"family": "fast-style", "styles": "~ann/a.jpg", "weights": "/home/ann/vgg.pth", "loss": "perceptual"},
    {"family": "cyclegan", "inputs": ["/home/ann/drawings"]},
]


def validate(table: dict[str, Any]) -> TrainingRecipe:
    return find_recipe_class(table).model_validate(table)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_and_the_same_as_on_the_card(name: str) -> None:
    entry = catalog.get_shipped_model(name)
    published = header.parse_field(entry.metadata, "recipe")
    assert validate(published).title == name
    card = entry.file.with_suffix(".md").read_text("utf-8")
    assert json.loads(card.partition("```json\n")[2].partition("```")[0]) == published


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_recipe_that_ships_with_it(name: str) -> None:
    published = validate(header.parse_field(catalog.get_shipped_model(name).metadata, "recipe"))
    assert published.published_fields() == load_training_recipe(RECIPES / f"{name}.toml").published_fields()


@pytest.mark.parametrize(
    "name", [name for name in NAMES if "start" in catalog.get_shipped_model(name).metadata]
)
def test_with_its_start_model_it_is_the_whole_recipe(name: str) -> None:
    metadata = catalog.get_shipped_model(name).metadata
    start = header.parse_field(metadata, "start")
    recipe = validate(
        header.parse_field(metadata, "recipe") | {"start": start["name"], "start_share": start["share"]}
    )
    assert recipe.start_share == load_training_recipe(RECIPES / f"{name}.toml").start_share


@pytest.mark.parametrize("fields", RECIPES_WITH_PATHS)
def test_a_published_recipe_is_valid_and_names_no_folder(fields: dict[str, Any]) -> None:
    recipe = validate(MINIMAL_RECIPE | fields)
    published = json.loads(json.dumps(recipe.published_fields()))
    republished = validate(published)
    assert "ann" not in json.dumps(published)
    assert republished.published_metadata() == recipe.published_metadata()
    # Of a fast-style net, the side depends on its kind of loss.
    assert republished.max_crop_side() == recipe.max_crop_side()


@pytest.mark.parametrize("file", sorted(RECIPES.glob("*.toml")), ids=lambda file: file.stem)
def test_a_recipe_that_ships_can_be_published(file: Path) -> None:
    published = load_training_recipe(file).published_fields()
    assert validate(published).published_fields() == published
