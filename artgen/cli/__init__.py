"""The ``artgen`` command. Each command group has its own module; heavy work is imported when called."""

from __future__ import annotations

import os
from typing import Annotated, NoReturn

import typer

from artgen.cli.curation import curate, picks
from artgen.cli.gallery import preview, publish
from artgen.cli.generation import film, recipes, runs, style, vary
from artgen.cli.models import models
from artgen.cli.terminal import messages
from artgen.cli.training import data, train
from artgen.version import __version__

# artgen uses no plug-ins of pydantic and no further devices of torch. The search for them reads the entry
# points of every installed package, and fails where those of one cannot be read.
UNUSED_PLUGINS = {"PYDANTIC_DISABLE_PLUGINS": "__all__", "TORCH_DEVICE_BACKEND_AUTOLOAD": "0"}

app = typer.Typer(
    name="artgen",
    help="Draw many candidates with trained models, pick the few, publish them.",
    invoke_without_command=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"artgen {__version__}")
        raise typer.Exit


@app.callback()
def _artgen(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


# The order in which a newcomer needs them; `artgen --help` keeps it.
for _command in (
    recipes.new,
    recipes.check,
    recipes.steps,
    recipes.schema,
    runs.run,
    runs.runs_,
    curate.curate,
    vary.vary,
    picks.pick,
    film.film,
    style.style,
    publish.publish,
    preview.preview,
    runs.reproduce,
    train.train,
):
    app.command(_command.__name__.rstrip("_"))(_command)

app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")


def main() -> NoReturn:
    """Run the ``artgen`` command line: the entry point of its script."""
    for variable, value in UNUSED_PLUGINS.items():
        os.environ.setdefault(variable, value)
    messages.run_command(lambda: app(prog_name="artgen", standalone_mode=False))
