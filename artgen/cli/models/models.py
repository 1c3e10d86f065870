"""``artgen models``: list the models, and show the metadata of a model file."""

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
    help="List the models that ship; show the metadata of a file; measure; import and export; pull weights.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
TRAINED_MODELS_PATTERN = "training-runs/*/*.safetensors"
# The metadata that `show` prints first, in this order; the others follow.
FIRST_METADATA_FIELDS = (
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
    trained = [(file.as_posix(), file) for file in sorted(Path().glob(TRAINED_MODELS_PATTERN))]
    if json:
        rows = [_describe_model(name, file, True) for name, file in shipped]
        trained_rows = (_describe_model(name, file, False) for name, file in trained)
        messages.show_json([*rows, *weights.describe_installed_weights(), *trained_rows])
        return
    for name, file in shipped:
        _print_model(name, file)
    weights.print_installed_weights()
    if trained:
        typer.echo("\ntrained here")
    for name, file in trained:
        _print_model(name, file)


def _describe_model(name: str, file: Path, shipped: bool) -> dict[str, Any]:
    """Return the JSON row of a model in the list: its name, its file and the metadata in it."""
    row = {"name": name, "file": str(file), "shipped": shipped}
    try:
        return row | header.read_metadata(file) | row
    except ArtgenError as error:  # one damaged file must not hide the others
        return row | {"problem": str(error)}


def _print_model(name: str, file: Path) -> None:
    """Print the lines of a model in the list: name, size, description, metrics."""
    try:
        metadata = header.read_metadata(file)
    except ArtgenError as error:
        typer.echo(f"{plain_text.clean_line(name):<16}  {error.problem}")
        return
    head = f"{plain_text.clean_line(name):<16}{file.stat().st_size / 1e6:5.1f} MB  "
    typer.echo(plain_text.wrap_text(head + plain_text.clean_line(metadata.get("description", "")), len(head)))
    metrics = header.parse_field(metadata, "metrics")
    if metrics:
        typer.echo(plain_text.wrap_text(f"  {plain_text.clean_line(plain_text.format_value(metrics))}", 2))


@app.command()
def show(model: ModelArgument, json: JsonOption = False) -> None:
    """Show a model: architecture, size, training data, metrics, and how a recipe uses it."""
    from artgen.models.features import weight_files
    from artgen.models.files import catalog

    if model in weight_files.KNOWN_WEIGHTS:
        weights.show_weights(model, json)
        return
    file = catalog.find_model_file(model, Path())
    metadata, size = header.read_metadata(file), file.stat().st_size
    numbers = header.count_stored_values(file)
    fields = {key: header.parse_field(metadata, key) for key in metadata}
    if json:
        messages.show_json({"file": str(file), "bytes": size, "numbers": numbers, **fields})
        return
    architecture = metadata.get("architecture", "unknown")
    use = catalog.find_use(architecture) or "nothing that this version knows"
    typer.echo(f"file: {file} ({size / 1e6:.1f} MB)")
    typer.echo(
        f"architecture: {plain_text.clean_line(architecture)}, {numbers / 1e6:.2f} M numbers; for {use}"
    )
    others = sorted(fields.keys() - {*FIRST_METADATA_FIELDS, "architecture"})
    for key in [*(key for key in FIRST_METADATA_FIELDS if key in fields), *others]:
        typer.echo(
            f"{plain_text.clean_line(key)}: {plain_text.clean_line(plain_text.format_value(fields[key]))}"
        )
    if catalog.find_use(architecture):
        typer.echo(f"in a recipe:\n\n{catalog.recipe_toml(file)}")


app.command()(measure)
app.command("import")(checkpoints.import_)
app.command()(checkpoints.export)
app.command()(weights.pull)
