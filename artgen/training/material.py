"""What a training learns from: decoded images, some of them held out, and where they came from."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from artgen.training.images import ImageSet, load_images, split

FEW = 20


@dataclass(frozen=True)
class Material:
    """Images to learn from.

    Attributes:
        images: what to learn: targets, or the second domain.
        validation: held-out images; the training images where there are too few to hold any out.
        inputs: images of the other folder: inputs of pairs, or the first domain.
        validation_inputs: held-out images of that.
        held_out: whether ``validation`` was never trained on.
        sources: how many images each folder gave.
    """

    images: ImageSet
    validation: ImageSet
    inputs: ImageSet | None = None
    validation_inputs: ImageSet | None = None
    held_out: bool = False
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of every training image."""
        if self.inputs is None:
            return self.images.fingerprint
        return hashlib.sha256((self.images.fingerprint + self.inputs.fingerprint).encode()).hexdigest()

    @property
    def skipped(self) -> tuple[str, ...]:
        """What could not be read, and why."""
        sets = {id(s): s for s in (self.images, self.validation, self.inputs, self.validation_inputs) if s}
        return tuple(problem for images in sets.values() for problem in images.skipped)


def load_material(
    files: Sequence[Path], inputs: Sequence[Path] | None, cache: Path, *, side: int
) -> Material:
    """Decode ``files``, and those of a second folder, at most ``side`` px long; every 20th is held out.

    Raises:
        ArtgenError: when no file of a folder can be read.
    """
    images, validation, held_out = _loaded(files, cache, side)
    sources = Counter(file.parent.name for file in (*files, *(inputs or ())))
    if inputs is None:
        return Material(images, validation, held_out=held_out, sources=sources)
    others, other_validation, _ = _loaded(inputs, cache, side)
    return Material(images, validation, others, other_validation, held_out, sources)


def _loaded(files: Sequence[Path], cache: Path, side: int) -> tuple[ImageSet, ImageSet, bool]:
    training, held_out = split(files, FEW)
    images = load_images(training, cache, side=side)
    return images, load_images(held_out, cache, side=side) if held_out else images, bool(held_out)
