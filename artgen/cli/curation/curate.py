"""``artgen curate``: the contact sheet in the browser, or in one file."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages

if TYPE_CHECKING:
    from artgen.runs.store import Run


def curate(
    run: Annotated[
        str | None, typer.Argument(help="A run's name, its beginning, or its folder; by default the last.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="The port; 0 takes any, by default a run has its own.", show_default=False
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the sheet, or only print where it is.")
    ] = True,
    static: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one HTML file to mail instead; picks come back as JSON."),
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Pick candidates on a contact sheet, with the keyboard. Ctrl-C ends it; every decision is saved."""
    from artgen.runs.store import Run, find_run_folder

    folder = find_run_folder(run, runs)
    with Run.open(folder) as opened:
        name, count, picked = opened.name, len(opened.rows_with_decisions()), len(opened.picks())
        if static is not None:
            _write(opened, static, json)
            return
    from artgen.curation.server.app import listen_on_run_port, serve
    from artgen.serving import listen

    def ready(url: str) -> None:
        if json:
            messages.show_json_line({"run": name, "url": url, "candidates": count, "picked": picked})
        else:
            typer.echo(f"{url}\n{name}: {count} candidates, {picked} kept. Ctrl-C ends it.")
        sys.stdout.flush()
        if browser and not json:
            threading.Thread(target=_open, args=(url,), daemon=True).start()

    listener = listen(port) if port is not None else listen_on_run_port(folder)
    serve(folder, listener, lambda output: _vary(folder, output), ready)
    if not json:
        with Run.open(folder) as opened:
            kept = len(opened.picks())
        typer.echo(f"{kept} kept. Next: artgen publish {name}" if kept else "nothing kept yet")


def _write(run: Run, file: Path, json: bool) -> None:
    from artgen.curation.export.static import write_static_sheet

    written = write_static_sheet(run, file)
    if json:
        messages.show_json(
            {
                "run": run.name,
                "file": str(file),
                "candidates": written.shown_count,
                "left_out": written.left_out_count,
            }
        )
        return
    less = "" if written.has_previews else ", thumbnails only"
    left = f", {written.left_out_count} out of play left out" if written.left_out_count else ""
    typer.echo(f"{file}: {written.shown_count} candidates{left}{less}")


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        typer.echo("No browser could be opened: open that address yourself.", err=True)


def _vary(folder: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
    from artgen.subprocesses import start_python

    command = ("vary", str(folder.resolve()), "--queued", "--until-closed")
    return start_python("artgen.cli", *command, stdin=subprocess.PIPE, stdout=output, stderr=output)
