"""``artgen vary``: variations of a candidate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.candidate_numbers import numbers
from artgen.cli.generation.runs import Device, Json, Runs, Workers, failures, say_stopped
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, Problems

if TYPE_CHECKING:
    from artgen.generation.scheduler import Outcome
    from artgen.runs.store import Run

MOST = 100


def vary(
    run: Annotated[
        str, typer.Argument(help="A run's name, its beginning, or its folder.", show_default=False)
    ],
    candidates: Annotated[
        list[str] | None, typer.Argument(help="Numbers, such as 14 or 3 7-9.", show_default=False)
    ] = None,
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, max=MOST, help="How many of each candidate.")
    ] = 4,
    queued: Annotated[
        bool, typer.Option("--queued", help="Only make those that are asked for already.")
    ] = False,
    until_closed: Annotated[
        bool, typer.Option("--until-closed", hidden=True, help="End when standard input is closed.")
    ] = False,
    device: Annotated[Device, typer.Option(help="Where networks compute.")] = Device.auto,
    workers: Workers = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> int:
    """Draw candidates again from the same start, with small changes."""
    from artgen.cli.terminal.run_progress import shown
    from artgen.cli.terminal.stdin_watch import end_when_closed
    from artgen.generation.coordinator import Wish, sample
    from artgen.generation.existing import ask
    from artgen.generation.run_recipe import is_preview, recipe_of
    from artgen.locks import BusyError
    from artgen.runs.store import Run, find_run

    if queued == bool(candidates):
        right = "give numbers of candidates, or --queued"
        raise ArtgenError("vary", "nothing to vary, or too much", right, "artgen vary RUN 14 -n 4")
    wanted = [] if queued else numbers(",".join(candidates or []), "vary")
    with Run.open(find_run(run, runs)) as opened:
        recipe = recipe_of(opened)
        asked = ask(opened, recipe, wanted, number)
        wish = Wish(None, (), device.value, is_preview(opened), workers)
        outcome = None
        try:
            if until_closed:
                end_when_closed()
            with shown() as emit:
                outcome = sample(recipe, wish, emit, opened)
        except BusyError:
            pass  # whoever is at work there makes them, too
        except KeyboardInterrupt:
            say_stopped(opened.folder, ["vary", str(opened.folder), "--queued"])
            return messages.INTERRUPTED
        _report(opened, asked, outcome, json)
    if outcome is not None and outcome.failed:
        raise Problems(f"{opened.folder}: some variations could not be made", failures(outcome))
    return 0


def _report(run: Run, asked: Sequence[int], outcome: Outcome | None, json: bool) -> None:
    from artgen.cli.terminal.run_progress import duration
    from artgen.runs.candidate import ranges

    made = [run.candidate(index) for index in sorted(outcome.made)] if outcome else []
    name, waiting = run.name, [number for number, _ in run.queued()]
    if json:
        rows: list[dict[str, Any]] = [
            {"index": c.index, "variation_of": c.variation_of, "file": str(c.file), "draws": c.draws}
            for c in made
        ]
        failed = outcome.failed.items() if outcome else ()
        messages.show_json(
            {
                "run": name,
                "folder": str(run.folder),
                "asked": list(asked),
                "made": rows,
                "queued": waiting,
                "failed": [{"candidate": index, "problem": str(error)} for index, error in failed],
            }
        )
    elif outcome is None:
        what = f"asked for {ranges(asked)}" if asked else f"{len(waiting)} wait to be made"
        typer.echo(f"{name}: {what}; the artgen that is at work there makes them")
    elif made:
        numbers_ = ranges(candidate.index for candidate in made)
        typer.echo(f"{name}: {len(made)} made in {duration(outcome.seconds)}: {numbers_}")
        typer.echo(f"Next: artgen curate {name}")
    else:
        typer.echo(f"{name}: no variations to make")
