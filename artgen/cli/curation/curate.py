"""``artgen curate``: the contact sheet in the browser, or in one file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from artgen.cli.arguments.options import JsonOption, RunArgument, RunsOption
from artgen.cli.terminal import messages
from artgen.errors import artgen_command

if TYPE_CHECKING:
    from artgen.runs.store import Run


def curate(
    run: RunArgument = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port; 0 takes any, by default a run has its own."),
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
            _write_sheet(opened, static, json)
            return
        opened.check_writable()
    from artgen.cli.terminal.browser import open_browser
    from artgen.curation.server.app import listen_on_run_port, serve
    from artgen.serving import listen

    def ready(url: str) -> None:
        if json:
            messages.show_json_line({"run": name, "url": url, "candidates": count, "picked": picked})
        else:
            typer.echo(f"{url}\n{name}: {count} candidates, {picked} kept. Ctrl-C ends it.")
        if browser and not json:
            open_browser(url)

    listener = listen(port) if port is not None else listen_on_run_port(folder)
    serve(folder, listener, lambda output: _start_vary(folder, output), ready)
    if not json:
        with Run.open(folder) as opened:
            picked = len(opened.picks())
        typer.echo(
            f"{picked} kept. Next: {artgen_command('publish', name)}" if picked else "nothing kept yet"
        )


def _write_sheet(run: Run, file: Path, json: bool) -> None:
    """Write the contact sheet of a run as one HTML file, and print what it holds."""
    from artgen.curation.export.static import write_static_sheet

    sheet = write_static_sheet(run, file)
    count, omitted = sheet.shown_count, sheet.left_out_count
    omissions = f", {omitted} out of play left out" if omitted else ""
    limits = "" if sheet.has_previews else ", thumbnails only"
    report = {"run": run.name, "file": str(file), "candidates": count, "left_out": omitted}
    messages.show_result(report, f"{file}: {count} candidates{omissions}{limits}", json=json)


def _start_vary(folder: Path, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start ``artgen vary`` on the queued variations of a run; its pipe closes when this process ends."""
    from artgen.subprocesses import start_python

    command = ("vary", str(folder.resolve()), "--queued", "--until-closed")
    return start_python("artgen.cli", *command, stdin=subprocess.PIPE, stdout=output, stderr=output)
