"""Perceptual hashes of images: finding near-duplicates and images without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

# Bits of 64 in which the hashes of two copies of one image may differ, and the largest mean difference of
# their thumbnails (values of 0 to 255). Copies saved again at JPEG quality 30, at half the size, 3 % brighter
# or 1 % cropped on each side are found, and 96 % of those 2 % cropped; of 615,000 pairs of aligned portraits
# none is taken for a copy.
MAX_DIFFERING_HASH_BITS, MAX_THUMBNAIL_DIFFERENCE = 8, 9.0
# Mean difference of the largest and smallest channel below which an image is grey: JPEG's rounding.
MAX_GREY_SATURATION = 2.0
HASHES_PER_BLOCK = 256  # hashes that are compared with all others at once


@dataclass(frozen=True)
class PerceptualHash:
    """Hash and thumbnail of a training image, by which near-duplicates are found.

    Attributes:
        bits: ``(64,)``, +1 where brightness rises from left to right, else -1 (difference hash).
        thumbnail: 18 x 16 px RGB, flattened.
        is_grey: whether the image has no colour.
    """

    bits: npt.NDArray[np.int8]
    thumbnail: npt.NDArray[np.uint8]
    is_grey: bool


def hash_image(image: Image.Image) -> PerceptualHash:
    """Return the perceptual hash of an RGB training image.

    The hash is Krawetz' "dHash" (hackerfactor.com, 2013): 9 x 8 px by area, each compared with its neighbour.
    """
    small = image.resize((72, 64), Image.Resampling.BOX)
    luma = np.asarray(small.convert("L").resize((9, 8), Image.Resampling.BOX), np.int16)
    bits = np.where(np.diff(luma, axis=1) > 0, 1, -1).astype(np.int8).ravel()
    pixels = np.asarray(small, np.int16)
    saturation = float((pixels.max(axis=2) - pixels.min(axis=2)).mean())
    thumbnail = np.asarray(small.resize((18, 16), Image.Resampling.BOX)).ravel()
    return PerceptualHash(bits, thumbnail, saturation < MAX_GREY_SATURATION)


def find_duplicates(hashes: Sequence[PerceptualHash]) -> dict[int, int]:
    """Find the training images that repeat an earlier one.

    All hashes are compared with one another, as products of signs in blocks: 50,000 images take seconds and
    some hundred megabytes. If the hashes of two images agree, their thumbnails decide: skies and other plain
    images share hashes.

    Returns:
        For the index of each duplicate, the index of the image that it repeats, which is none itself.
    """
    if not hashes:
        return {}
    bits = np.stack([image_hash.bits for image_hash in hashes]).astype(np.float32)
    thumbnails = np.stack([image_hash.thumbnail for image_hash in hashes])
    is_original = np.ones(len(hashes), bool)
    originals: dict[int, int] = {}
    for start in range(0, len(hashes), HASHES_PER_BLOCK):
        stop = min(start + HASHES_PER_BLOCK, len(hashes))
        similar = bits[start:stop] @ bits[:stop].T >= 64 - 2 * MAX_DIFFERING_HASH_BITS
        for row in range(start, stop):
            candidates = np.flatnonzero(similar[row - start, :row] & is_original[:row])
            if not len(candidates):
                continue
            differences = np.abs(thumbnails[candidates].astype(np.int16) - thumbnails[row]).mean(axis=1)
            if differences.min() <= MAX_THUMBNAIL_DIFFERENCE:
                originals[row] = int(candidates[differences.argmin()])
                is_original[row] = False
    return originals
