"""``artgen run``, ``runs`` and ``reproduce``: candidates, and how they were made."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from artgen.cli.arguments.candidate_numbers import MOST, numbers
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, Problems

if TYPE_CHECKING:
    from artgen.generation.reproduce import Reproduction
    from artgen.generation.scheduler import Outcome


class Device(StrEnum):
    """Where networks compute."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"
    mps = "mps"


Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Runs = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Processes; by default one per core, or one on a GPU.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a field, e.g. steps.grow.scale=2; repeatable."),
]


def run(
    recipe: Annotated[Path, typer.Argument(help="The recipe's file.", show_default=False)],
    number: Annotated[
        int | None,
        typer.Option("-n", "--candidates", min=1, max=MOST, help="How many; by default the recipe's."),
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed, for other candidates.")] = None,
    only: Annotated[str | None, typer.Option(help="Just these candidates, e.g. 3,7-9.")] = None,
    device: Annotated[Device, typer.Option(help="Where networks compute.")] = Device.auto,
    set_: Set = None,
    preview: Annotated[bool, typer.Option("--preview", help="Smaller and faster, while tuning.")] = False,
    workers: Workers = None,
    more_like_picks: Annotated[
        bool, typer.Option("--more-like-picks", help="From ranges narrowed towards what was picked before.")
    ] = False,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> int:
    """Draw a recipe's candidates. What is there already is kept: run it again to go on, or for more."""
    from artgen.cli.terminal.narrowed_table import narrowed
    from artgen.cli.terminal.run_progress import shown
    from artgen.generation.coordinator import Wish, run_folder, sample
    from artgen.recipe import load

    wanted = numbers(only, "--only") if only is not None else None
    overrides = [*(set_ or []), *([f"seed={seed}"] if seed is not None else [])]
    more: dict[str, Any] = {}
    if more_like_picks:
        checked, more = narrowed(recipe, overrides, runs, seed, quiet=json)
    else:
        checked = load(recipe, overrides)
    wish = Wish(number, wanted, device.value, preview, workers, runs)
    try:
        with shown() as emit:
            outcome = sample(checked, wish, emit)
    except KeyboardInterrupt:
        folder = run_folder(checked, runs, preview=preview)
        say_stopped(folder)
        return messages.INTERRUPTED
    _report(outcome, json, more)
    if outcome.failed:
        raise Problems(f"{outcome.folder}: some candidates could not be made", failures(outcome))
    return 0


def say_stopped(folder: Path, command: Sequence[str] | None = None) -> None:
    """What an interrupted run has, and the command that goes on with it: by default the same."""
    kept = len(list((folder / "candidates").glob("*.png")))
    again = shlex.join(["artgen", *(command or sys.argv[1:])])
    text = f"stopped: {kept} candidates are kept in {folder}\ngo on with: {again}"
    typer.echo(text, err=True)


def failures(outcome: Outcome) -> list[ArtgenError]:
    """Each reason once, with the candidates that it kept from being made."""
    from artgen.runs.candidate import ranges

    reasons: dict[str, tuple[ArtgenError, list[int]]] = {}
    for index, error in sorted(outcome.failed.items()):
        reasons.setdefault(str(error), (error, []))[1].append(index)
    return [
        ArtgenError(f"candidate {ranges(those)}: {error.where}", error.found, error.right, error.command)
        for error, those in reasons.values()
    ]


def _report(outcome: Outcome, json: bool, more: dict[str, Any]) -> None:
    from artgen.cli.terminal.run_progress import duration

    candidates, name = outcome.candidates, outcome.folder.resolve().name
    if json:
        failed = [{"candidate": index, "problem": str(error)} for index, error in outcome.failed.items()]
        whole = {
            "run": name,
            "folder": str(outcome.folder),
            "made": sorted(outcome.made),
            "failed": failed,
            "seconds": round(outcome.seconds, 3),
            "candidates": [
                {"index": c.index, "seed": c.seed, "file": str(c.file), "width": c.width, "height": c.height}
                | {"caption": c.caption, "draws": c.draws, "picked": c.picked}
                | {"variation_of": c.variation_of}
                for c in candidates
            ],
        }
        messages.show_json(whole | more)
        return
    made = (
        f"{len(outcome.made)} made in {duration(outcome.seconds)}, " if outcome.made else "nothing to make, "
    )
    typer.echo(f"{made}{len(candidates)} candidates in {outcome.folder}")
    if candidates:
        typer.echo(f"Next: artgen curate {name}, then artgen publish {name}")


def runs_(runs: Runs = Path("runs"), json: Json = False) -> None:
    """List the runs, the last one first."""
    from artgen.runs.store import Run, list_runs

    rows: list[dict[str, Any]] = []
    for folder in list_runs(runs):
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
    pieces: Annotated[
        list[Path],
        typer.Argument(metavar="PIECE.png...", help="Pictures made by artgen.", show_default=False),
    ],
    folder: Annotated[
        Path | None, typer.Option(help="Where the files are that the recipe names; needed when they moved.")
    ] = None,
    device: Annotated[
        Device | None,
        typer.Option(help="Where to compute; by default as when it was made.", show_default=False),
    ] = None,
    json: Json = False,
) -> int:
    """Make pictures again from what their files carry, and compare every pixel.

    Exit 2 if any differs or cannot be made again; the others are made and told all the same.
    """
    from dataclasses import asdict

    from artgen.cli.terminal.run_progress import shown
    from artgen.events import CandidateDone, RunStarted
    from artgen.generation.reproduce import reproduce as again

    chosen = None if device is None or device is Device.auto else device.value
    results: list[Reproduction | ArtgenError] = []
    with shown() as emit:
        emit(RunStarted("reproduce", "", len(pieces), 0))
        for piece in pieces:
            try:
                result = again(piece, emit, folder=folder, device=chosen)
            except ArtgenError as error:
                results.append(error)
                continue
            results.append(result)
            emit(CandidateDone(result.candidate, str(piece), 0.0))
    reports: list[dict[str, Any]] = []
    for piece, made in zip(pieces, results, strict=True):
        if isinstance(made, ArtgenError):
            reports.append({"file": str(piece), "problem": str(made)})
            if not json:
                typer.echo(made, err=True)
        else:
            reports.append({"file": str(piece)} | asdict(made))
            if not json:
                typer.echo(f"{piece}: {made.summary()}")
    if json:
        messages.show_json(reports)
    return 0 if all(report.get("identical") for report in reports) else messages.FIXABLE
