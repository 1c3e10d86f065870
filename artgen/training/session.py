"""A whole training from a recipe to model files: dataset, loop, metrics and cards."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
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
from artgen.references import find_images
from artgen.training.data.warnings import find_dataset_warnings
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
from artgen.training.material.material import TrainingDataset, load_dataset
from artgen.training.recipes import TrainingRecipe

if TYPE_CHECKING:
    from accelerate import Accelerator

MAX_CARD_PREVIEW_SIDE_PX = 2048  # longer side of the card's preview image
MAX_NOTED_SKIPPED_FILES = 10  # unreadable files that are reported one by one


@dataclass(frozen=True)
class TrainingJob:
    """What ``artgen train`` is asked for: a training recipe, the folders and the device.

    Attributes:
        recipe: the validated recipe.
        folder: folder for checkpoints, samples, caches and the finished model.
        data: names of training images that replace the recipe's ``data``, with paths relative to the working
            directory.
        inputs: names of images that replace the recipe's ``inputs``.
        recipe_folder: folder that relative paths in the recipe start from.
        device: ``cpu``, ``cuda`` or ``mps``.
        adopt: resume from a checkpoint of another recipe with the same networks.
        compile_networks: let torch compile the networks, which saves time on a GPU after some minutes.
    """

    recipe: TrainingRecipe
    folder: Path
    data: Sequence[str] = ()
    inputs: Sequence[str] = ()
    recipe_folder: Path = Path()
    device: str = "cpu"
    adopt: bool = False
    compile_networks: bool = False


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
        dataset = _load_dataset(job, emit)
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


def _load_dataset(job: TrainingJob, emit: Emit) -> TrainingDataset:
    recipe = job.recipe
    files = _find_files("data", job.data, recipe.data, job)
    inputs = _find_files("inputs", job.inputs, recipe.inputs, job) if recipe.needs_inputs_folder else None
    emit(Note(f"reading {len(files) + len(inputs or ()):,} images, at most {recipe.side} px"))
    dataset = load_dataset(
        files,
        inputs,
        job.folder,
        max_side=recipe.side,
        hold_out=recipe.holds_out,
        paired=recipe.paired,
        emit=emit,
    )
    for reason in dataset.skipped[:MAX_NOTED_SKIPPED_FILES]:
        emit(Note(f"skipped {reason}"))
    if len(dataset.skipped) > MAX_NOTED_SKIPPED_FILES:
        emit(Note(f"skipped {len(dataset.skipped) - MAX_NOTED_SKIPPED_FILES:,} more"))
    for warning in find_dataset_warnings(dataset.images, recipe.max_crop_side()):
        emit(Note(warning))
    if dataset.inputs is not None:
        for warning in find_dataset_warnings(
            dataset.inputs, recipe.max_crop_side(), is_target=not recipe.paired
        ):
            emit(Note(f"inputs: {warning}"))
    return dataset


def _find_files(
    key: str,
    option_references: Sequence[str],
    recipe_references: Sequence[str] | None,
    job: TrainingJob,
) -> list[Path]:
    """Find the image files of an option, or else of a recipe's key, outside the training's folder."""
    if not option_references and not recipe_references:
        expected = f"write `{key} = ...` in the recipe, or name one or more folders: --{key} FOLDER"
        raise ArtgenError(f"--{key}", "no folder of images", expected)
    root = Path() if option_references else job.recipe_folder
    unique_files: dict[Path, None] = {}
    for reference in option_references or recipe_references or ():
        try:
            files = find_images(reference, root)
        except ArtgenError as error:
            where = f"--{key} {reference}" if option_references else f"{key} = {reference!r}"
            raise ArtgenError(where, error.problem, error.expected) from None
        files = _exclude_folder(files, root / Path(reference).expanduser(), job.folder)
        unique_files.update(dict.fromkeys(files))
    return list(unique_files)


def _exclude_folder(files: list[Path], image_folder: Path, training_folder: Path) -> list[Path]:
    """Return the training images ``files`` except those in ``training_folder``, if that is inside.

    Raises:
        ArtgenError: both folders are the same, or no file is left.
    """
    resolved_images, resolved_training = image_folder.resolve(), training_folder.resolve()
    if not resolved_training.is_relative_to(resolved_images):
        return files
    subfolder = resolved_training.relative_to(resolved_images)
    remaining = [file for file in files if not file.relative_to(image_folder).is_relative_to(subfolder)]
    if resolved_training == resolved_images or not remaining:
        expected = "a folder of its own: else its samples would be learned from"
        raise ArtgenError(f"--folder {training_folder}", "the folder of the images to learn from", expected)
    return remaining
