"""One training from recipe to model files: data, loop, metrics, card."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from artgen.errors import ArtgenError
from artgen.events import Emit, Note, TrainingFinished, TrainingStarted, ignore
from artgen.imaging.io.files import atomic_write, write_preview
from artgen.locks import held
from artgen.models.architectures.network import Network
from artgen.models.files.checkpoint import save_model
from artgen.references import find_images
from artgen.training.data.warnings import survey
from artgen.training.engine.checkpoints import Checkpoints, Reached
from artgen.training.engine.family import Family, Place
from artgen.training.engine.fingerprint import Identity
from artgen.training.engine.init_from import Start, begin_from, find_start, keep_some
from artgen.training.engine.loop import train
from artgen.training.engine.movie import write_movie
from artgen.training.engine.runtime import start
from artgen.training.evaluation.model_card import Record, card, metadata
from artgen.training.families import build
from artgen.training.material.material import Material, load_material
from artgen.training.recipes import TrainingRecipe

if TYPE_CHECKING:
    from accelerate import Accelerator

PICTURE = 2048  # px; most side of the card's picture
NAMED = 10  # files that could not be read, of any number


@dataclass(frozen=True)
class Job:
    """A training recipe and where it is carried out.

    Attributes:
        recipe: checked.
        folder: checkpoints, samples, caches, and in the end the model.
        data: in place of the recipe's ``data``; as a recipe names images.
        inputs: in place of the recipe's ``inputs``.
        beside: where relative paths of the recipe's own start.
        device: ``cpu``, ``cuda`` or ``mps``.
        adopt: go on from a checkpoint of another recipe of the same networks.
        compiled: let torch compile the networks, which pays on a GPU after minutes.
    """

    recipe: TrainingRecipe
    folder: Path
    data: Sequence[str] = ()
    inputs: Sequence[str] = ()
    beside: Path = Path()
    device: str = "cpu"
    adopt: bool = False
    compiled: bool = False


@dataclass(frozen=True)
class Prepared:
    """A training about to begin, or to go on.

    Attributes:
        family: networks and losses.
        material: decoded images.
        identity: of the training: a checkpoint of another is refused.
        accelerator: device, processes, precision.
        start: the model it goes on from, if any.
    """

    family: Family
    material: Material
    identity: Identity
    accelerator: Accelerator
    start: Start | None


def run_training(job: Job, emit: Emit) -> list[Path]:
    """Train, or go on training; returns the model files, each with its card beside it.

    Of several processes only the first writes, reports and returns them.

    Raises:
        ArtgenError: no images; a checkpoint of another recipe or of other images; a loss that is not finite.
    """
    with _alone(job.folder):
        return _run(job, emit)


def _run(job: Job, emit: Emit) -> list[Path]:
    prepared = prepare(job, emit)
    recipe, folder, family = job.recipe, job.folder, prepared.family
    main = prepared.accelerator.is_main_process
    emit = emit if main else ignore
    reached = Checkpoints(folder, recipe.keep).step()
    images = len(prepared.material.images.names)
    emit(TrainingStarted(recipe.title, str(folder), reached, recipe.steps, images))
    if prepared.start and not reached:
        emit(Note(f"goes on from {prepared.start.name}"))
    networks, done = train(
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
        keep_some(find_start(recipe.start, job.beside), family, networks, recipe.start_share)
    if main:
        files = [folder / f"{recipe.title}{family.ships[name]}.safetensors" for name in networks]
        _publish(job, prepared, networks, files, done)
        emit(TrainingFinished(str(files[0]), str(files[0].with_suffix(".md")), done.seconds))
        _film(folder, emit)
    prepared.accelerator.wait_for_everyone()
    return files


def _film(folder: Path, emit: Emit) -> None:
    """The progress movie; the model is there without it."""
    try:
        if write_movie(folder) is None:
            emit(Note("no progress.mp4 of the network learning: pip install 'artgen[video]'"))
    except ArtgenError as error:
        emit(Note(f"no progress.mp4: {error}"))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two trainings in one folder would remove each other's checkpoints; its own processes share it."""
    _make(folder)
    if os.environ.get("RANK", "0") != "0":
        yield
        return
    with held(folder):
        yield


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        right = "a folder to write in"
        raise ArtgenError(f"--folder {folder}", error.strerror or str(error), right) from None


