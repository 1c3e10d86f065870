"""Helpers that shrink shipped training recipes, train them, and use the models in a recipe of pictures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from artgen.events import Event, TrainingStep
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, run_training

RECIPES = Path(__file__).parents[2] / "recipes" / "train"


def shrunk(name: str, **sizes: Any) -> TrainingRecipe:
    """Load a shipped recipe with changed sizes and steps."""
    recipe = load_training_recipe(RECIPES / f"{name}.toml")
    return type(recipe).model_validate(recipe.model_dump() | sizes)


def trained(recipe: TrainingRecipe, folder: Path, **images: Any) -> tuple[list[Path], list[dict[str, float]]]:
    """Train a recipe; return the model files and the mean losses of every 20 steps."""
    torch.set_num_threads(1)
    events: list[Event] = []
    files = run_training(TrainingJob(recipe, folder, **images), events.append)
    return files, [event.losses for event in events if isinstance(event, TrainingStep)]


def painted(folder: Path, recipe: str) -> list[Path]:
    """Run a recipe of pictures by the command; return the candidates."""
    (folder / "run.toml").write_text(recipe)
    command = [sys.executable, "-m", "artgen", "run", "run.toml", "--workers", "1"]
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    return sorted(folder.glob("runs/*/candidates/*.png"))
