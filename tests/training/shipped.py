"""Shipped training recipes made small, trained, and what they end with used by a recipe of pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from artgen.events import Event, TrainingStep
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import Job, run_training

RECIPES = Path(__file__).parents[2] / "recipes" / "train"


def shrunk(name: str, **sizes: Any) -> TrainingRecipe:
    """The shipped recipe as it is, but for sizes and steps."""
    recipe = load_training_recipe(RECIPES / f"{name}.toml")
    return type(recipe).model_validate(recipe.model_dump() | sizes)


def trained(recipe: TrainingRecipe, folder: Path, **images: Any) -> tuple[list[Path], list[dict[str, float]]]:
    """Model files, and the means of the losses over every 20 steps."""
    torch.set_num_threads(1)
    events: list[Event] = []
    files = run_training(Job(recipe, folder, **images), events.append)
    return files, [event.losses for event in events if isinstance(event, TrainingStep)]


def painted(place: Path, recipe: str) -> list[Path]:
    """Candidates of a recipe of pictures, run as anybody runs it."""
    (place / "run.toml").write_text(recipe)
    command = [sys.executable, "-m", "artgen", "run", "run.toml", "--workers", "1"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sorted(place.glob("runs/*/candidates/*.png"))
