"""``artgen train`` and ``artgen models``: networks and where they come from."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated

import typer

from artgen.cli import messages
from artgen.errors import ArtgenError

Json = Annotated[bool, typer.Option("--json", help="Report as one JSON document.")]


def train(
    recipe: Annotated[Path, typer.Argument(help="A training recipe.", show_default=False)],
    data: Annotated[
        list[Path] | None, typer.Option("--data", help="A folder of images; repeatable.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where checkpoints, samples and the model go; by default training-runs/NAME."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; by default all.")] = None,
    json: Json = False,
) -> None:
    """Train a model, or go on where it stopped; Ctrl-C writes a checkpoint first."""
    from artgen.cli.learning import learning
    from artgen.training.session import load_training_recipe, run_training

    checked = load_training_recipe(recipe)
    if not data:
        raise ArtgenError("--data", "no folder of images", "name one or more folders: --data paintings/")
    import torch

    from artgen.imaging.devices import find_device

    if threads is not None:
        torch.set_num_threads(threads)
    place = folder or Path("training-runs") / recipe.stem
    try:
        with learning() as emit:
            model = run_training(checked, data=data, folder=place, device=find_device(device), emit=emit)
    except KeyboardInterrupt:
        typer.echo(f"stopped; everything learned is in {place}: run the same command to go on", err=True)
        raise
    if json:
        messages.show_json({"model": str(model), "card": str(model.with_suffix(".md"))})
    else:
        typer.echo(f"model: {model}\ncard: {model.with_suffix('.md')}")


def models(json: Json = False) -> None:
    """List the models that ship with artgen: what `model = ...` may name."""
    from artgen.models import catalog

    entries = [catalog.entry(name) for name in catalog.names()]
    if json:
        messages.show_json([{"name": e.name, "file": str(e.file), **e.metadata} for e in entries])
        return
    for entry in entries:
        typer.echo(
            f"{entry.name:<16}{entry.file.stat().st_size / 1e6:5.1f} MB  {entry.metadata['description']}"
        )
        metrics = json_format.loads(entry.metadata.get("metrics", "{}"))
        typer.echo("  " + ", ".join(f"{name} {value:g}" for name, value in metrics.items()))
