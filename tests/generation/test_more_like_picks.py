"""Recipes narrowed towards the picks of their runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.events import Event, Note, ignore
from artgen.generation.more_like_picks import Liking, more_like_picks
from artgen.recipe import load
from artgen.runs.decisions import artist
from artgen.runs.history import Change
from artgen.runs.store import Run


def only_run(place: Path) -> Path:
    (folder,) = (path for path in (place / "runs").iterdir() if path.name != ".stages")
    return folder


def decide(folder: Path, *changes: tuple[int, str, str | int | None]) -> None:
    with Run.open(folder) as run:
        run.decide([Change(*change) for change in changes], who=artist(), view="command")


def narrowed(place: Path, *overrides: str, seed: int | None = None) -> Liking:
    return more_like_picks(place / "tiny.toml", overrides, place / "runs", ignore, seed=seed)


def test_the_same_picks_give_the_same_run(sampled: Path) -> None:
    folder, plain = only_run(sampled), load(sampled / "tiny.toml")
    decide(folder, (2, "mark", "kept"), (5, "mark", "kept"), (1, "mark", "rejected"))
    first = narrowed(sampled)
    assert (first.picks, first.runs) == (2, (folder.name,))
    assert first.recipe.digest() == narrowed(sampled).recipe.digest() != plain.digest()
    assert first.recipe.seed != plain.seed
    assert first.recipe.path == plain.path
    assert load(sampled / "tiny.toml").text == plain.text
    # Its text is a recipe that says the same.
    (sampled / "again.toml").write_text(first.recipe.text)
    assert load(sampled / "again.toml").digest() == first.recipe.digest()
    decide(folder, (5, "stars", 4))
    assert narrowed(sampled).recipe.seed != first.recipe.seed
    decide(folder, (5, "mark", None))
    assert narrowed(sampled).picks == 1


def test_a_given_seed_and_set_stay(sampled: Path) -> None:
    decide(only_run(sampled), (2, "mark", "kept"))
    liking = narrowed(sampled, "steps.upscale.noise=0.5", "seed=8", seed=8)
    assert liking.recipe.seed == 8
    assert [one.field for one in liking.fields] == ["steps.grade.saturation"]
    assert liking.recipe.steps[0].noise == 0.5


def test_every_run_of_the_recipe_counts(sampled: Path) -> None:
    folder = only_run(sampled)
    decide(folder, (2, "mark", "kept"))
    shutil.copytree(folder, sampled / "runs" / "tiny-0a0a0a0a-preview")
    shutil.copytree(folder, sampled / "runs" / "other-0a0a0a0a")
    liking = narrowed(sampled)
    assert (liking.picks, len(liking.runs)) == (2, 2)


def test_in_a_round_just_begun_what_came_into_it_counts(sampled: Path) -> None:
    folder = only_run(sampled)
    decide(folder, (2, "mark", "kept"), (3, "mark", "kept"))
    with Run.open(folder) as run:
        run.next_round(who=artist(), view="command")
    assert narrowed(sampled).picks == 2
    decide(folder, (3, "mark", "rejected"))
    assert narrowed(sampled).picks == 1
    decide(folder, (2, "mark", "kept"))
    assert narrowed(sampled).picks == 1


def test_a_run_that_cannot_be_read_is_passed_over(sampled: Path) -> None:
    decide(only_run(sampled), (2, "mark", "kept"))
    broken = sampled / "runs" / "tiny-0b0b0b0b"
    (broken / "run.db").mkdir(parents=True)
    (broken / "recipe.toml").touch()
    events: list[Event] = []
    more_like_picks(sampled / "tiny.toml", [], sampled / "runs", events.append)
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
    with pytest.raises(ArtgenError, match="this recipe does not draw any more"):
        narrowed(sampled, *overrides)
