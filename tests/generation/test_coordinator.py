"""Runs by the coordinator: candidates that are generated, kept or generated again."""

from __future__ import annotations

import os
import queue
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from artgen.errors import ArtgenError
from artgen.events import (
    CandidateDone,
    CandidateFailed,
    Event,
    Note,
    RunFinished,
    RunStarted,
    StepStarted,
    ignore_event,
)
from artgen.generation.coordinator import RunRequest, generate_candidates, run_folder_of_recipe
from artgen.generation.processes import WorkerPool
from artgen.locks import lock_folder
from artgen.recipe import draw_candidate, load_recipe
from artgen.runs.store import Run
from artgen.steps import StepContext


def only_run(place: Path) -> Path:
    (folder,) = (path for path in (place / "runs").iterdir() if path.name != ".stages")
    return folder


def contents(run: Path) -> dict[str, bytes]:
    files = sorted(path for part in ("candidates", "stages", "thumbs") for path in (run / part).iterdir())
    return {str(path.relative_to(run)): path.read_bytes() for path in files}


def edit(place: Path, old: str, new: str) -> None:
    recipe = place / "tiny.toml"
    text = recipe.read_text()
    assert old in text
    recipe.write_text(text.replace(old, new))


def test_a_run_leaves_whole_files_and_rows(sampled: Path) -> None:
    folder = only_run(sampled)
    recipe = load_recipe(sampled / "tiny.toml")
    assert folder == run_folder_of_recipe(recipe, sampled / "runs")
    names = sorted(contents(folder))
    assert len(names) == 6 + 6 * 4 + 6
    assert "stages/0003-1-upscale.webp" in names
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.candidates()] == [1, 2, 3, 4, 5, 6]
        third = run.candidate(3)
    assert (third.width, third.height) == (96, 96)
    assert third.draws == draw_candidate(recipe, 5, 3).draws
    assert [(stage.step, stage.use, stage.width) for stage in third.stages] == [
        ("source", "crops", 24),
        ("upscale", "upscale", 96),
        ("grade", "grade", 96),
        ("grain", "grain", 96),
    ]
    assert third.seconds > 0
    assert third.caption == "Tiny, candidate 3"


def test_a_candidate_alone_equals_itself_in_a_run(project: Path, sampled: Path) -> None:
    events: list[Event] = []
    result = generate_candidates(
        load_recipe(project / "tiny.toml"),
        RunRequest(numbers=[3], runs_folder=project / "runs", worker_count=1),
        events.append,
    )
    assert result.generated_numbers == [3]
    alone, whole = contents(result.run_folder), contents(only_run(sampled))
    assert len(alone) == 6
    assert alone.items() <= whole.items()
    kinds = [type(event) for event in events]
    assert (kinds[0], kinds[-1]) == (RunStarted, RunFinished)
    steps = [event.step for event in events if isinstance(event, StepStarted)]
    assert steps == ["source", "upscale", "grade", "grain"]
    assert sum(isinstance(event, CandidateDone) for event in events) == 1


def test_a_run_is_completed_not_repeated(sampled: Path) -> None:
    folder = only_run(sampled)
    before = contents(folder)
    recipe = load_recipe(sampled / "tiny.toml")
    assert (
        generate_candidates(
            recipe, RunRequest(runs_folder=sampled / "runs", worker_count=1), ignore_event
        ).generated_numbers
        == []
    )
    # Three things a crash or a person may take away: a picture, a thumbnail, a row.
    (folder / "candidates" / "0002.png").unlink()
    (folder / "thumbs" / "0004.webp").unlink()
    with Run.open(folder) as run:
        run.remove_candidate(5)
        run.pick(2, True)
    # And damage to every stored stage.
    for file in (sampled / "runs" / ".stages").iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    result = generate_candidates(
        recipe, RunRequest(candidate_count=7, runs_folder=sampled / "runs", worker_count=1), ignore_event
    )
    assert sorted(result.generated_numbers) == [2, 7]
    after = contents(folder)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 6
    with Run.open(folder) as run:
        assert len(run.candidates()) == 7
        assert [candidate.index for candidate in run.picks()] == [2]


