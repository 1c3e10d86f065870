"""A whole training from a recipe to model files: dataset, loop, metrics and cards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from artgen.errors import ArtgenError
from artgen.events import Emit, Note, TrainingFinished, TrainingStarted, ignore_event
from artgen.imaging.io.files import atomic_write, write_preview
from artgen.locks import lock_folder
from artgen.models.architectures.network import Network
from artgen.models.files.checkpoint import save_model
from artgen.training.engine.checkpoints import Checkpoints, TrainingProgress
from artgen.training.engine.family import ModelFamily, TrainingContext
from artgen.training.engine.fingerprint import TrainingIdentity
from artgen.training.engine.init_from import (
    StartModel,
    blend_start_weights,
    find_start_model,
    load_start_weights,
)
from artgen.training.engine.loop import train
from artgen.training.engine.movie import write_progress_video
from artgen.training.engine.runtime import create_accelerator
from artgen.training.evaluation.model_card import TrainingRecord, build_metadata, render_card
from artgen.training.families import build_family
from artgen.training.job import TrainingJob as TrainingJob
from artgen.training.job import load_job_dataset
from artgen.training.material.material import TrainingDataset

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_CARD_PREVIEW_SIDE_PX = 2048  # longer side of the card's preview image


@dataclass(frozen=True)
class PreparedTraining:
    """Dataset, networks and checkpoints: everything that the training loop needs.

    Attributes:
        family: networks and losses.
        dataset: decoded images.
        identity: identity of the training; a checkpoint of another one is refused.
        accelerator: device, processes, precision.
        start_model: the model that the training starts from, if any.
    """

    family: ModelFamily
    dataset: TrainingDataset
    identity: TrainingIdentity
    accelerator: Accelerator
    start_model: StartModel | None


def run_training(job: TrainingJob, emit: Emit) -> list[Path]:
    """Start or resume a training, and write the model files with a card next to each.

    Of several processes, only the first writes and reports.

    Args:
        job: the recipe and where to train it.
        emit: receives events.

    Returns:
        The model files; empty in all processes but the first.

    Raises:
        ArtgenError: there are no images, the checkpoint belongs to another recipe or other images, or a loss
            is not finite.
    """
    with _lock_folder(job.folder):
        return _train_and_write(job, emit)


def _train_and_write(job: TrainingJob, emit: Emit) -> list[Path]:
    prepared = prepare_training(job, emit)
    recipe, folder, family = job.recipe, job.folder, prepared.family
    is_main = prepared.accelerator.is_main_process
    emit = emit if is_main else ignore_event
    step = Checkpoints(folder, recipe.keep).latest_step()
    image_count = len(prepared.dataset.images.files)
    emit(TrainingStarted(recipe.title, str(folder), step, recipe.steps, image_count))
    if prepared.start_model and not step:
        emit(Note(f"starts from the model {prepared.start_model.name}"))
    networks, progress = train(
        family,
        recipe,
        folder=folder,
        identity=prepared.identity,
        accelerator=prepared.accelerator,
        emit=emit,
        adopt=job.adopt,
    )
    files: list[Path] = []
    if recipe.start and recipe.start_share:
        start_file = find_start_model(recipe.start, job.recipe_folder)
        blend_start_weights(start_file, family, networks, recipe.start_share)
    if is_main:
        files = [folder / f"{recipe.title}{family.export_suffixes[name]}.safetensors" for name in networks]
        _write_models(job, prepared, networks, files, progress)
        emit(TrainingFinished(str(files[0]), str(files[0].with_suffix(".md")), progress.seconds))
        _try_write_video(folder, emit)
    prepared.accelerator.wait_for_everyone()
    return files


def _try_write_video(folder: Path, emit: Emit) -> None:
    """Write the progress video, or report why it is missing: the training succeeds without it."""
    try:
        if write_progress_video(folder) is None:
            emit(Note("no progress.mp4 of the training: pip install 'artgen[video]'"))
    except ArtgenError as error:
        emit(Note(f"no progress.mp4: {error}"))


@contextmanager
def _lock_folder(folder: Path) -> Iterator[None]:
    """Keep other trainings, which would remove its checkpoints, out of ``folder``.

    All processes of this training share the folder; only the first one locks it.
    """
    _create_folder(folder)
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    with lock_folder(folder):
        yield


def _create_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        expected = "a writable folder"
        raise ArtgenError(f"--folder {folder}", error.strerror or str(error), expected) from None


def prepare_training(job: TrainingJob, emit: Emit) -> PreparedTraining:
    """Load the dataset and build the networks.

    Args:
        job: the recipe and where to train it.
        emit: receives events.

    Raises:
        ArtgenError: there are no images, the folder cannot be written, or the start model does not fit.
    """
    torch.set_flush_denormal(True)  # before torch's first operation starts its threads
    accelerator = create_accelerator(job.device, job.recipe.precision)
    emit = emit if accelerator.is_main_process else ignore_event
    _create_folder(job.folder)
    start_file = find_start_model(job.recipe.start, job.recipe_folder) if job.recipe.start else None
    # The first process decodes images and prepares the family's caches; the others then only read them.
    with accelerator.main_process_first():
        dataset = load_job_dataset(job, emit)
        context = TrainingContext(
            job.folder, accelerator.device, accelerator.process_index, emit, job.recipe_folder
        )
        family = build_family(job.recipe, dataset, context)
    # Also where a checkpoint will replace the weights: their hash is part of the training's identity.
    start_model = load_start_weights(start_file, family) if start_file else None
    if job.compile_networks:
        for name, network in family.networks.items():
            if family.compilable_networks is None or name in family.compilable_networks:
                network.compile()
    identity = TrainingIdentity(
        recipe=job.recipe.identity_fields(),
        images=dataset.fingerprint,
        others=family.fingerprint + (start_model.sha256 if start_model else ""),
        processes=accelerator.num_processes,
    )
    return PreparedTraining(family, dataset, identity, accelerator, start_model)


def _write_models(
    job: TrainingJob,
    prepared: PreparedTraining,
    networks: dict[str, Network],
    files: list[Path],
    progress: TrainingProgress,
) -> None:
    """Measure the trained networks, then write each one's model file, card and preview image."""
    family, dataset = prepared.family, prepared.dataset
    with torch.inference_mode():
        evaluation, preview = family.evaluate(networks), family.sample_grid(networks)
    record = TrainingRecord(
        recipe=job.recipe,
        images=len(dataset.images.files),
        sources=dataset.sources,
        fingerprint=dataset.fingerprint,
        evaluation=evaluation,
        seconds=progress.seconds,
        adopted=progress.adopted,
        device=prepared.accelerator.device.type,
        start_model=prepared.start_model,
    )
    for (name, network), file in zip(networks.items(), files, strict=True):
        description = family.network_descriptions.get(name, job.recipe.description)
        save_model(file, network, build_metadata(record, file.stem, description))
        write_preview(file.with_suffix(".webp"), preview, MAX_CARD_PREVIEW_SIDE_PX)
        card = render_card(record, file.stem, description, network)
        atomic_write(file.with_suffix(".md"), card.encode())
