"""One training from recipe to model file: data, loop, metrics, card."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from artgen.errors import ArtgenError, Problems
from artgen.events import Emit, Note, TrainingFinished, TrainingStarted
from artgen.imaging.files import atomic_write, write_png
from artgen.models.checkpoint import parameters, save_model
from artgen.models.upimage import UpImager
from artgen.recipe.document import read
from artgen.recipe.problems import checked
from artgen.training.card import Record, card, metadata
from artgen.training.evaluation import evaluate, imagine
from artgen.training.images import find_images, load_images, split
from artgen.training.loop import checkpoint_step, train
from artgen.training.pairs import validation_pairs
from artgen.training.recipe import UpImageRecipe
from artgen.training.upimage import UpImageTraining

SAMPLES = 5


def load_training_recipe(path: Path) -> UpImageRecipe:
    """Read and check a training recipe.

    Raises:
        Problems: everything that is wrong with it, at once, each with its line.
        ArtgenError: the file cannot be read.
    """
    document = read(path)
    recipe, problems = checked(UpImageRecipe, document.table, document, ())
    if recipe is None:
        raise Problems(str(path), problems)
    return recipe


def run_training(
    recipe: UpImageRecipe,
    *,
    data: Sequence[Path],
    folder: Path,
    device: str,
    emit: Emit,
) -> Path:
    """Train, or go on training, in ``folder``; returns the model file, with its card beside it.

    Raises:
        ArtgenError: no images; a checkpoint of another recipe or of other images; a loss that is not finite.
    """
    torch.set_flush_denormal(True)  # before the first operation starts other threads
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArtgenError(
            f"--folder {folder}", error.strerror or str(error), "a folder to write in"
        ) from None
    files = find_images(data)
    training_files, held_out = split(files)
    emit(Note(f"reading {len(files):,} images, at most {recipe.side} px"))
    images = load_images(training_files, folder, side=recipe.side)
    validation = load_images(held_out, folder, side=recipe.side) if held_out else images
    for problem in (*images.skipped, *validation.skipped):
        emit(Note(f"skipped {problem}"))
    identity = hashlib.sha256((recipe.identity() + images.fingerprint).encode()).hexdigest()
    family = UpImageTraining(recipe, images.pixels, torch.device(device))
    scale = family.generator.config.scale
    inputs, targets = validation_pairs(validation.pixels, count=SAMPLES, size=32, factor=scale)

    def sample(mean: nn.Module) -> Tensor:
        assert isinstance(mean, UpImager)
        return _grid(inputs, imagine(mean, inputs, seed=1, device=device), targets)

    emit(TrainingStarted(recipe.title, str(folder), checkpoint_step(folder), recipe.steps, len(images.names)))
    network, seconds = train(
        family,
        steps=recipe.steps,
        folder=folder,
        identity=identity,
        average=recipe.average,
        checkpoint_every=recipe.checkpoint_every,
        sample_every=recipe.sample_every,
        sample=sample,
        emit=emit,
    )
    assert isinstance(network, UpImager)
    record = Record(
        recipe=recipe,
        parameters=parameters(network),
        images=len(images.names),
        sources=Counter(file.parent.name for file in files),
        held_out=bool(held_out),
        fingerprint=images.fingerprint,
        figures=evaluate(network, validation.pixels, device),
        seconds=seconds,
        device=device,
    )
    model = folder / f"{recipe.title}.safetensors"
    save_model(model, network, metadata(record))
    write_png(model.with_suffix(".png"), sample(network), {})
    atomic_write(model.with_suffix(".md"), card(record).encode())
    emit(TrainingFinished(str(model), str(model.with_suffix(".md")), seconds))
    return model


def _grid(inputs: Tensor, made: Tensor, real: Tensor) -> Tensor:
    """Rows: the thumbnails as pixels, the inventions, the truth; ``(3, H, W)``."""
    pixels = F.interpolate(inputs, size=real.shape[-2:], mode="nearest")
    return torch.cat([torch.cat(list(row), 2) for row in (pixels, made, real)], 1)
