"""Warnings about a training's decoded images before it begins: too few, too small, grey or repeated."""

from __future__ import annotations

import numpy as np
from PIL import Image

from artgen.training.data.dhash import find_duplicates, hash_image
from artgen.training.material.images import ImageSet

MIN_TRAINING_IMAGES = 20  # fewer are learned by heart
# A hash takes about a millisecond: of larger sets this many images, evenly spread, are hashed.
MAX_HASHED_IMAGES = 1000
MAX_GREY_IMAGES_SHARE = 0.2  # share of grey images above which a warning says so


def find_dataset_warnings(images: ImageSet, crop_side: int, *, is_target: bool = True) -> list[str]:
    """Return short sentences about flaws of the training images that will show in the results.

    Args:
        images: images of a training.
        crop_side: side of the crops that the networks see, px.
        is_target: whether the model learns to make such images; inputs may be grey or repeated.
    """
    count = len(images.pixels)
    warnings = []
    if count < MIN_TRAINING_IMAGES:
        warnings.append(f"only {_count_images(count)}: it will learn them by heart")
    small_count = sum(min(pixels.shape[:2]) < crop_side for pixels in images.pixels)
    if small_count:
        subject = (
            f"{small_count:,} of {count:,} images are" if small_count < count else _all_images_are(count)
        )
        warnings.append(f"{subject} smaller than {crop_side} px and enlarged for it, so blurred")
    if not is_target:
        return warnings
    sample = np.unique(np.linspace(0, count - 1, min(count, MAX_HASHED_IMAGES)).astype(int))
    hashes = [hash_image(Image.fromarray(images.pixels[index])) for index in sample]
    grey_count = sum(image_hash.is_grey for image_hash in hashes)
    if grey_count == len(hashes):
        warnings.append(f"{_all_images_are(count)} grey: the results will be grey")
    elif grey_count > MAX_GREY_IMAGES_SHARE * len(hashes):
        warnings.append(f"{grey_count / len(hashes):.0%} of the images are grey: colours will come out pale")
    originals = find_duplicates(hashes)
    if originals:
        duplicate, original = next(iter(originals.items()))
        example = f"{images.names[sample[duplicate]]} and {images.names[sample[original]]}"
        subject = f"{len(originals):,} near-duplicate{'s' if len(originals) > 1 else ''}"
        warnings.append(f"{subject} (of {len(hashes):,}), such as {example}")
    return warnings


def _count_images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _all_images_are(count: int) -> str:
    return {1: "the image is", 2: "both images are"}.get(count, f"all {count:,} images are")
