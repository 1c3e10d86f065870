"""``artgen preview``: the site on this computer, as a server would give it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption, RunsOption
from artgen.cli.terminal import messages
from artgen.errors import ArtgenError, artgen_command


def preview(
    site: Annotated[Path, typer.Argument(metavar="[DIR]", help="The site's folder.")] = Path("gallery"),
    run: Annotated[
        list[str] | None,
        typer.Option(
            "--run",
            help="Publish this run, or folder of pictures, into it first, and again whenever its picks "
            "change; may be given several times.",
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one. By default 8017.")
    ] = None,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the site, or only print where it is.")
    ] = True,
    settings: Annotated[Path | None, typer.Option(help="The site's gallery.toml, with --run.")] = None,
    templates: Annotated[
        Path | None, typer.Option(help="The folder of your own templates, with --run.")
    ] = None,
    runs: RunsOption = Path("runs"),
    json: JsonOption = False,
) -> None:
    """Serve the site to this computer's browser, and reload it when it changes. Ctrl-C ends it."""
    command = _publish_command(run or (), site, runs, settings, templates)
    code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode if run else 0
    has_site = (site / "index.html").is_file()
    if code and not (has_site and code == messages.EXIT_FIXABLE):
        raise SystemExit(code)  # it has printed the reason
    if not has_site:
        raise ArtgenError(
            str(site), "no site here", "publish one first", artgen_command("publish", "--to", site)
        )
    from artgen.cli.terminal.browser import open_browser
    from artgen.gallery.preview.server import listen, serve
    from artgen.gallery.preview.watcher import Watcher

    def ready(url: str) -> None:
        if json:
            messages.show_json({"url": url, "site": str(site)})
        else:
            typer.echo(f"{url}\n{site}, as visitors will see it. Ctrl-C ends it.")
        sys.stdout.flush()
        if browser and not json:
            open_browser(url)

    def rebuild() -> subprocess.Popen[bytes]:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    sources = [*_watched_paths(run or (), runs, settings, templates)]
    serve(Watcher(site, sources, rebuild if run else None), site, listen(port), ready)


def _publish_command(
    run: Sequence[str], site: Path, runs: Path, settings: Path | None, templates: Path | None
) -> list[str]:
    """Return the ``artgen publish`` command that builds the site: a separate process frees its memory."""
    # Absolute, or a folder arguments like a remote target would be sent.
    options = {"to": site.absolute(), "runs": runs, "settings": settings, "templates": templates}
    arguments = [f"--{name}={value}" for name, value in options.items() if value is not None]
    return [sys.executable, "-m", "artgen", "publish", *arguments, "--", *run]


def _watched_paths(
    run: Sequence[str], runs: Path, settings: Path | None, templates: Path | None
) -> Iterator[Path]:
    """List the paths that a site is made from; not ``run.db``, which changes when it is read."""
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
