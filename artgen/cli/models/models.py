"""``artgen models``: the networks that ship, and what a model file says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from artgen.cli.arguments.options import JsonOption, ModelArgument
from artgen.cli.models import checkpoints, weights
from artgen.cli.models.measure import measure
from artgen.cli.terminal import messages, plain_text
from artgen.errors import ArtgenError
from artgen.models.files import header

app = typer.Typer(
    help="List the models that ship; show what a file says; measure; import and export; pull weights.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
TRAINED = "training-runs/*/*.safetensors"
# What `show` says first, in this order; what else a file says comes after.
FIRST = (
    "title",
    "description",
    "family",
    "config",
    "inputs",
    "styles",
    "metrics",
    "metrics_shipped",
    "data",
    "origin",
)


@app.callback()
def _models(context: typer.Context, json: JsonOption = False) -> None:
    if context.invoked_subcommand is None:
        list_(json)


@app.command("list")
def list_(json: JsonOption = False) -> None:
    """List the models that ship with artgen and those in ./training-runs: what `model = ...` may name."""
    from artgen.models.files import catalog

    shipped = [
        (name, catalog.find_model_file(name, catalog.PRETRAINED_FOLDER))
        for name in catalog.shipped_model_names()
    ]
    trained = [(file.as_posix(), file) for file in sorted(Path().glob(TRAINED))]
    if json:
        rows = [_row(name, file, True) for name, file in shipped]
        trained_rows = (_row(name, file, False) for name, file in trained)
        messages.show_json([*rows, *weights.rows(), *trained_rows])
        return
    for name, file in shipped:
        _tell(name, file)
    weights.tell()
    if trained:
        typer.echo("\ntrained here")
    for name, file in trained:
        _tell(name, file)


def _row(name: str, file: Path, shipped: bool) -> dict[str, Any]:
    own = {"name": name, "file": str(file), "shipped": shipped}
    try:
        return own | header.read_metadata(file) | own
    except ArtgenError as error:  # one damaged file must not hide the others
        return own | {"problem": str(error)}


def _tell(name: str, file: Path) -> None:
    try:
        said = header.read_metadata(file)
    except ArtgenError as error:
        typer.echo(f"{plain_text.clean_line(name):<16}  {error.problem}")
        return
    head = f"{plain_text.clean_line(name):<16}{file.stat().st_size / 1e6:5.1f} MB  "
    typer.echo(plain_text.wrap_text(head + plain_text.clean_line(said.get("description", "")), len(head)))
    metrics = header.parse_field(said, "metrics")
    if metrics:
        typer.echo(plain_text.wrap_text(f"  {plain_text.clean_line(plain_text.format_value(metrics))}", 2))


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """Show what a model is: architecture, size, what it learned from, figures; how a recipe uses it."""
    from artgen.models.features import weight_files
    from artgen.models.files import catalog

    if model in weight_files.KNOWN_WEIGHTS:
        weights.show(model, json)
        return
    file = catalog.find_model_file(model, Path())
    metadata, numbers, size = (
        header.read_metadata(file),
        header.count_stored_values(file),
        file.stat().st_size,
    )
    said = {key: header.parse_field(metadata, key) for key in metadata}
    if json:
        messages.show_json({"file": str(file), "bytes": size, "numbers": numbers, **said})
        return
    architecture = metadata.get("architecture", "unknown")
    use = catalog.find_use(architecture) or "nothing that this version knows"
    typer.echo(f"file: {file} ({size / 1e6:.1f} MB)")
    typer.echo(
        f"architecture: {plain_text.clean_line(architecture)}, {numbers / 1e6:.2f} M numbers; for {use}"
    )
    rest = sorted(said.keys() - {*FIRST, "architecture"})
    for key in [*(key for key in FIRST if key in said), *rest]:
        typer.echo(
            f"{plain_text.clean_line(key)}: {plain_text.clean_line(plain_text.format_value(said[key]))}"
        )
    if catalog.find_use(architecture):
        typer.echo(f"in a recipe:\n\n{catalog.recipe_toml(file)}")


app.command()(measure)
app.command("import")(checkpoints.import_)
app.command()(checkpoints.export)
app.command()(weights.pull)
