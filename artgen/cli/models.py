"""``artgen models``: the networks that ship, what a model file says of itself, checkpoints of others."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated, Any

import typer

from artgen.cli import messages
from artgen.errors import ArtgenError

app = typer.Typer(
    help="Models: those that ship, what a file says of itself, checkpoints of pix2pix and CycleGAN.",
    invoke_without_command=True,
    rich_markup_mode=None,
)
Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]
Name = Annotated[str, typer.Argument(help="A shipped model's name, or a .safetensors file.")]


@app.callback()
def _models(context: typer.Context, json: Json = False) -> None:
    if context.invoked_subcommand is None:
        list_(json)


@app.command("list")
def list_(json: Json = False) -> None:
    """List the models that ship with artgen: what `model = ...` may name."""
    from artgen.models import catalog

    entries = [catalog.entry(name) for name in catalog.names()]
    if json:
        messages.show_json([{"name": e.name, "file": str(e.file), **e.metadata} for e in entries])
        return
    for entry in entries:
        size = entry.file.stat().st_size / 1e6
        typer.echo(f"{entry.name:<16}{size:5.1f} MB  {entry.metadata['description']}")
        metrics = _parsed(entry.metadata.get("metrics", "{}"))
        typer.echo("  " + ", ".join(f"{name} {value:g}" for name, value in metrics.items()))


@app.command()
def show(name: Name, json: Json = False) -> None:
    """Show what a model is: architecture, training, what it learned from, figures."""
    from artgen.models import catalog, header

    file = catalog.resolve(name, Path())
    said = {key: _parsed(value) for key, value in header.metadata(file).items()}
    if json:
        messages.show_json({"file": str(file), "bytes": file.stat().st_size, **said})
        return
    typer.echo(f"file: {file} ({file.stat().st_size / 1e6:.1f} MB)")
    first = (
        "title",
        "description",
        "architecture",
        "config",
        "family",
        "inputs",
        "styles",
        "data",
        "metrics",
    )
    for key in [*(key for key in first if key in said), *sorted(said.keys() - set(first))]:
        typer.echo(f"{key}: {_shown(said[key])}")


@app.command("import")
def import_(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint such as latest_net_G.pth.")],
    arch: Annotated[
        str | None,
        typer.Option(help="unet_256, unet_128, resnet_9blocks or resnet_6blocks; found out by default."),
    ] = None,
    norm: Annotated[str | None, typer.Option(help="batch or instance; found out by default.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The model's file; by default beside the checkpoint."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a model file out of a generator of junyanz/pytorch-CycleGAN-and-pix2pix."""
    file = output or checkpoint.with_suffix(".safetensors")
    if file.suffix != ".safetensors":
        raise ArtgenError(f"--output {file}", "not a model file's name", "a name ending in .safetensors")
    from artgen.models.checkpoint import save_model
    from artgen.models.foreign import read_weights
    from artgen.models.junyanz import imported, in_words

    network = imported(str(checkpoint), read_weights(checkpoint), arch=arch, norm=norm)
    said = {"title": file.stem, "description": f"Imported from {checkpoint.name}."}
    save_model(file, network, said, half=False)
    if json:
        config = network.config.model_dump(mode="json")
        messages.show_json({"model": str(file), "architecture": network.architecture, "config": config})
    else:
        typer.echo(f"model: {file}\n{in_words(network.config)}")


@app.command()
def export(
    name: Name,
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="The checkpoint, e.g. latest_net_G.pth.", show_default=False),
    ],
    json: Json = False,
) -> None:
    """Write a U-Net or ResNet as junyanz/pytorch-CycleGAN-and-pix2pix reads it."""
    from artgen.models import catalog

    file = catalog.resolve(name, Path())
    import torch

    from artgen.imaging.files import atomic_file
    from artgen.models.checkpoint import load_model
    from artgen.models.junyanz import exported

    state = exported(str(file), load_model(file).network)
    with atomic_file(output) as out:
        torch.save(state, out)
    if json:
        messages.show_json({"checkpoint": str(output)})
    else:
        typer.echo(f"checkpoint: {output}")


def _parsed(text: str) -> Any:
    """JSON where it is some: what a file says of itself is a string, whatever it holds."""
    try:
        return json_format.loads(text)
    except (ValueError, RecursionError):
        return text


def _shown(value: Any) -> str:
    """A value on a line of its own, without what could steer a terminal."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    text = value if isinstance(value, str) else json_format.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else " " for c in text[:2000])
