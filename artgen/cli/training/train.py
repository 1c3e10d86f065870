"""``artgen train``: train the networks of a training recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artgen.cli.arguments.options import JsonOption
from artgen.cli.terminal import messages


def train(
    recipe: Annotated[Path, typer.Argument(help="A training recipe.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="What to learn, in place of the recipe's `data`: a folder of images; repeatable."),
    ] = None,
    inputs: Annotated[
        list[str] | None, typer.Option(help="The other folder, in place of the recipe's `inputs`.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where checkpoints, samples and the model go; by default training-runs/NAME."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; by default all.")] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Resume from a checkpoint of another recipe, or of other images.")
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compile", help="Let torch compile the networks: pays on a GPU, after minutes.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Losses and samples for TensorBoard too.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train a model, or resume a training; Ctrl-C writes a checkpoint first."""
    from artgen.api import models
    from artgen.cli.terminal.training_progress import show_training_progress
    from artgen.events import emit_to_both
    from artgen.training.recipes.load import load_training_recipe

    load_training_recipe(recipe)  # before torch is imported: a mistake is reported at once
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    training_folder = folder or models.default_training_folder(recipe)
    try:
        with show_training_progress() as emit:
            if tensorboard:
                from artgen.training.engine.tensorboard import TensorBoardLogger

                emit = emit_to_both(emit, TensorBoardLogger(training_folder / "tensorboard"))
            files = models.train(
                recipe,
                data=data or (),
                inputs=inputs or (),
                folder=training_folder,
                device=device,
                adopt=adopt,
                compile_networks=compiled,
                emit=emit,
            )
    except KeyboardInterrupt:
        if training_folder.is_dir():
            learned = f"everything learned is in {training_folder}"
            typer.echo(f"stopped; {learned}: run the same command to resume", err=True)
        raise
    cards = [file.with_suffix(".md") for file in files]
    if json and files:
        messages.show_json({"models": [str(file) for file in files], "cards": [str(card) for card in cards]})
    else:
        from artgen.models.files import catalog

        for file, card in zip(files, cards, strict=True):
            typer.echo(f"model: {file}\ncard: {card}\nin a recipe:\n\n{catalog.recipe_toml(file)}\n")
