"""``artgen run``, ``runs`` and ``reproduce``: draw candidates, list runs, draw pictures again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.candidate_numbers import MAX_CANDIDATES, parse_candidate_numbers
from artgen.cli.arguments.options import Device, JsonOption, RunsOption, SetOption, WorkersOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, ValidationErrors, artgen_command

if TYPE_CHECKING:
    from artgen.generation.reproduce import ReproductionResult
    from artgen.generation.scheduler import RunResult


def run(
    recipe: Annotated[Path, typer.Argument(help="The recipe's file.")],
    number: Annotated[
        int | None,
        typer.Option(
            "-n", "--candidates", min=1, max=MAX_CANDIDATES, help="How many; by default the recipe's."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, for other candidates.")] = None,
    only: Annotated[str | None, typer.Option(help="Just these candidates, e.g. 3,7-9.")] = None,
    device: Annotated[Device, typer.Option(help="Where networks compute.")] = Device.auto,
    set_: SetOption = None,
    preview: Annotated[bool, typer.Option("--preview", help="Smaller and faster, while tuning.")] = False,
    workers: WorkersOption = None,
    more_like_picks: Annotated[
        bool, typer.Option("--more-like-picks", help="From ranges narrowed towards what was picked before.")
    ] = False,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> int:
    """Draw a recipe's candidates. Existing ones are kept: run it again to resume, or for more."""
    from artgen.cli.terminal.narrowed_table import narrow_recipe
    from artgen.cli.terminal.run_progress import show_run_progress
    from artgen.generation.coordinator import RunRequest, generate_candidates, run_folder_of_recipe
    from artgen.recipe import load_recipe

    candidate_numbers = parse_candidate_numbers(only, "--only") if only is not None else None
    overrides = [*(set_ or []), *([f"seed={seed}"] if seed is not None else [])]
    extra_report: dict[str, Any] = {}
    if more_like_picks:
        loaded_recipe, extra_report = narrow_recipe(recipe, overrides, runs, seed, quiet=json)
    else:
        loaded_recipe = load_recipe(recipe, overrides)
    request = RunRequest(number, candidate_numbers, device.value, preview, workers, runs)
    try:
        with show_run_progress() as emit:
            outcome = generate_candidates(loaded_recipe, request, emit)
    except KeyboardInterrupt:
        folder = run_folder_of_recipe(loaded_recipe, runs, preview=preview)
        print_stopped(folder)
        return messages.EXIT_INTERRUPTED
    _report(outcome, json, extra_report)
    if outcome.errors:
        raise ValidationErrors(
            f"{outcome.run_folder}: some candidates could not be made", list_failures(outcome)
        )
    return 0


def print_stopped(folder: Path, command: Sequence[str] | None = None) -> None:
    """Print what an interrupted run has finished, and the command that resumes it (by default its own)."""
    finished = len(list((folder / "candidates").glob("*.png")))
    resume_command = artgen_command(*(command or sys.argv[1:]))
    text = f"stopped: {finished} candidates are kept in {folder}\nresume with: {resume_command}"
    typer.echo(text, err=True)


def list_failures(outcome: RunResult) -> list[ArtgenError]:
    """Return an error for each reason of failure, with the numbers of the candidates that it affects."""
    from artgen.runs.candidate import format_number_ranges

    reasons: dict[str, tuple[ArtgenError, list[int]]] = {}
    for index, error in sorted(outcome.errors.items()):
        reasons.setdefault(str(error), (error, []))[1].append(index)
    return [
        ArtgenError(
            f"candidate {format_number_ranges(candidates)}: {error.where}",
            error.problem,
            error.expected,
            error.command,
        )
        for error, candidates in reasons.values()
    ]