def test_another_last_step_makes_only_that_step_again(project: Path, sampled: Path) -> None:
    edit(sampled, 'use = "grain"', 'use = "grain"\namount = 0.5')
    edit(project, 'use = "grain"', 'use = "grain"\namount = 0.5')
    stages = sampled / "runs" / ".stages"
    before = {file.name: file.read_bytes() for file in stages.iterdir()}
    warm = generate_candidates(
        load_recipe(sampled / "tiny.toml"),
        RunRequest(numbers=[1], runs_folder=sampled / "runs", worker_count=1),
        ignore_event,
    )
    assert {file.name: file.read_bytes() for file in stages.iterdir()} == before
    cold = generate_candidates(
        load_recipe(project / "tiny.toml"),
        RunRequest(numbers=[1], runs_folder=project / "runs", worker_count=1),
        ignore_event,
    )
    assert warm.run_folder.name == cold.run_folder.name
    assert len(list((sampled / "runs").glob("tiny-*"))) == 2
    assert contents(warm.run_folder) == contents(cold.run_folder)


def test_a_step_between_changes_no_other_draws(project: Path) -> None:
    before = draw_candidate(load_recipe(project / "tiny.toml"), 5, 3).draws
    edit(
        project,
        '[[steps]]\nuse = "grade"',
        '[[steps]]\nuse = "grain"\nid = "dust"\n\n[[steps]]\nuse = "grade"',
    )
    assert draw_candidate(load_recipe(project / "tiny.toml"), 5, 3).draws == before


