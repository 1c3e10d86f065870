"""A folder of pictures as one style: an artist's own photographs, thousands of them within a memory bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import fit
from artgen.imaging.io.files import read_image

# Pixels held of all together, a byte for each colour; the longer side of one at most and at least.
TOTAL = 64_000_000
LONGEST, SHORTEST = 2048, 96


def read_album(files: Sequence[Path]) -> list[Tensor]:
    """The pictures as bytes ``(3, H, W)``, reduced so that all together are at most ``TOTAL`` pixels.

    Few pictures keep their brushwork; of thousands each is small, and gives compositions more than strokes.
    One that cannot be read is left out, unless none can.

    Raises:
        ArtgenError: none of the files can be read.
    """
    stamps = [(file, stat.st_mtime_ns, stat.st_size) for file in files for stat in [file.stat()]]
    return list(_read(tuple(stamps)))


@lru_cache(maxsize=2)  # for the candidates of a run and the frames of a film
def _read(stamps: tuple[tuple[Path, int, int], ...]) -> list[Tensor]:
    files = [file for file, _, _ in stamps]
    side = int(min(LONGEST, max(SHORTEST, math.sqrt(TOTAL / len(files)))))
    pictures, problem = [], None
    for file in files:
        try:
            picture = read_image(file)
        except ArtgenError as error:
            problem = error
            continue
        reduced = fit(picture, min(side, max(picture.shape[1:])))
        pictures.append(reduced.mul(255).round_().to(torch.uint8))
    if not pictures and problem is not None:
        raise problem
    return pictures


def as_floats(picture: Tensor) -> Tensor:
    """Bytes as values in [0, 1]; those as they are."""
    return picture.float().div_(255) if picture.dtype == torch.uint8 else picture
