"""The ``artgen`` command. Each command group has its own module; heavy work is imported when called."""

from __future__ import annotations

from typing import Annotated, NoReturn

import typer

from artgen import __version__
from artgen.cli import messages

app = typer.Typer(
    name="artgen",
    help="Draw many candidates with trained models, pick the few, publish them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"artgen {__version__}")
        raise typer.Exit


@app.callback()
def _artgen(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def main() -> NoReturn:
    """Entry point of the ``artgen`` script."""
    messages.guarded(lambda: app())
