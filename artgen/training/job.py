"""What a training is asked for: its recipe, and the images and folders that options name in its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.imaging.io.survey import survey_references
from artgen.references import find_images
from artgen.training.data.warnings import find_dataset_warnings
from artgen.training.material.material import TrainingDataset, load_dataset
from artgen.training.recipes import TrainingRecipe

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


def load_job_dataset(job: TrainingJob, emit: Emit) -> TrainingDataset:
    """Find and decode a training's images, and report which were skipped and what is doubtful about them.

    Raises:
        ArtgenError: there are no images, or their folder is the training's own.
    """
    recipe = job.recipe
    files = _find_files("data", job.data, recipe.data, job, emit)
    inputs = None
    if recipe.needs_inputs_folder:
        inputs = _find_files("inputs", job.inputs, recipe.inputs, job, emit)
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
    emit: Emit,
) -> list[Path]:
    """Find the image files of an option, or else of a recipe's key, outside the training's folder."""
    if not option_references and not recipe_references:
        expected = f"write `{key} = ...` in the recipe, or name one or more folders: --{key} FOLDER"
        raise ArtgenError(f"--{key}", "no folder of images", expected)
    root = Path() if option_references else job.recipe_folder
    unique_files: dict[Path, None] = {}
    references = option_references or recipe_references or ()
    for reference in references:
        try:
            files = find_images(reference, root)
        except ArtgenError as error:
            where = f"--{key} {reference}" if option_references else f"{key} = {reference!r}"
            raise ArtgenError(where, error.problem, error.expected) from None
        files = _exclude_folder(files, root / Path(reference).expanduser(), job.folder)
        unique_files.update(dict.fromkeys(files))
    # Which cannot be read is said once all are decoded.
    for note in survey_references(references, root, unreadable=False, output_folder=job.folder):
        emit(Note(note))
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