def prepare(job: Job, emit: Emit) -> Prepared:
    """Read the images and build the networks.

    Raises:
        ArtgenError: no images, a folder that cannot be written, or a model that cannot be gone on from.
    """
    torch.set_flush_denormal(True)  # before the first operation starts other threads
    accelerator = start(job.device, job.recipe.precision)
    emit = emit if accelerator.is_main_process else ignore
    _make(job.folder)
    file = find_start(job.recipe.start, job.beside) if job.recipe.start else None
    # The first process decodes, and makes what a family prepares; the others find it done.
    with accelerator.main_process_first():
        material = _material(job, emit)
        place = Place(job.folder, accelerator.device, accelerator.process_index, emit, job.beside)
        family = build(job.recipe, material, place)
    # Also before a checkpoint takes its place: it is one of the files that make the training the same one.
    begun = begin_from(file, family) if file else None
    if job.compiled:
        for name, network in family.networks.items():
            if family.compiled is None or name in family.compiled:
                network.compile()
    identity = Identity(
        recipe=job.recipe.identity(),
        images=material.fingerprint,
        others=family.fingerprint + (begun.sha256 if begun else ""),
        processes=accelerator.num_processes,
    )
    return Prepared(family, material, identity, accelerator, begun)


def _publish(
    job: Job, prepared: Prepared, networks: dict[str, Network], files: list[Path], done: Reached
) -> None:
    """Measure, then write model, card and picture of each network."""
    family, material = prepared.family, prepared.material
    with torch.inference_mode():
        measured, picture = family.measure(networks), family.preview(networks)
    record = Record(
        recipe=job.recipe,
        images=len(material.images.names),
        sources=material.sources,
        fingerprint=material.fingerprint,
        measured=measured,
        seconds=done.seconds,
        adopted=done.adopted,
        device=prepared.accelerator.device.type,
        start=prepared.start,
    )
    for (name, network), file in zip(networks.items(), files, strict=True):
        description = family.descriptions.get(name, job.recipe.description)
        save_model(file, network, metadata(record, file.stem, description))
        write_preview(file.with_suffix(".webp"), picture, PICTURE)
        text = card(record, file.stem, description, network)
        atomic_write(file.with_suffix(".md"), text.encode())


def _material(job: Job, emit: Emit) -> Material:
    recipe = job.recipe
    files = _found("data", job.data, recipe.data, job)
    inputs = _found("inputs", job.inputs, recipe.inputs, job) if recipe.two_folders else None
    emit(Note(f"reading {len(files) + len(inputs or ()):,} images, at most {recipe.side} px"))
    material = load_material(
        files,
        inputs,
        job.folder,
        side=recipe.side,
        hold_out=recipe.holds_out,
        paired=recipe.paired,
        emit=emit,
    )
    for problem in material.skipped[:NAMED]:
        emit(Note(f"skipped {problem}"))
    if len(material.skipped) > NAMED:
        emit(Note(f"skipped {len(material.skipped) - NAMED:,} more"))
    for warning in survey(material.images, recipe.crop_side()):
        emit(Note(warning))
    if material.inputs is not None:
        for warning in survey(material.inputs, recipe.crop_side(), made=not recipe.paired):
            emit(Note(f"inputs: {warning}"))
    return material


def _found(key: str, given: Sequence[str], own: Sequence[str] | None, job: Job) -> list[Path]:
    """The image files of an option, or of the recipe's key; nothing that this training made."""
    if not given and not own:
        right = f"write `{key} = ...` in the recipe, or name one or more folders: --{key} FOLDER"
        raise ArtgenError(f"--{key}", "no folder of images", right)
    beside = Path() if given else job.beside
    found: dict[Path, None] = {}
    for reference in given or own or ():
        try:
            files = find_images(reference, beside)
        except ArtgenError as error:
            where = f"--{key} {reference}" if given else f"{key} = {reference!r}"
            raise ArtgenError(where, error.found, error.right) from None
        found.update(dict.fromkeys(_not_made(files, beside / Path(reference).expanduser(), job.folder)))
    return list(found)


def _not_made(files: list[Path], place: Path, folder: Path) -> list[Path]:
    """``files``, found in ``place``, but for what lies in the training's own ``folder`` below it.

    Raises:
        ArtgenError: the training's folder is that of the images, or nothing is left.
    """
    root, made = place.resolve(), folder.resolve()
    if not made.is_relative_to(root):
        return files
    below = made.relative_to(root)
    others = [file for file in files if not file.relative_to(place).is_relative_to(below)]
    if made == root or not others:
        right = "a folder of its own: else its samples would be learned from"
        raise ArtgenError(f"--folder {folder}", "the folder of the images to learn from", right)
    return others
