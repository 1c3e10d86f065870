"""``artgen curate``: the contact sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli import messages

Runs = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]
Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]


def curate(
    run: Annotated[
        str | None, typer.Argument(help="A run's name, its beginning, or its folder; by default the last.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the sheet, or only print where it is.")
    ] = True,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Open a run's contact sheet, to pick candidates with the keyboard."""
    from artgen.curation.sheet import write_sheet
    from artgen.runs.store import Run, find_run

    with Run.open(find_run(run, runs)) as opened:
        sheet = write_sheet(opened)
        count, picked = len(opened.candidates()), len(opened.picks())
        name = opened.name
    if json:
        messages.show_json({"run": name, "sheet": str(sheet), "candidates": count, "picked": picked})
    else:
        typer.echo(str(sheet))
    if browser and not json:
        import webbrowser

        if not webbrowser.open(sheet.resolve().as_uri()):
            typer.echo("No browser could be opened: open that file yourself.", err=True)
