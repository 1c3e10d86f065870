"""The movie of a network learning: a frame for each sample that the training saved."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from artgen.errors import ArtgenError
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.image import shrink
from artgen.imaging.io.files import read_image

# Long enough to see each change, short enough to be watched: seconds, and pictures a second.
LENGTH, SLOWEST, FASTEST = 20.0, 2.0, 24.0
# Seconds that the last sample stays.
REST = 2.0
# Small samples are shown as larger pixels, large ones reduced: px of the longer side.
SMALLEST, LARGEST = 720, 1920


def write_movie(folder: Path) -> Path | None:
    """``progress.mp4`` of ``samples/*.png`` in ``folder``, in their order; None without PyAV or samples.

    Raises:
        ArtgenError: a sample cannot be read.
        WriteError: the disk is full or the folder not writable.
    """
    samples = sorted((folder / "samples").glob("*.png"))
    try:
        load_av()
    except ArtgenError:
        return None
    if not samples:
        return None
    height, width = read_image(samples[-1]).shape[1:]
    larger = max(1, round(SMALLEST / max(height, width)))
    factor = min(larger, LARGEST / max(height, width))
    height, width = round(height * factor), round(width * factor)
    fps = min(max(len(samples) / LENGTH, SLOWEST), FASTEST)
    movie = folder / "progress.mp4"
    with VideoWriter(movie, width, height, fps) as film:
        for sample in samples:
            image = _resized(read_image(sample), (height, width))
            film.add(image)
        for _ in range(round(REST * fps) - 1):
            film.add(image)
    return movie


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(image[None], size)[0] if size[0] >= image.shape[1] else shrink(image, size)
