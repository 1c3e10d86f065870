"""``artgen vary``: variations of a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.candidate_numbers import parse_candidate_numbers
from artgen.cli.arguments.options import Device, JsonOption, RunsOption, WorkersOption
from artgen.cli.generation.runs import list_failures, print_stopped
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, ValidationErrors, artgen_command

if TYPE_CHECKING:
    from artgen.generation.scheduler import RunResult
    from artgen.runs.store import Run

MAX_NEW_VARIATIONS = 100


def vary(
    run: Annotated[str, typer.Argument(help="A run's name, its beginning, or its folder.")],
    candidates: Annotated[list[str] | None, typer.Argument(help="Numbers, such as 14 or 3 7-9.")] = None,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, max=MAX_NEW_VARIATIONS, help="How many of each candidate.")
    ] = 4,
    queued: Annotated[
        bool, typer.Option("--queued", help="Only draw those that are already requested.")
    ] = False,
    until_closed: Annotated[
        bool, typer.Option("--until-closed", hidden=True, help="End when standard input is closed.")
    ] = False,
    device: Annotated[Device, typer.Option(help="Where networks compute.")] = Device.auto,
    workers: WorkersOption = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> int:
    """Draw candidates again from the same start, with small changes."""
    from artgen.cli.terminal.run_progress import show_run_progress
    from artgen.cli.terminal.stdin_watch import interrupt_when_stdin_closes
    from artgen.generation.coordinator import RunRequest, generate_candidates, request_variations
    from artgen.generation.run_recipe import is_preview_run, load_run_recipe
    from artgen.locks import BusyError
    from artgen.runs.store import Run, find_run_folder

    if queued == bool(candidates):
        expected = "give numbers of candidates, or --queued"
        raise ArtgenError("vary", "nothing to vary, or too much", expected, "artgen vary RUN 14 -n 4")
    candidate_numbers = [] if queued else parse_candidate_numbers(",".join(candidates or []), "vary")
    with Run.open(find_run_folder(run, runs)) as opened:
        opened.check_writable()
        recipe = load_run_recipe(opened)
        requested = request_variations(opened, recipe, candidate_numbers, number)
        request = RunRequest(None, (), device.value, is_preview_run(opened), workers)
        outcome = None
        try:
            if until_closed:
                interrupt_when_stdin_closes()
            with show_run_progress() as emit:
                outcome = generate_candidates(recipe, request, emit, opened)
        except BusyError:
            pass  # the process that holds the run draws them
        except KeyboardInterrupt:
            print_stopped(opened.folder, ["vary", str(opened.folder), "--queued"])
            return messages.EXIT_INTERRUPTED
        _report(opened, requested, outcome, json)
    if outcome is not None and outcome.errors:
        raise ValidationErrors(f"{opened.folder}: some variations could not be made", list_failures(outcome))
    return 0


def _report(run: Run, requested: Sequence[int], outcome: RunResult | None, json: bool) -> None:
    """Print the variations that ``artgen vary`` made, or that another process is going to make."""
    from artgen.cli.terminal.progress import format_duration
    from artgen.runs.candidate import format_number_ranges

    variations = [run.candidate(index) for index in sorted(outcome.generated_numbers)] if outcome else []
    name, queued = run.name, [number for number, _ in run.queued_variations()]
    if json:
        rows: list[dict[str, Any]] = [
            {"index": c.index, "variation_of": c.variation_of, "file": str(c.file), "draws": c.draws}
            for c in variations
        ]
        failed = outcome.errors.items() if outcome else ()
        messages.show_json(
            {
                "run": name,
                "folder": str(run.folder),
                "asked": list(requested),
                "made": rows,
                "queued": queued,
                "failed": [{"candidate": index, "problem": str(error)} for index, error in failed],
            }
        )
    elif outcome is None:
        status = f"requested {format_number_ranges(requested)}" if requested else f"{len(queued)} are queued"
        typer.echo(f"{name}: {status}; the artgen running there makes them")
    elif variations:
        numbers = format_number_ranges(candidate.index for candidate in variations)
        typer.echo(f"{name}: {len(variations)} made in {format_duration(outcome.seconds)}: {numbers}")
        typer.echo(f"Next: {artgen_command('curate', name)}")
    else:
        typer.echo(f"{name}: no variations to make")
