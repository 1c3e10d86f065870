"""What to say of a set of images before hours are spent on it."""

from __future__ import annotations

from artgen.training.images import ImageSet


def survey(images: ImageSet, wanted_side: int) -> list[str]:
    """Warnings, one sentence each."""
    count = len(images.names)
    return [f"only {count} images: it will learn them by heart"] if count < 20 else []
