"""Recipes narrowed towards the picks of their runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.events import Event, Note, ignore_event
from artgen.generation.more_like_picks import NarrowedRecipe, narrow_recipe_to_picks
from artgen.recipe import load_recipe
from artgen.runs.decisions import current_user_name
from artgen.runs.history import DecisionChange
from artgen.runs.store import Run


def only_run(place: Path) -> Path:
    (folder,) = (path for path in (place / "runs").iterdir() if path.name != ".stages")
    return folder


def decide(folder: Path, *changes: tuple[int, str, str | int | None]) -> None:
    with Run.open(folder) as run:
        run.decisions.decide(
            [DecisionChange(*change) for change in changes], author=current_user_name(), view="command"
        )


def narrowed(place: Path, *overrides: str, seed: int | None = None) -> NarrowedRecipe:
    return narrow_recipe_to_picks(place / "tiny.toml", overrides, place / "runs", ignore_event, seed=seed)


def test_the_same_picks_give_the_same_run(sampled: Path) -> None:
    folder, plain = only_run(sampled), load_recipe(sampled / "tiny.toml")
    decide(folder, (2, "mark", "kept"), (5, "mark", "kept"), (1, "mark", "rejected"))
    first = narrowed(sampled)
    assert (first.pick_count, first.run_names) == (2, (folder.name,))
    assert first.recipe.digest() == narrowed(sampled).recipe.digest() != plain.digest()
    assert first.recipe.seed != plain.seed
    assert first.recipe.path == plain.path
    assert load_recipe(sampled / "tiny.toml").text == plain.text
    # Its text is a recipe that says the same.
    (sampled / "again.toml").write_text(first.recipe.text)
    assert load_recipe(sampled / "again.toml").digest() == first.recipe.digest()
    decide(folder, (5, "stars", 4))
    assert narrowed(sampled).recipe.seed != first.recipe.seed
    decide(folder, (5, "mark", None))
    assert narrowed(sampled).pick_count == 1


def test_a_given_seed_and_set_stay(sampled: Path) -> None:
    decide(only_run(sampled), (2, "mark", "kept"))
    narrowed_recipe = narrowed(sampled, "steps.upscale.noise=0.5", "seed=8", seed=8)
    assert narrowed_recipe.recipe.seed == 8
    assert [one.field for one in narrowed_recipe.narrowed_draws] == ["steps.grade.saturation"]
    assert narrowed_recipe.recipe.steps[0].noise == 0.5


def test_every_run_of_the_recipe_counts(sampled: Path) -> None:
    folder = only_run(sampled)
    decide(folder, (2, "mark", "kept"))
    shutil.copytree(folder, sampled / "runs" / "tiny-0a0a0a0a-preview")
    shutil.copytree(folder, sampled / "runs" / "other-0a0a0a0a")
    narrowed_recipe = narrowed(sampled)
    assert (narrowed_recipe.pick_count, len(narrowed_recipe.run_names)) == (2, 2)


def test_in_a_round_just_begun_what_came_into_it_counts(sampled: Path) -> None:
    folder = only_run(sampled)
    decide(folder, (2, "mark", "kept"), (3, "mark", "kept"))
    with Run.open(folder) as run:
        run.decisions.start_next_round(author=current_user_name(), view="command")
    assert narrowed(sampled).pick_count == 2
    decide(folder, (3, "mark", "rejected"))
    assert narrowed(sampled).pick_count == 1
    decide(folder, (2, "mark", "kept"))
    assert narrowed(sampled).pick_count == 1


def test_a_run_that_cannot_be_read_is_skipped(sampled: Path) -> None:
    decide(only_run(sampled), (2, "mark", "kept"))
    broken = sampled / "runs" / "tiny-0b0b0b0b"
    (broken / "run.db").mkdir(parents=True)
    (broken / "recipe.toml").touch()
    events: list[Event] = []
    narrow_recipe_to_picks(sampled / "tiny.toml", [], sampled / "runs", events.append)
    assert all(isinstance(event, Note) for event in events)


def test_without_picks_or_draws(sampled: Path) -> None:
    with pytest.raises(ArtgenError, match=r"no run in .*runs has picks; .*artgen curate tiny"):
        narrowed(sampled)
    decide(only_run(sampled), (2, "mark", "kept"))
    with pytest.raises(ArtgenError, match="draws nothing"):
        narrowed(sampled, "steps.upscale.noise=0.5", "steps.grade.saturation=1.0")
    overrides = [
        "steps.upscale.noise=0.5",
        "steps.grade.saturation=1.0",
        "steps.grain.amount.uniform=[0, 0.2]",
    ]
    with pytest.raises(ArtgenError, match="the recipe no longer draws the values"):
        narrowed(sampled, *overrides)
