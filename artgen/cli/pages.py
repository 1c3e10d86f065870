"""``artgen publish``: the site."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli import messages
from artgen.events import Event, Note, ignore

Runs = Annotated[Path, typer.Option("--runs", help="The folder that holds the runs.")]
Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]


def publish(
    run: Annotated[
        list[str] | None,
        typer.Argument(help="One or more runs; by default the last.", show_default=False),
    ] = None,
    to: Annotated[Path, typer.Option("--to", help="The site's folder.")] = Path("gallery"),
    everything: Annotated[
        bool, typer.Option("--all", help="Publish every candidate, not only the picks.")
    ] = False,
    originals: Annotated[
        bool, typer.Option(help="Let visitors download the pictures as they were made.")
    ] = True,
    force: Annotated[
        bool, typer.Option("--force", help="Publish into a folder that artgen did not make; its files stay.")
    ] = False,
    title: Annotated[str | None, typer.Option(help="The site's title; by default the recipe's.")] = None,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Make a static site of the picks: a page for each piece, with how it was made."""
    from artgen.gallery.builder import publish as build
    from artgen.runs.store import Run, find_run

    named: list[str | None] = [*run] if run else [None]
    folders = dict.fromkeys(find_run(reference, runs).resolve() for reference in named)
    with ExitStack() as stack:
        open_runs = [stack.enter_context(Run.open(folder)) for folder in folders]
        summary = build(
            open_runs,
            to,
            ignore if json else _tell,
            everything=everything,
            originals=originals,
            force=force,
            title=title,
        )
    if json:
        pages = [str(page) for page in summary.pieces]
        messages.show_json({"index": str(summary.index), "pieces": pages, "series": summary.series})
    else:
        typer.echo(str(summary.index))


def _tell(event: Event) -> None:
    if isinstance(event, Note):
        typer.echo(event.message, err=True)
