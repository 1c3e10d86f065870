"""The recipes of the models that ship, begun again: over the first hundredth losses go as they went."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from artgen.events import ignore
from artgen.models.files import catalog
from artgen.style import library
from artgen.training.engine.loop import chance, step
from artgen.training.recipes import TrainingRecipe
from artgen.training.recipes.load import load_training_recipe
from artgen.training.session import Job, prepare

RECIPES = Path(__file__).parents[3] / "recipes" / "train"
PAINTINGS, TEXTURES, PORTRAITS = str(library.BUILTIN), "builtin:textures", "builtin:portraits"
# The images of the real trainings are not here. Of each model: what is here instead, and which way the real
# training's losses went, from its log: means over steps 1 to 20, then those of a later report before the
# losses change (a warm-up ends). An up-imager that goes on from another model has only its new critic's loss
# there, which is log 2 for one that knows nothing; the log has its mean over steps 1 to 20.
DOWN, UP, IGNORANT = -1, 1, math.log(2)
LEARNS = {"critic": DOWN}
MOVES: dict[str, tuple[str, dict[str, int]]] = {
    "abstract-8x": (PAINTINGS, LEARNS),  # 0.536
    "nature-8x": (TEXTURES, LEARNS),  # 0.523
    "portrait-8x": (PORTRAITS, LEARNS),  # 0.625
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


def here(name: str) -> TrainingRecipe:
    """The recipe as it is, but for what would need other files, other processors, or minutes.

    It begins from the shipped model where it began from one in ``training-runs``; bf16, which many processors
    only imitate, is fp32; patch EM paints few pictures, hastily, in two of the styles.
    """
    recipe = load_training_recipe(RECIPES / f"{name}.toml")
    changes: dict[str, Any] = {"precision": "fp32"}
    if recipe.start:
        changes["start"] = name
    if recipe.family == "fast-style":
        told = recipe.model_dump()
        changes["styles"] = told["styles"][:2]
        changes["distilled"] = told["distilled"] | {"pairs": 3, "hasty": True}
    return type(recipe).model_validate(recipe.model_dump() | changes)


@pytest.mark.parametrize("name", catalog.names())
def test_every_shipped_model_is_begun_again(name: str) -> None:
    assert name in MOVES
    assert here(name).title == name


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in MOVES if name in catalog.names()])
def test_losses_go_the_same_way(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    recipe, (data, moves) = here(name), MOVES[name]
    inputs = [TEXTURES] if recipe.two_folders else []
    ready = prepare(Job(recipe, tmp_path, data=[data], inputs=inputs, beside=RECIPES), ignore)
    losses = []
    for number in range(-(-recipe.steps // 100)):
        batch = ready.family.draw(number)
        with chance(recipe.seed, number, ready.family):
            losses.append(step(ready.family, batch, number / recipe.steps, ready.accelerator, recipe.clip))
    third = len(losses) // 3
    for loss, direction in moves.items():
        values = torch.stack([each[loss] for each in losses]).float()
        assert torch.isfinite(values).all()
        before = IGNORANT if moves is LEARNS else float(values[:third].mean())
        after = float((values if moves is LEARNS else values[-third:]).mean())
        assert (after - before) * direction > 0, loss
