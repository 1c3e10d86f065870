"""Variations of a run's candidates: queued, generated, kept, generated again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.events import CandidateDone, CandidatesAdded, Event, RunStarted, ignore_event
from artgen.generation.coordinator import RunRequest, generate_candidates, request_variations
from artgen.generation.reproduce import reproduce_picture
from artgen.generation.run_recipe import load_run_recipe
from artgen.generation.scheduler import RunResult
from artgen.imaging.io.files import read_image
from artgen.recipe import Lineage, draw_candidate, load_recipe
from artgen.runs.candidate import FIRST_VARIATION_NUMBER as FIRST
from artgen.runs.provenance import read_provenance
from artgen.runs.store import Run


def only_run(place: Path) -> Path:
    (folder,) = (path for path in (place / "runs").iterdir() if path.name != ".stages")
    return folder


def vary(place: Path, parent: int, count: int = 1) -> RunResult:
    with Run.open(only_run(place)) as run:
        recipe = load_run_recipe(run)
        request_variations(run, recipe, [parent], count)
        return generate_candidates(recipe, RunRequest(numbers=(), worker_count=1), ignore_event, run)


def test_variations_are_candidates_that_know_their_parents(sampled: Path) -> None:
    folder = only_run(sampled)
    before = (folder / "candidates" / "0003.png").read_bytes()
    assert vary(sampled, 3, 2).generated_numbers == [FIRST, FIRST + 1]
    assert vary(sampled, FIRST).generated_numbers == [FIRST + 2]
    recipe = load_recipe(sampled / "tiny.toml")
    with Run.open(folder) as run:
        assert run.queued_variations() == []
        assert [candidate.variation_of for candidate in run.candidates()] == [None] * 6 + [3, 3, FIRST]
        assert run.variations()[FIRST + 2] == Lineage(FIRST + 2, (3, FIRST))
        for number, lineage in run.variations().items():
            assert run.candidate(number).draws == draw_candidate(recipe, recipe.seed, lineage).draws
    pictures = [folder / "candidates" / f"{FIRST + n}.png" for n in range(3)]
    assert [read_provenance(file).ancestors for file in pictures] == [[], [], [3]]
    assert "variation_of" not in (read_provenance(folder / "candidates" / "0003.png").png_text()["artgen"])
    different = [read_image(folder / "candidates" / "0003.png"), *map(read_image, pictures)]
    assert all(
        float((one - other).abs().mean()) > 0.005
        for one in different
        for other in different
        if one is not other
    )
    assert (folder / "candidates" / "0003.png").read_bytes() == before
    result = reproduce_picture(pictures[2], ignore_event)
    assert result.identical, result.summary()
    assert result.differences == ()


@pytest.mark.slow
def test_lost_variations_are_recovered_or_generated_again(sampled: Path) -> None:
    folder, recipe = only_run(sampled), load_recipe(sampled / "tiny.toml")
    vary(sampled, 3, 2)
    vary(sampled, FIRST)
    pictures = [folder / "candidates" / f"{FIRST + n}.png" for n in range(3)]
    bytes_ = [file.read_bytes() for file in pictures]
    for file in pictures:
        assert reproduce_picture(file, ignore_event).identical
    (folder / "run.db").unlink()
    pictures[2].unlink()
    (folder / "thumbs" / f"{FIRST}.webp").unlink()
    with Run.open(folder) as run:
        assert [candidate.variation_of for candidate in run.candidates()][6:] == [3, 3]
    assert vary(sampled, FIRST).generated_numbers == [FIRST + 2]
    assert [file.read_bytes() for file in pictures] == bytes_
    pictures[0].unlink()
    assert generate_candidates(
        recipe, RunRequest(runs_folder=sampled / "runs", worker_count=1), ignore_event
    ).generated_numbers == [FIRST]
    assert pictures[0].read_bytes() == bytes_[0]
    pictures[1].unlink()
    assert generate_candidates(
        recipe, RunRequest(numbers=[FIRST + 1], runs_folder=sampled / "runs", worker_count=1), ignore_event
    ).generated_numbers == [FIRST + 1]


@pytest.mark.slow
def test_every_candidate_comes_with_its_embedding(sampled: Path) -> None:
    from artgen.imaging.embedding import EMBEDDING_NAME, embed_image

    vary(sampled, 3)
    with Run.open(only_run(sampled)) as run:
        numbers, vectors = run.load_embeddings(EMBEDDING_NAME)
        assert list(numbers) == [1, 2, 3, 4, 5, 6, FIRST]
        again = embed_image(read_image(run.candidate(FIRST).file))
    assert vectors[-1] == pytest.approx(again, abs=0.05)


@pytest.mark.slow
def test_stages_shared_by_parent_and_variation_are_computed_once(sampled: Path) -> None:
    recipe = sampled / "tiny.toml"
    text = recipe.read_text().replace("{ uniform = [0.2, 1.0] }", "0.7")
    grow = '[[steps]]\nuse = "upscale"\nid = "grow"\nmodel = "tiny.safetensors"\nscale = 2\n\n'
    recipe.write_text(text.replace('[[steps]]\nuse = "grade"', grow + '[[steps]]\nuse = "grade"'))
    shutil.rmtree(only_run(sampled))
    stages = sampled / "runs" / ".stages"
    shutil.rmtree(stages)
    generate_candidates(
        load_recipe(recipe),
        RunRequest(numbers=[2], runs_folder=sampled / "runs", worker_count=1),
        ignore_event,
    )
    before = {file.name: file.stat().st_mtime_ns for file in stages.iterdir()}
    assert len(before) == 2
    vary(sampled, 2)
    after = {file.name for file in stages.iterdir()}
    assert before.keys() < after
    assert len(after) == 3


@pytest.mark.slow
def test_a_running_run_generates_variations_queued_meanwhile(project: Path) -> None:
    events: list[Event] = []

    def emit(event: Event) -> None:
        events.append(event)
        if isinstance(event, CandidateDone) and event.candidate == 2:
            with Run.open(only_run(project)) as run:
                run.queue_variations(1, 2)

    run_result = generate_candidates(
        load_recipe(project / "tiny.toml"), RunRequest(runs_folder=project / "runs", worker_count=1), emit
    )
    # Somebody waits for them, so they come before the others.
    assert run_result.generated_numbers == [1, 2, FIRST, FIRST + 1, 3, 4, 5, 6]
    assert CandidatesAdded(2) in events


@pytest.mark.slow
def test_idle_workers_take_queued_variations_and_more_are_started(project: Path) -> None:
    recipe = load_recipe(project / "tiny.toml")
    generate_candidates(
        recipe, RunRequest(numbers=[1], runs_folder=project / "runs", worker_count=1), ignore_event
    )

    def emit(event: Event) -> None:
        if isinstance(event, CandidateDone) and event.candidate == 2:
            with Run.open(only_run(project)) as run:
                run.queue_variations(1, 3)

    run_result = generate_candidates(
        recipe, RunRequest(numbers=[2], runs_folder=project / "runs", worker_count=2), emit
    )
    assert sorted(run_result.generated_numbers) == [2, FIRST, FIRST + 1, FIRST + 2]


@pytest.mark.slow
def test_variations_queued_as_a_run_ends_are_generated(sampled: Path) -> None:
    """Between the last look at the queue and the release of the lock no other process can generate them."""
    started: list[int] = []

    def emit(event: Event) -> None:
        if isinstance(event, RunStarted):  # nothing is missing: it has read the queue for the last time
            started.append(event.total - event.done)
            if len(started) == 1:
                with Run.open(only_run(sampled)) as run:
                    run.queue_variations(4, 1)

    run_result = generate_candidates(
        load_recipe(sampled / "tiny.toml"), RunRequest(runs_folder=sampled / "runs", worker_count=1), emit
    )
    assert (started, run_result.generated_numbers) == ([0, 1], [FIRST])
    assert [candidate.index for candidate in run_result.candidates] == [1, 2, 3, 4, 5, 6, FIRST]


def test_unknown_variations_are_refused(sampled: Path) -> None:
    with pytest.raises(
        ArtgenError, match=r"candidate 100001, 100003: no variation of tiny-\w+; a recipe draws"
    ):
        generate_candidates(
            load_recipe(sampled / "tiny.toml"),
            RunRequest(numbers=[1, FIRST, FIRST + 2], runs_folder=sampled / "runs"),
            ignore_event,
        )
    with pytest.raises(ArtgenError, match="no variation of"):
        generate_candidates(
            load_recipe(sampled / "tiny.toml"),
            RunRequest(numbers=[FIRST], runs_folder=sampled / "other"),
            ignore_event,
        )
    assert not (sampled / "other").exists()


@pytest.mark.slow
def test_a_variation_that_cannot_be_made_fails_alone(sampled: Path) -> None:
    folder = only_run(sampled)
    shutil.rmtree(folder)
    recipe = sampled / "tiny.toml"
    recipe.write_text('[source]\nuse = "crops"\nimages = "pictures"\nsize = 24\n\n[[steps]]\nuse = "grade"\n')
    folder = generate_candidates(
        load_recipe(recipe),
        RunRequest(numbers=[1], runs_folder=sampled / "runs", worker_count=1),
        ignore_event,
    ).run_folder
    with Run.open(folder) as run, pytest.raises(ArtgenError, match="nothing in its steps is random"):
        request_variations(run, load_run_recipe(run), [1], 2)
    with Run.open(folder) as run:
        assert run.queued_variations() == []
        run.queue_variations(1, 1)  # as the contact sheet, which does not look at the steps
    run_result = generate_candidates(
        load_recipe(recipe),
        RunRequest(numbers=(), runs_folder=sampled / "runs", worker_count=1),
        ignore_event,
    )
    assert run_result.generated_numbers == []
    assert "nothing in its steps is random" in str(run_result.errors[FIRST])
    assert (
        generate_candidates(
            load_recipe(recipe), RunRequest(runs_folder=sampled / "runs", candidate_count=1), ignore_event
        ).errors
        == {}
    )


def test_the_recipe_is_read_from_the_run(sampled: Path) -> None:
    folder = only_run(sampled)
    recipe = load_recipe(sampled / "tiny.toml")
    (sampled / "tiny.toml").write_text("seed = 9")
    with Run.open(folder) as run:
        assert load_run_recipe(run).digest() == recipe.digest()
        assert load_run_recipe(run).path.resolve() == (sampled / "tiny.toml").resolve()
        (sampled / "tiny.safetensors").unlink()
        with pytest.raises(ArtgenError, match=rf"{folder.name}/recipe\.toml:\d+: steps\.upscale\.model"):
            load_run_recipe(run)


def test_an_unknown_recipe_folder_is_searched_for(sampled: Path, tmp_path: Path) -> None:
    folder = only_run(sampled)
    (folder / "run.db").unlink()
    with Run.open(folder) as run:
        assert load_run_recipe(run).folder.resolve() == sampled.resolve()
    moved = tmp_path / "moved" / folder.name
    shutil.copytree(folder, moved)
    with Run.open(moved) as run:
        with pytest.raises(ArtgenError, match=r"the folder of its recipe is unknown; .*artgen run PATH/tiny"):
            load_run_recipe(run)
        run.write_fact("recipe folder", "../../gone")
        with pytest.raises(ArtgenError, match=r"no folder \.\./\.\./gone; "):
            load_run_recipe(run)


def test_a_variation_without_a_known_ancestor_is_reported(sampled: Path) -> None:
    folder, recipe = only_run(sampled), load_recipe(sampled / "tiny.toml")
    with Run.open(folder) as run:
        parent = replace(run.candidate(3), index=FIRST + 1, variation_of=FIRST)
        run.add_candidate(parent)
        for part in ("candidates/{:04d}.png", "thumbs/{:04d}.webp"):
            shutil.copy(folder / part.format(3), folder / part.format(FIRST + 1))
        with pytest.raises(ArtgenError, match="a variation of a candidate that is no longer known"):
            request_variations(run, recipe, [FIRST + 1], 1)
        assert run.lineages([3, FIRST + 1]) == [Lineage(3), Lineage(FIRST + 1)]
        run.queue_variations(FIRST + 1, 1)  # as the contact sheet does
        assert run.queued_lineages() == []
        run_result = generate_candidates(recipe, RunRequest(numbers=()), ignore_event, run)
        assert run_result.generated_numbers == []
        assert "whose own parent is no longer known" in str(run_result.errors[FIRST + 2])
        assert generate_candidates(recipe, RunRequest(numbers=()), ignore_event, run).errors == {}
