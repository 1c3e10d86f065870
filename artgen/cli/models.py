"""``artgen models``: the networks that ship, what a model file says of itself, checkpoints of others."""

from __future__ import annotations

import json as json_format
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from artgen.cli import messages
from artgen.cli.measuring import measure
from artgen.errors import ArtgenError
from artgen.models import header

app = typer.Typer(
    help="List the models that ship; show what a file says; measure; import and export checkpoints.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Model = Annotated[
    str, typer.Argument(metavar="NAME|FILE", help="A shipped model's name, or a .safetensors file.")
]
ENDING, CHECKPOINT = ".safetensors", ".pth"
TRAINED = f"training-runs/*/*{ENDING}"
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
def _models(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_(json)


@app.command("list")
def list_(json: Json = False) -> None:
    """List the models that ship with artgen and those in ./training-runs: what `model = ...` may name."""
    from artgen.models import catalog

    shipped = [(name, catalog.resolve(name, catalog.PRETRAINED)) for name in catalog.names()]
    trained = [(file.as_posix(), file) for file in sorted(Path().glob(TRAINED))]
    if json:
        rows = [_row(name, file, True) for name, file in shipped]
        messages.show_json([*rows, *(_row(name, file, False) for name, file in trained)])
        return
    for name, file in shipped:
        _tell(name, file)
    if trained:
        typer.echo("\ntrained here")
    for name, file in trained:
        _tell(name, file)


def _row(name: str, file: Path, shipped: bool) -> dict[str, Any]:
    own = {"name": name, "file": str(file), "shipped": shipped}
    try:
        return own | header.metadata(file) | own
    except ArtgenError as error:  # one damaged file must not hide the others
        return own | {"problem": str(error)}


def _tell(name: str, file: Path) -> None:
    try:
        said = header.metadata(file)
    except ArtgenError as error:
        typer.echo(f"{_line(name):<16}  {error.found}")
        return
    head = f"{_line(name):<16}{file.stat().st_size / 1e6:5.1f} MB  "
    typer.echo(_wrapped(head + _line(said.get("description", "")), len(head)))
    metrics = header.parsed(said, "metrics")
    if metrics:
        typer.echo(_wrapped(f"  {_line(_words(metrics))}", 2))


def _wrapped(text: str, indent: int) -> str:
    """At 80 columns; what follows the first line begins after ``indent`` of them."""
    beneath = " " * min(indent, 40)
    return textwrap.fill(text, 80, subsequent_indent=beneath, break_long_words=False, break_on_hyphens=False)


@app.command()
def show(model: Model, json: Json = False) -> None:
    """Show what a model is: architecture, size, what it learned from, figures; how a recipe uses it."""
    from artgen.models import catalog

    file = catalog.resolve(model, Path())
    metadata, numbers, size = header.metadata(file), header.numbers(file), file.stat().st_size
    said = {key: header.parsed(metadata, key) for key in metadata}
    if json:
        messages.show_json({"file": str(file), "bytes": size, "numbers": numbers, **said})
        return
    architecture = metadata.get("architecture", "unknown")
    use = catalog.USES.get(architecture, "nothing that this version knows")
    typer.echo(f"file: {file} ({size / 1e6:.1f} MB)")
    typer.echo(f"architecture: {_line(architecture)}, {numbers / 1e6:.2f} M numbers; for {use}")
    rest = sorted(said.keys() - {*FIRST, "architecture"})
    for key in [*(key for key in FIRST if key in said), *rest]:
        typer.echo(f"{_line(key)}: {_line(_words(said[key]))}")
    if architecture in catalog.USES:
        typer.echo(f"in a recipe:\n\n{catalog.lines(file)}")


app.command()(measure)


@app.command("import")
def import_(
    checkpoint: Annotated[Path, typer.Argument(help="Such as latest_net_G.pth.", show_default=False)],
    arch: Annotated[
        str | None,
        typer.Option(help="unet_256, unet_128, resnet_9blocks or resnet_6blocks; by default what is found."),
    ] = None,
    norm: Annotated[str | None, typer.Option(help="batch or instance; by default what is found.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model's file; by default beside the checkpoint."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a model that is beside the checkpoint already.")
    ] = False,
    json: Json = False,
) -> None:
    """Make a model of a generator of junyanz/pytorch-CycleGAN-and-pix2pix; no code in the file is run."""
    file = output or checkpoint.with_suffix(ENDING)
    if file.suffix != ENDING:
        raise ArtgenError(f"--output {file}", "not a model file's name", f"a name that ends in {ENDING}")
    if output is None and file.exists() and not force:
        right = "name another with -o, or write over it with --force"
        raise ArtgenError(str(file), "there is a model of this name already", right)
    import hashlib

    from artgen.models.checkpoint import save_model
    from artgen.models.foreign import read_weights
    from artgen.models.junyanz import UPSTREAM, imported, in_words

    network = imported(str(checkpoint), read_weights(checkpoint), arch=arch, norm=norm)
    what = in_words(network.config)
    origin = {"file": checkpoint.name, "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest()}
    said = {
        "title": file.stem,
        "description": f"{what}, imported from {UPSTREAM}.",
        "origin": json_format.dumps(origin),
    }
    # Not halved: what was imported can be exported again, bit for bit.
    save_model(file, network, said, half=False)
    if json:
        config = network.config.model_dump(mode="json")
        messages.show_json({"model": str(file), "architecture": network.architecture, "config": config})
    else:
        typer.echo(f'{what}\nmodel: {file}\nin a recipe: use = "translate", model = "{file.name}"')


@app.command()
def export(
    model: Model,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The checkpoint, e.g. latest_net_G.pth.", show_default=False),
    ],
    json: Json = False,
) -> None:
    """Write a U-Net or ResNet as junyanz/pytorch-CycleGAN-and-pix2pix reads it."""
    from artgen.models import catalog

    file = catalog.resolve(model, Path())
    if output.suffix != CHECKPOINT:  # the model itself, above all
        found = "the model itself" if output.resolve() == file.resolve() else "not a checkpoint's name"
        raise ArtgenError(f"--output {output}", found, f"a name that ends in {CHECKPOINT}")
    import torch

    from artgen.imaging.files import atomic_file
    from artgen.models.checkpoint import load_model
    from artgen.models.junyanz import exported, options
    from artgen.models.network import Network

    network: Network = load_model(file).network
    weights = exported(str(file), network)
    with atomic_file(output) as written:
        torch.save(weights, written)
    if json:
        messages.show_json({"checkpoint": str(output), "options": options(network.config)})
    else:
        typer.echo(f"checkpoint: {output}\nto be loaded with: {options(network.config)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json_format.dumps(value, ensure_ascii=False)


def _line(text: str, longest: int = 2000) -> str:
    """One line without what could steer a terminal: a file from anywhere may say anything."""
    return "".join(c if c.isprintable() else " " for c in text[:longest])