def _report(outcome: RunResult, json: bool, extra_report: dict[str, Any]) -> None:
    """Print the result of ``artgen run``, as JSON or as a summary with the next command."""
    from artgen.cli.terminal.progress import format_duration

    candidates, name = outcome.candidates, outcome.run_folder.resolve().name
    if json:
        failed = [{"candidate": index, "problem": str(error)} for index, error in outcome.errors.items()]
        report = {
            "run": name,
            "folder": str(outcome.run_folder),
            "made": sorted(outcome.generated_numbers),
            "failed": failed,
            "seconds": round(outcome.seconds, 3),
            "candidates": [
                {"index": c.index, "seed": c.seed, "file": str(c.file), "width": c.width, "height": c.height}
                | {"caption": c.caption, "draws": c.draws, "picked": c.picked}
                | {"variation_of": c.variation_of}
                for c in candidates
            ],
        }
        messages.show_json(report | extra_report)
        return
    summary = (
        f"{len(outcome.generated_numbers)} made in {format_duration(outcome.seconds)}, "
        if outcome.generated_numbers
        else "nothing to make, "
    )
    typer.echo(f"{summary}{len(candidates)} candidates in {outcome.run_folder}")
    if candidates:
        typer.echo(f"Next: {artgen_command('curate', name)}, then {artgen_command('publish', name)}")


def runs_(runs: RunsOption = Path("runs"), json: JsonOption = False) -> None:
    """List the runs, the newest first."""
    from artgen.runs.store import Run, list_run_folders

    rows: list[dict[str, Any]] = []
    for folder in list_run_folders(runs):
        row: dict[str, Any] = {"run": folder.name, "folder": str(folder)}
        try:
            with Run.open(folder) as opened:
                row |= {"title": opened.title, "candidates": len(opened.candidates())}
                row |= {"picked": len(opened.picks())}
        except ArtgenError as error:
            row["problem"] = str(error)
        rows.append(row)
    if json:
        messages.show_json(rows)
    elif not rows:
        typer.echo(f"no runs in {runs} (try: artgen run RECIPE)")
    width = max((len(row["run"]) for row in rows), default=0)
    for row in rows if not json else ():
        counts = (
            f"{row.get('candidates', 0):5} candidates {row.get('picked', 0):4} picked  {row.get('title', '')}"
        )
        typer.echo(f"{row['run']:{width}} {row.get('problem') or counts}")


def reproduce(
    pieces: Annotated[list[Path], typer.Argument(metavar="PIECE.png...", help="Pictures made by artgen.")],
    folder: Annotated[
        Path | None, typer.Option(help="Where the files are that the recipe names; needed when they moved.")
    ] = None,
    device: Annotated[
        Device | None, typer.Option(help="Where to compute; by default as when it was made.")
    ] = None,
    json: JsonOption = False,
) -> int:
    """Draw pictures again from the metadata in their files, and compare every pixel.

    The exit code is 2 if any differs or cannot be drawn again; the others are reported all the same.
    """
    from dataclasses import asdict

    from artgen.cli.terminal.run_progress import show_run_progress
    from artgen.events import CandidateDone, RunStarted
    from artgen.generation.reproduce import reproduce_picture

    device_name = None if device is None or device is Device.auto else device.value
    results: list[ReproductionResult | ArtgenError] = []
    with show_run_progress() as emit:
        emit(RunStarted("reproduce", "", len(pieces), 0))
        for piece in pieces:
            try:
                reproduced = reproduce_picture(piece, emit, recipe_folder=folder, device=device_name)
            except ArtgenError as error:
                results.append(error)
                continue
            results.append(reproduced)
            emit(CandidateDone(reproduced.candidate, str(piece), 0.0))
    reports: list[dict[str, Any]] = []
    for piece, result in zip(pieces, results, strict=True):
        if isinstance(result, ArtgenError):
            reports.append({"file": str(piece), "problem": str(result)})
            if not json:
                typer.echo(result, err=True)
        else:
            reports.append({"file": str(piece)} | asdict(result))
            if not json:
                typer.echo(f"{piece}: {result.summary()}")
    if json:
        messages.show_json(reports)
    return 0 if all(report.get("identical") for report in reports) else messages.EXIT_FIXABLE
