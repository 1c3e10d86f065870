"""The recipes of the models that ship, started again: in the first hundredth, losses move as they did."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from artgen.events import ignore_event
from artgen.models.files import catalog
from artgen.style import library
from artgen.training.engine.loop import run_step, seeded_dropout
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import TrainingJob, prepare_training

RECIPES = Path(__file__).parents[3] / "recipes" / "train"
PAINTINGS, TEXTURES, PORTRAITS = str(library.PAINTINGS_FOLDER), "builtin:textures", "builtin:portraits"
# The images of the real trainings do not ship. For each model: the images used in their place, and which way
# the real training's losses moved, from its log: means over steps 1 to 20, then those of a later report
# before the losses change (a warm-up ends). An up-imager that starts from another model has only its new
# critic's loss there, which is log 2 if untrained; the log has its mean over steps 1 to 20.
DOWN, UP, UNTRAINED_CRITIC_LOSS = -1, 1, math.log(2)
CRITIC_DIRECTION = {"critic": DOWN}
LOSS_DIRECTIONS: dict[str, tuple[str, dict[str, int]]] = {
    "abstract-8x": (PAINTINGS, CRITIC_DIRECTION),  # 0.536
    "nature-8x": (TEXTURES, CRITIC_DIRECTION),  # 0.523
    "portrait-8x": (PORTRAITS, CRITIC_DIRECTION),  # 0.625
    "portrait-2x": (
        PORTRAITS,  # at step 180: 0.029 to 0.017, 0.0041 to 0.0010
        {"l1": DOWN, "consistency": DOWN},
    ),
    "detail-2x": (
        PAINTINGS,  # at step 160: 0.031 to 0.018, 0.0050 to 0.0011
        {"l1": DOWN, "consistency": DOWN},
    ),
    "portrait-mix": (
        PORTRAITS,  # at step 200: 0.744 to 0.454, 0.730 to 0.491, 0.978 to 1.513, 0.297 to 0.169
        {"made": DOWN, "real": DOWN, "fool": UP, "l1": DOWN},
    ),
    "compositions": (PAINTINGS, {"critic": DOWN, "margin": UP}),  # at step 120: 0.813 to 0.312, 0.10 to 2.15
    "waves": (
        TEXTURES,  # at step 220: 0.709 to 0.398, 0.655 to 0.445, 0.360 to 0.222
        {"made": DOWN, "real": DOWN, "l1": DOWN},
    ),
    "photo-painting": (
        PAINTINGS,  # at step 60: 0.450 to 0.309, 2.859 to 0.458, 2.751 to 0.460
        {"cycle": DOWN, "critic_there": DOWN, "critic_back": DOWN},
    ),
    "styles": (TEXTURES, {"l1": DOWN}),  # at step 160: 0.405 to 0.253
}


def shortened_recipe(name: str) -> TrainingRecipe:
    """Load a recipe, without what would need other files, other processors, or minutes.

    It starts from the shipped model where it started from one in ``training-runs``; bf16, which many
    processors only imitate, is fp32; patch EM paints few pictures, hastily, in two of the styles.
    """
    recipe = load_training_recipe(RECIPES / f"{name}.toml")
    changes: dict[str, Any] = {"precision": "fp32"}
    if recipe.start:
        changes["start"] = name
    if recipe.family == "fast-style":
        fields = recipe.model_dump()
        changes["styles"] = fields["styles"][:2]
        changes["distilled"] = fields["distilled"] | {"pairs": 3, "hasty": True}
    return type(recipe).model_validate(recipe.model_dump() | changes)


@pytest.mark.parametrize("name", catalog.shipped_model_names())
def test_every_shipped_model_has_expected_losses(name: str) -> None:
    assert name in LOSS_DIRECTIONS
    assert shortened_recipe(name).title == name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in LOSS_DIRECTIONS if name in catalog.shipped_model_names()])
def test_losses_move_the_same_way(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    recipe, (data, directions) = shortened_recipe(name), LOSS_DIRECTIONS[name]
    inputs = [TEXTURES] if recipe.needs_inputs_folder else []
    prepared = prepare_training(
        TrainingJob(recipe, tmp_path, data=[data], inputs=inputs, recipe_folder=RECIPES), ignore_event
    )
    losses = []
    for number in range(-(-recipe.steps // 100)):
        batch = prepared.family.draw_batch(number)
        with seeded_dropout(recipe.seed, number, prepared.family):
            losses.append(
                run_step(prepared.family, batch, number / recipe.steps, prepared.accelerator, recipe.clip)
            )
    third = len(losses) // 3
    for loss, direction in directions.items():
        values = torch.stack([each[loss] for each in losses]).float()
        assert torch.isfinite(values).all()
        before = UNTRAINED_CRITIC_LOSS if directions is CRITIC_DIRECTION else float(values[:third].mean())
        after = float((values if directions is CRITIC_DIRECTION else values[-third:]).mean())
        assert (after - before) * direction > 0, loss
