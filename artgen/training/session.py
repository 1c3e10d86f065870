"""One training from recipe to model file: data, loop, metrics, card."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor, nn

from artgen.errors import ArtgenError, Problems
from artgen.events import Emit, Note, TrainingStarted
from artgen.training.images import find_images, load_images, split
from artgen.training.loop import checkpoint_step, train
from artgen.training.pairs import validation_pairs
from artgen.training.recipe import UpImageRecipe
from artgen.training.upimage import UpImageTraining

SAMPLES = 5


def load_training_recipe(path: Path) -> UpImageRecipe:
    """Read and check a training recipe.

    Raises:
        Problems: everything that is wrong with it, at once.
        ArtgenError: the file cannot be read.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or "cannot be read", "a training recipe (TOML)") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ArtgenError(str(path), f"not TOML: {error}") from None
    try:
        return UpImageRecipe.model_validate(values)
    except ValidationError as error:
        places = [(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise Problems(str(path), [ArtgenError(f"{path}: {place}", text) for place, text in places]) from None


def run_training(
    recipe: UpImageRecipe,
    *,
    data: Sequence[Path],
    folder: Path,
    device: str,
    emit: Emit,
) -> tuple[UpImageTraining, nn.Module]:
    """Train, or go on training, in ``folder``."""
    training_files, held_out = split(find_images(data))
    images = load_images(training_files, folder, side=recipe.side)
    validation = load_images(held_out, folder, side=recipe.side) if held_out else images
    for problem in images.skipped:
        emit(Note(f"skipped {problem}"))
    identity = hashlib.sha256((recipe.model_dump_json() + images.fingerprint).encode()).hexdigest()
    family = UpImageTraining(recipe, images.pixels, torch.device(device))
    inputs, targets = validation_pairs(validation.pixels, count=SAMPLES, size=32, factor=family.generator.config.scale)
    emit(TrainingStarted(recipe.title, str(folder), checkpoint_step(folder), recipe.steps, len(images.names)))
    network = train(
        family,
        steps=recipe.steps,
        folder=folder,
        identity=identity,
        average=recipe.average,
        checkpoint_every=recipe.checkpoint_every,
        sample_every=recipe.sample_every,
        sample=lambda mean: _grid(mean, family, inputs, targets),
        emit=emit,
    )
    return family, network


@torch.inference_mode()
def _grid(network: nn.Module, family: UpImageTraining, inputs: Tensor, targets: Tensor) -> Tensor:
    """Rows: the thumbnail as pixels, the invention, the truth."""
    noise = [
        torch.randn(len(inputs), c, inputs.shape[-2] * k, inputs.shape[-1] * k, generator=torch.Generator().manual_seed(1))
        for c, k in family.generator.noise_layers()
    ]
    made = network(inputs.to(family.device), [n.to(family.device) for n in noise]).clamp(0, 1).cpu()
    pixels = F.interpolate(inputs, size=targets.shape[-2:], mode="nearest")
    rows = [torch.cat(list(row), 2) for row in (pixels, made, targets)]
    return torch.cat(rows, 1)