def test_a_corrupt_photograph_fails_alone(project: Path) -> None:
    edit(
        project,
        'use = "crops"\nimages = "pictures"\nsize = 24',
        'use = "photos"\nimages = "pictures"\nside = 16',
    )
    whole = (project / "pictures" / "1.png").read_bytes()
    (project / "pictures" / "1.png").write_bytes(whole[: len(whole) // 2])
    events: list[Event] = []
    recipe = load_recipe(project / "tiny.toml")
    result = generate_candidates(
        recipe, RunRequest(candidate_count=3, runs_folder=project / "runs", worker_count=1), events.append
    )
    assert sorted(result.generated_numbers) == [1, 3]
    assert "1.png: damaged or truncated" in str(result.errors[2])
    (failed,) = (event for event in events if isinstance(event, CandidateFailed))
    assert (failed.candidate, failed.problem) == (2, str(result.errors[2]))
    assert not list(result.run_folder.rglob(".artgen-tmp-*"))
    # Once repaired it is generated, and the change is reported.
    (project / "pictures" / "1.png").write_bytes(whole)
    result = generate_candidates(
        recipe, RunRequest(candidate_count=3, runs_folder=project / "runs", worker_count=1), events.append
    )
    assert (result.generated_numbers, result.errors) == ([2], {})
    notes = [event.message for event in events if isinstance(event, Note)]
    assert any("Changed since this run began: pictures/1.png" in note for note in notes)


def test_captions_follow_the_recipe(sampled: Path) -> None:
    edit(sampled, 'use = "grain"\n', 'use = "grain"\n\n[gallery]\ncaption = "No. {index}, from {source}"\n')
    assert (
        generate_candidates(
            load_recipe(sampled / "tiny.toml"), RunRequest(runs_folder=sampled / "runs"), ignore_event
        ).generated_numbers
        == []
    )
    with Run.open(only_run(sampled)) as run:
        assert run.candidate(3).caption == "No. 3, from 24 px"


def test_captions_name_the_photograph_that_was_used(project: Path) -> None:
    edit(project, 'use = "crops"', 'use = "photos"')
    edit(project, "size = 24", "side = 8")
    request = RunRequest(candidate_count=3, runs_folder=project / "runs", worker_count=1)
    folder = generate_candidates(load_recipe(project / "tiny.toml"), request, ignore_event).run_folder
    shutil.copy(project / "pictures" / "2.png", project / "pictures" / "00.png")
    with (project / "tiny.toml").open("a") as recipe:
        recipe.write('\n[gallery]\ncaption = "{source}"\n')
    assert (
        generate_candidates(load_recipe(project / "tiny.toml"), request, ignore_event).generated_numbers == []
    )
    with Run.open(folder) as run:
        assert [candidate.caption for candidate in run.candidates()] == ["0", "1", "2"]


def test_more_images_than_a_picture_can_list(project: Path) -> None:
    for number in range(1998):
        (project / "pictures" / f"more-{number}.png").touch()
    with pytest.raises(
        ArtgenError, match=r"source\.images: 2,001 images; crops are taken from at most 2,000"
    ):
        load_recipe(project / "tiny.toml")
    edit(project, 'use = "crops"', 'use = "photos"')
    edit(project, "size = 24", "side = 8")
    load_recipe(project / "tiny.toml")
    (project / "pictures" / "more-0.png").unlink()
    edit(project, 'use = "photos"', 'use = "crops"')
    edit(project, "side = 8", "size = 24")
    load_recipe(project / "tiny.toml")


def test_errors_that_are_reported_as_lack_of_memory(project: Path) -> None:
    import torch

    from artgen.generation.chain import GenerationSettings, generate_stages
    from artgen.steps import Step

    class Wide(Step):
        use: str = "wide"

        def apply(self, image: torch.Tensor, context: StepContext) -> torch.Tensor:
            return torch.empty(3, 1 << 24, 1 << 24)

    class Wrong(Step):
        use: str = "wrong"

        def apply(self, image: torch.Tensor, context: StepContext) -> torch.Tensor:
            raise RuntimeError("an illegal memory access was encountered")

    recipe = load_recipe(project / "tiny.toml")
    with pytest.raises(ArtgenError, match="step wide: not enough memory after 24 x 24 px"):
        list(generate_stages(recipe.model_copy(update={"steps": [Wide()]}), 1, GenerationSettings()))
    with pytest.raises(RuntimeError, match="illegal memory access"):
        list(generate_stages(recipe.model_copy(update={"steps": [Wrong()]}), 1, GenerationSettings()))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts processes in /proc")
@pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="only where there may be a GPU")
def test_the_requested_number_of_workers_also_on_a_gpu(project: Path) -> None:
    workers: list[int] = []

    def count(event: Event) -> None:
        if isinstance(event, StepStarted):
            stats = [
                path.read_text().rpartition(")")[2].split() for path in Path("/proc").glob("[0-9]*/stat")
            ]
            workers.append(sum(int(parts[1]) == os.getpid() for parts in stats))

    result = generate_candidates(
        load_recipe(project / "tiny.toml"), RunRequest(runs_folder=project / "runs", worker_count=3), count
    )
    assert len(result.generated_numbers) == 6
    assert workers[0] == 3


@pytest.mark.slow
def test_this_process_computes_like_a_worker() -> None:
    code = (
        "import os; from artgen.generation.chain import configure_torch; "
        "configure_torch('cpu'); import torch; "
        "print(torch.get_num_threads(), os.environ['CUBLAS_WORKSPACE_CONFIG'], os.environ['OMP_NUM_THREADS'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={key: value for key, value in os.environ.items() if key != "CUBLAS_WORKSPACE_CONFIG"}
        | {"OMP_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", ":4096:8", "1"]


def test_one_run_at_a_time(sampled: Path) -> None:
    with lock_folder(only_run(sampled)), pytest.raises(ArtgenError, match="another artgen is at work"):
        generate_candidates(
            load_recipe(sampled / "tiny.toml"),
            RunRequest(runs_folder=sampled / "runs", worker_count=1),
            ignore_event,
        )


def test_a_device_that_is_not_there() -> None:
    import torch

    from artgen.generation.chain import configure_torch

    if torch.backends.mps.is_available():
        pytest.skip("this machine has mps")
    with pytest.raises(ArtgenError, match="--device mps: torch does not find this device"):
        configure_torch("mps")


def test_a_damaged_database_is_rebuilt_by_the_next_run(sampled: Path) -> None:
    folder = only_run(sampled)
    (folder / "run.db").write_bytes(b"\0" * 9000)
    assert (
        generate_candidates(
            load_recipe(sampled / "tiny.toml"),
            RunRequest(runs_folder=sampled / "runs", worker_count=1),
            ignore_event,
        ).generated_numbers
        == []
    )
    assert (folder / "run.db.damaged-1").exists()
    with closing(sqlite3.connect(folder / "run.db")) as database:
        count = database.execute("SELECT count(*) FROM candidates").fetchone()
    assert count == (6,)


def test_a_bug_in_a_worker_reaches_the_coordinator() -> None:
    workers = WorkerPool("this is no order")
    try:
        workers.start(1)
        number, report = workers.reports.get(timeout=30)
        assert "Traceback" in report["bug"]
        assert workers.reports.get(timeout=30) == (number, {"ended": True})
        assert "ended by itself" in str(workers.explain_exit(number))
    finally:
        workers.stop()
    with pytest.raises(queue.Empty):
        workers.reports.get(timeout=0.01)


def test_the_coordinator_never_imports_torch(sampled: Path) -> None:
    code = (
        "import sys; from artgen.cli import app; "
        "app(['run', 'tiny.toml'], standalone_mode=False); "
        "print([name for name in ('torch', 'numpy', 'skimage') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=sampled, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
