"""What a training should be warned of before it begins, from the images it has already decoded."""

from __future__ import annotations

import numpy as np
from PIL import Image

from artgen.training.data.dhash import duplicates, look
from artgen.training.material.images import ImageSet

FEW = 20
# A look takes about a millisecond: larger sets are judged by this many, evenly drawn.
SAMPLE = 1000
MANY_GREY = 0.2


def survey(images: ImageSet, wanted_side: int, *, made: bool = True) -> list[str]:
    """Short sentences about what will show in the result; nothing to say is an empty list.

    Args:
        images: what is to be learned.
        wanted_side: px of the crops that the networks see.
        made: whether a model makes such images. What it only sees may be grey, and twice the same.
    """
    count = len(images.pixels)
    warnings = []
    if count < FEW:
        warnings.append(f"only {_images(count)}: it will learn them by heart")
    small = sum(min(pixels.shape[:2]) < wanted_side for pixels in images.pixels)
    if small:
        said = f"{small:,} of {count:,} images are" if small < count else _all(count)
        warnings.append(f"{said} smaller than {wanted_side} px and enlarged for it, so blurred")
    if not made:
        return warnings
    drawn = np.unique(np.linspace(0, count - 1, min(count, SAMPLE)).astype(int))
    looks = [look(Image.fromarray(images.pixels[index])) for index in drawn]
    grey = sum(one.grey for one in looks)
    if grey == len(looks):
        warnings.append(f"{_all(count)} grey: what it makes will be grey")
    elif grey > MANY_GREY * len(looks):
        warnings.append(f"{grey / len(looks):.0%} of the images are grey: colours will come out pale")
    repeats = duplicates(looks)
    if repeats:
        row, first = next(iter(repeats.items()))
        pair = f"{images.names[drawn[row]]} and {images.names[drawn[first]]}"
        many = f"{len(repeats):,} near-duplicate{'s' if len(repeats) > 1 else ''}"
        warnings.append(f"{many} (of {len(looks):,}), such as {pair}")
    return warnings


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def _all(count: int) -> str:
    return {1: "the image is", 2: "both images are"}.get(count, f"all {count:,} images are")
