"""What a training learns from: decoded images, some of them held out, and where they came from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from artgen.events import Emit, ignore
from artgen.training.material.images import ImageSet, load_images, split
from artgen.training.material.matching import matched


@dataclass(frozen=True)
class Source:
    """A folder, by the shortest name that tells it from the others.

    Attributes:
        name: the last part of its path, or more of it.
        images: how many it gave.
        held_out: how many of them are not learned from.
    """

    name: str
    images: int
    held_out: int


@dataclass(frozen=True)
class Material:
    """Images to learn from.

    Attributes:
        images: what to learn: targets, or the second domain.
        validation: held-out images; the training images where none are held out.
        inputs: images of the other folder: inputs of pairs, each at its target's place, or the first domain.
        validation_inputs: held-out images of that.
    """

    images: ImageSet
    validation: ImageSet
    inputs: ImageSet | None = None
    validation_inputs: ImageSet | None = None

    @property
    def held_out(self) -> bool:
        """Whether nothing of ``validation`` was trained on, nor of ``validation_inputs``."""
        return self.validation is not self.images and (
            self.inputs is None or self.validation_inputs is not self.inputs
        )

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of every image."""
        if self.inputs is None:
            return self.images.fingerprint
        return hashlib.sha256((self.images.fingerprint + self.inputs.fingerprint).encode()).hexdigest()

    @property
    def skipped(self) -> list[str]:
        """What could not be read, and why."""
        sets = filter(None, (self.images, self.inputs))
        return [why for images in sets for why in images.skipped.values()]

    @property
    def sources(self) -> list[Source]:
        """Every folder, the targets' first."""
        counts = [_folders(self.images, self.validation)]
        if self.inputs is not None and self.validation_inputs is not None:
            counts.append(_folders(self.inputs, self.validation_inputs))
        names = _told_apart({folder for of in counts for folder in of})
        return [Source(names[folder], *count) for of in counts for folder, count in of.items()]


def load_material(
    files: Sequence[Path],
    inputs: Sequence[Path] | None,
    cache: Path,
    *,
    side: int,
    hold_out: bool = True,
    paired: bool = True,
    emit: Emit = ignore,
) -> Material:
    """Decode ``files``, and those of a second folder, at most ``side`` px long; every 20th is held out.

    Args:
        files: what to learn.
        inputs: of the second folder.
        cache: a folder.
        side: px.
        hold_out: whether any are.
        paired: whether those of the second folder belong to the others by name, and are held out with them.
        emit: takes ``WorkProgress``.

    Raises:
        ArtgenError: no file of a folder can be read, or what is to be paired does not match.
    """
    images = load_images(files, cache, side=side, emit=emit, kind="data")
    if inputs is None:
        return Material(*_split(images, images, hold_out))
    others = load_images(inputs, cache, side=side, emit=emit, kind="inputs")
    if paired:
        images, others = matched(images, others)
    by = images if paired else others
    return Material(*_split(images, images, hold_out), *_split(others, by, hold_out))


def _split(images: ImageSet, by: ImageSet, hold_out: bool) -> tuple[ImageSet, ImageSet]:
    """Images to learn from, and others, as the names of ``by`` have it; twice all where none are held out."""
    training, validation = split(by.files)
    if not hold_out or not validation:
        return images, images
    return images.only(training), images.only(validation)


def _folders(images: ImageSet, validation: ImageSet) -> dict[Path, tuple[int, int]]:
    """How many images each folder gave, and how many of them are held out."""
    files = (*images.files, *validation.files)
    places = {folder: folder.resolve() for folder in {file.parent for file in files}}
    learned, held = (Counter(places[file.parent] for file in of.files) for of in (images, validation))
    if validation is images:
        return {folder: (count, 0) for folder, count in learned.items()}
    return {folder: (count, held[folder]) for folder, count in (learned + held).items()}


def _told_apart(folders: Iterable[Path]) -> dict[Path, str]:
    """For each folder as many of its path's last parts as no other has."""
    left, names, parts = set(folders), dict[Path, str](), 1
    while left:
        tails = {folder: "/".join(folder.parts[-parts:]) for folder in left}
        often = Counter(tails.values())
        alone = {folder: tail for folder, tail in tails.items() if often[tail] == 1}
        names |= alone
        left -= alone.keys()
        parts += 1
    return names
