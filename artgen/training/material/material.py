"""The dataset of a training: decoded images, the held-out ones among them, and their folders."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.events import Emit, ignore_event
from artgen.training.material.images import ImageSet, load_images, split_validation
from artgen.training.material.matching import match_pairs


@dataclass(frozen=True)
class SourceFolder:
    """A folder of training images, by the shortest name that differs from those of the other folders.

    Attributes:
        name: the last part of its path, or several parts.
        images: number of images from it.
        held_out: number of those that are held out from training.
    """

    name: str
    images: int
    held_out: int


@dataclass(frozen=True)
class TrainingDataset:
    """The images of a training, and those held out from it for validation.

    Attributes:
        images: training images: targets of pairs, or the second domain.
        validation_images: held-out images; the training images if none are held out.
        inputs: training images of the second folder: inputs of pairs in the order of the targets, or the
            first domain.
        validation_inputs: held-out images of the second folder.
    """

    images: ImageSet
    validation_images: ImageSet
    inputs: ImageSet | None = None
    validation_inputs: ImageSet | None = None

    @property
    def held_out(self) -> bool:
        """Whether the validation images are kept out of training, in both folders."""
        return self.validation_images is not self.images and (
            self.inputs is None or self.validation_inputs is not self.inputs
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the names and bytes of all training images."""
        if self.inputs is None:
            return self.images.fingerprint
        return hashlib.sha256((self.images.fingerprint + self.inputs.fingerprint).encode()).hexdigest()

    @property
    def skipped(self) -> list[str]:
        """The reason for every training image that could not be read."""
        image_sets = filter(None, (self.images, self.inputs))
        return [reason for image_set in image_sets for reason in image_set.skipped.values()]

    @property
    def sources(self) -> list[SourceFolder]:
        """The folders of the training images, those of the targets first."""
        counts_of_sets = [_count_by_folder(self.images, self.validation_images)]
        if self.inputs is not None and self.validation_inputs is not None:
            counts_of_sets.append(_count_by_folder(self.inputs, self.validation_inputs))
        names = _shortest_unique_names({folder for counts in counts_of_sets for folder in counts})
        return [
            SourceFolder(names[folder], *folder_counts)
            for counts in counts_of_sets
            for folder, folder_counts in counts.items()
        ]


def load_dataset(
    files: Sequence[Path],
    inputs: Sequence[Path] | None,
    cache_folder: Path,
    *,
    max_side: int,
    hold_out: bool = True,
    paired: bool = True,
    emit: Emit = ignore_event,
) -> TrainingDataset:
    """Decode the images of one or two folders, and hold out every 20th of them.

    Args:
        files: the training images.
        inputs: the images of the second folder, if any.
        cache_folder: folder for the decoded images.
        max_side: images are reduced to at most this longer side, px.
        hold_out: whether images are held out.
        paired: whether the two folders form pairs by name; then both images of a pair are held out together.
        emit: receives ``WorkProgress``.

    Raises:
        ArtgenError: no file of a folder can be read, or the two folders do not form pairs.
    """
    images = load_images(files, cache_folder, max_side=max_side, emit=emit, kind="data")
    if inputs is None:
        return TrainingDataset(*_split_images(images, images, hold_out))
    input_images = load_images(inputs, cache_folder, max_side=max_side, emit=emit, kind="inputs")
    if paired:
        images, input_images = match_pairs(images, input_images)
    names_to_split_by = images if paired else input_images
    return TrainingDataset(
        *_split_images(images, images, hold_out), *_split_images(input_images, names_to_split_by, hold_out)
    )


def _split_images(images: ImageSet, split_by: ImageSet, hold_out: bool) -> tuple[ImageSet, ImageSet]:
    """Return training and validation images, split by the names of ``split_by``.

    If none are held out, both are all images.
    """
    training, validation = split_validation(split_by.files)
    if not hold_out or not validation:
        return images, images
    return images.subset(training), images.subset(validation)


def _count_by_folder(images: ImageSet, validation_images: ImageSet) -> dict[Path, tuple[int, int]]:
    """Return the number of training images of each folder, and how many of them are held out."""
    files = (*images.files, *validation_images.files)
    resolved_folders = {folder: folder.resolve() for folder in {file.parent for file in files}}
    training_counts, held_out_counts = (
        Counter(resolved_folders[file.parent] for file in image_set.files)
        for image_set in (images, validation_images)
    )
    if validation_images is images:
        return {folder: (count, 0) for folder, count in training_counts.items()}
    total_counts = training_counts + held_out_counts
    return {folder: (count, held_out_counts[folder]) for folder, count in total_counts.items()}


def _shortest_unique_names(folders: Iterable[Path]) -> dict[Path, str]:
    """Name each training folder by the fewest last parts of its path that no other shares."""
    unnamed, names, part_count = set(folders), dict[Path, str](), 1
    while unnamed:
        tails = {folder: "/".join(folder.parts[-part_count:]) for folder in unnamed}
        occurrences = Counter(tails.values())
        unique_tails = {folder: tail for folder, tail in tails.items() if occurrences[tail] == 1}
        names |= unique_tails
        unnamed -= unique_tails.keys()
        part_count += 1
    return names
