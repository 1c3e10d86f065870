"""``artgen preview``: the site on this computer, as a server would give it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError


def preview(
    site: Annotated[Path, typer.Argument(metavar="[DIR]", help="The site's folder.")] = Path("gallery"),
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            help="Publish this run, or folder of pictures, into it first, and again whenever its picks "
            "change; may be given several times.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="The port; 0 takes a free one. By default 8017.", show_default=False
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the site, or only print where it is.")
    ] = True,
    settings: Annotated[
        Path | None, typer.Option(help="The site's gallery.toml, with --run.", show_default=False)
    ] = None,
    templates: Annotated[
        Path | None, typer.Option(help="The folder of your own templates, with --run.", show_default=False)
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Serve the site to this computer's browser, and reload it when it changes. Ctrl-C ends it."""
    publish = [*_publish(run or (), site, runs, settings, templates)]
    code = subprocess.run(publish, stdout=subprocess.DEVNULL).returncode if run else 0
    there = (site / "index.html").is_file()
    if code and not (there and code == messages.EXIT_FIXABLE):
        raise SystemExit(code)  # it has said why
    if not there:
        raise ArtgenError(str(site), "no site here", "publish one first", f"artgen publish --to {site}")
    from artgen.gallery.preview.server import listen, serve
    from artgen.gallery.preview.watcher import Watcher

    def ready(url: str) -> None:
        if json:
            messages.show_json({"url": url, "site": str(site)})
        else:
            typer.echo(f"{url}\n{site}, as visitors will see it. Ctrl-C ends it.")
        sys.stdout.flush()
        if browser and not json:
            threading.Thread(target=_open, args=(url,), daemon=True).start()

    def rebuild() -> subprocess.Popen[bytes]:
        return subprocess.Popen(publish, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    sources = [*_sources(run or (), runs, settings, templates)]
    serve(Watcher(site, sources, rebuild if run else None), site, listen(port), ready)


def _publish(
    run: Sequence[str], site: Path, runs: Path, settings: Path | None, templates: Path | None
) -> Iterator[str]:
    """Return the command that builds the site, in a process of its own that frees its memory."""
    place = site.absolute()  # whatever its name: a site is only looked at, and sent nowhere
    yield from (sys.executable, "-m", "artgen", "publish", f"--to={place}", f"--runs={runs}")
    if settings is not None:
        yield f"--settings={settings}"
    if templates is not None:
        yield f"--templates={templates}"
    yield from ("--", *run)


def _sources(run: Sequence[str], runs: Path, settings: Path | None, templates: Path | None) -> Iterator[Path]:
    """List what the site is made from; of a run not ``run.db``, which reading touches, too."""
    from artgen.gallery.pages.templates import OWN_TEMPLATES_FOLDER
    from artgen.runs.store import find_run_folder

    for reference in run:
        if Path(reference).is_dir() and not (Path(reference) / "recipe.toml").is_file():
            yield Path(reference)
            continue
        folder = find_run_folder(reference, runs)
        yield from (folder / "decisions.jsonl", folder / "candidates", folder / "recipe.toml")
    file = settings or Path("gallery.toml")
    yield from (file, file.parent / "about.md", templates or file.parent / OWN_TEMPLATES_FOLDER)


def _open(url: str) -> None:
    import webbrowser

    if not webbrowser.open(url):
        typer.echo("No browser could be opened: open that address yourself.", err=True)
