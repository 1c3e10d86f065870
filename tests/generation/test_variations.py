"""Variations of a run's candidates: made, kept, made again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.events import CandidateDone, Event, MoreAsked, RunStarted, ignore
from artgen.generation.coordinator import Wish, sample
from artgen.generation.existing import ask
from artgen.generation.reproduce import reproduce
from artgen.generation.run_recipe import recipe_of
from artgen.generation.scheduler import Outcome
from artgen.imaging.io.files import read_image
from artgen.recipe import Lineage, draw, load
from artgen.runs.candidate import FIRST_VARIATION as FIRST
from artgen.runs.provenance import read
from artgen.runs.store import Run


def only_run(place: Path) -> Path:
    (folder,) = (path for path in (place / "runs").iterdir() if path.name != ".stages")
    return folder


def vary(place: Path, parent: int, count: int = 1) -> Outcome:
    with Run.open(only_run(place)) as run:
        recipe = recipe_of(run)
        ask(run, recipe, [parent], count)
        return sample(recipe, Wish(only=(), workers=1), ignore, run)


def test_variations_are_candidates_that_know_their_parents(sampled: Path) -> None:
    folder = only_run(sampled)
    before = (folder / "candidates" / "0003.png").read_bytes()
    assert vary(sampled, 3, 2).made == [FIRST, FIRST + 1]
    assert vary(sampled, FIRST).made == [FIRST + 2]
    recipe = load(sampled / "tiny.toml")
    with Run.open(folder) as run:
        assert run.queued() == []
        assert [candidate.variation_of for candidate in run.candidates()] == [None] * 6 + [3, 3, FIRST]
        assert run.variations()[FIRST + 2] == Lineage(FIRST + 2, (3, FIRST))
        for number, lineage in run.variations().items():
            assert run.candidate(number).draws == draw(recipe, recipe.seed, lineage).draws
    pictures = [folder / "candidates" / f"{FIRST + n}.png" for n in range(3)]
    assert [read(file).ancestors for file in pictures] == [[], [], [3]]
    assert "variation_of" not in (read(folder / "candidates" / "0003.png").text()["artgen"])
    different = [read_image(folder / "candidates" / "0003.png"), *map(read_image, pictures)]
    assert all(
        float((one - other).abs().mean()) > 0.005
        for one in different
        for other in different
        if one is not other
    )
    assert (folder / "candidates" / "0003.png").read_bytes() == before
    result = reproduce(pictures[2], ignore)
    assert result.identical, result.summary()
    assert result.differences == ()


@pytest.mark.slow
def test_what_is_lost_is_found_or_made_again(sampled: Path) -> None:
    folder, recipe = only_run(sampled), load(sampled / "tiny.toml")
    vary(sampled, 3, 2)
    vary(sampled, FIRST)
    pictures = [folder / "candidates" / f"{FIRST + n}.png" for n in range(3)]
    bytes_ = [file.read_bytes() for file in pictures]
    for file in pictures:
        assert reproduce(file, ignore).identical
    (folder / "run.db").unlink()
    pictures[2].unlink()
    (folder / "thumbs" / f"{FIRST}.webp").unlink()
    with Run.open(folder) as run:
        assert [candidate.variation_of for candidate in run.candidates()][6:] == [3, 3]
    assert vary(sampled, FIRST).made == [FIRST + 2]
    assert [file.read_bytes() for file in pictures] == bytes_
    pictures[0].unlink()
    assert sample(recipe, Wish(root=sampled / "runs", workers=1), ignore).made == [FIRST]
    assert pictures[0].read_bytes() == bytes_[0]
    pictures[1].unlink()
    assert sample(recipe, Wish(only=[FIRST + 1], root=sampled / "runs", workers=1), ignore).made == [
        FIRST + 1
    ]


@pytest.mark.slow
def test_every_candidate_comes_with_its_embedding(sampled: Path) -> None:
    from artgen.imaging.embedding import NAME, embed

    vary(sampled, 3)
    with Run.open(only_run(sampled)) as run:
        numbers, vectors = run.embeddings(NAME)
        assert list(numbers) == [1, 2, 3, 4, 5, 6, FIRST]
        again = embed(read_image(run.candidate(FIRST).file))
    assert vectors[-1] == pytest.approx(again, abs=0.05)


@pytest.mark.slow
def test_what_parent_and_variation_share_is_made_once(sampled: Path) -> None:
    recipe = sampled / "tiny.toml"
    text = recipe.read_text().replace("{ uniform = [0.2, 1.0] }", "0.7")
    grow = '[[steps]]\nuse = "upscale"\nid = "grow"\nmodel = "tiny.safetensors"\nscale = 2\n\n'
    recipe.write_text(text.replace('[[steps]]\nuse = "grade"', grow + '[[steps]]\nuse = "grade"'))
    shutil.rmtree(only_run(sampled))
    stages = sampled / "runs" / ".stages"
    shutil.rmtree(stages)
    sample(load(recipe), Wish(only=[2], root=sampled / "runs", workers=1), ignore)
    before = {file.name: file.stat().st_mtime_ns for file in stages.iterdir()}
    assert len(before) == 2
    vary(sampled, 2)
    after = {file.name for file in stages.iterdir()}
    assert before.keys() < after
    assert len(after) == 3


@pytest.mark.slow
def test_a_run_at_work_makes_what_is_asked_for_meanwhile(project: Path) -> None:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, CandidateDone) and event.candidate == 2:
            with Run.open(only_run(project)) as run:
                run.queue_variations(1, 2)

    outcome = sample(load(project / "tiny.toml"), Wish(root=project / "runs", workers=1), emit)
    # Somebody waits for them: they come before the rest.
    assert outcome.made == [1, 2, FIRST, FIRST + 1, 3, 4, 5, 6]
    assert MoreAsked(2) in events


@pytest.mark.slow
def test_idle_workers_hear_of_it_and_more_are_started(project: Path) -> None:
    recipe = load(project / "tiny.toml")
    sample(recipe, Wish(only=[1], root=project / "runs", workers=1), ignore)

    def emit(event: Event) -> None:
        if isinstance(event, CandidateDone) and event.candidate == 2:
            with Run.open(only_run(project)) as run:
                run.queue_variations(1, 3)

    outcome = sample(recipe, Wish(only=[2], root=project / "runs", workers=2), emit)
    assert sorted(outcome.made) == [2, FIRST, FIRST + 1, FIRST + 2]


@pytest.mark.slow
def test_what_is_asked_for_as_a_run_ends_is_made(sampled: Path) -> None:
    """Between the last look and the lock being free nobody else can make it."""
    started: list[int] = []

    def emit(event: Event) -> None:
        if isinstance(event, RunStarted):  # nothing is missing: it has looked for the last time
            started.append(event.total - event.done)
            if len(started) == 1:
                with Run.open(only_run(sampled)) as run:
                    run.queue_variations(4, 1)

    outcome = sample(load(sampled / "tiny.toml"), Wish(root=sampled / "runs", workers=1), emit)
    assert (started, outcome.made) == ([0, 1], [FIRST])
    assert [candidate.index for candidate in outcome.candidates] == [1, 2, 3, 4, 5, 6, FIRST]


def test_unknown_variations_are_refused(sampled: Path) -> None:
    with pytest.raises(
        ArtgenError, match=r"candidate 100001, 100003: no variation of tiny-\w+; a recipe draws"
    ):
        sample(load(sampled / "tiny.toml"), Wish(only=[1, FIRST, FIRST + 2], root=sampled / "runs"), ignore)
    with pytest.raises(ArtgenError, match="no variation of"):
        sample(load(sampled / "tiny.toml"), Wish(only=[FIRST], root=sampled / "other"), ignore)
    assert not (sampled / "other").exists()


@pytest.mark.slow
def test_a_variation_that_cannot_be_made_fails_alone(sampled: Path) -> None:
    folder = only_run(sampled)
    shutil.rmtree(folder)
    recipe = sampled / "tiny.toml"
    recipe.write_text('[source]\nuse = "crops"\nimages = "pictures"\nsize = 24\n\n[[steps]]\nuse = "grade"\n')
    folder = sample(load(recipe), Wish(only=[1], root=sampled / "runs", workers=1), ignore).folder
    with Run.open(folder) as run, pytest.raises(ArtgenError, match="its steps leave nothing to chance"):
        ask(run, recipe_of(run), [1], 2)
    with Run.open(folder) as run:
        assert run.queued() == []
        run.queue_variations(1, 1)  # as a page that knows nothing of steps
    outcome = sample(load(recipe), Wish(only=(), root=sampled / "runs", workers=1), ignore)
    assert outcome.made == []
    assert "leave nothing to chance" in str(outcome.failed[FIRST])
    assert sample(load(recipe), Wish(root=sampled / "runs", candidates=1), ignore).failed == {}


def test_the_recipe_is_read_from_the_run(sampled: Path) -> None:
    folder = only_run(sampled)
    recipe = load(sampled / "tiny.toml")
    (sampled / "tiny.toml").write_text("seed = 9")
    with Run.open(folder) as run:
        assert recipe_of(run).digest() == recipe.digest()
        assert recipe_of(run).path.resolve() == (sampled / "tiny.toml").resolve()
        (sampled / "tiny.safetensors").unlink()
        with pytest.raises(ArtgenError, match=rf"{folder.name}/recipe\.toml:\d+: steps\.upscale\.model"):
            recipe_of(run)


def test_where_the_recipe_lies_is_guessed_when_nobody_knows(sampled: Path, tmp_path: Path) -> None:
    folder = only_run(sampled)
    (folder / "run.db").unlink()
    with Run.open(folder) as run:
        assert recipe_of(run).folder.resolve() == sampled.resolve()
    moved = tmp_path / "moved" / folder.name
    shutil.copytree(folder, moved)
    with Run.open(moved) as run:
        with pytest.raises(ArtgenError, match=r"not known where its recipe lies; .*artgen run PATH/tiny"):
            recipe_of(run)
        run.remember("recipe folder", "../../gone")
        with pytest.raises(ArtgenError, match=r"no folder \.\./\.\./gone; "):
            recipe_of(run)


def test_a_variation_of_a_lost_line_is_told(sampled: Path) -> None:
    folder, recipe = only_run(sampled), load(sampled / "tiny.toml")
    with Run.open(folder) as run:
        parent = replace(run.candidate(3), index=FIRST + 1, variation_of=FIRST)
        run.add(parent)
        for part in ("candidates/{:04d}.png", "thumbs/{:04d}.webp"):
            shutil.copy(folder / part.format(3), folder / part.format(FIRST + 1))
        with pytest.raises(ArtgenError, match="a variation of one that is not known any more"):
            ask(run, recipe, [FIRST + 1], 1)
        assert run.lineages([3, FIRST + 1]) == [Lineage(3), Lineage(FIRST + 1)]
        run.queue_variations(FIRST + 1, 1)  # as the page does
        assert run.waiting() == []
        outcome = sample(recipe, Wish(only=()), ignore, run)
        assert outcome.made == []
        assert "of which it is not known any more what it varies" in str(outcome.failed[FIRST + 2])
        assert sample(recipe, Wish(only=()), ignore, run).failed == {}
