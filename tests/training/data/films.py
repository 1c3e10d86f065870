"""Films for tests, made by PyAV itself: shots over scikit-image's photographs, with cuts that are known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from skimage import data

FPS = 25
Pixels = np.ndarray


def shot(
    name: str, frames: int, *, height: int = 120, width: int = 160, speed: float = 1.0
) -> Iterator[Pixels]:
    """A camera that moves over a photograph, ``speed`` px a frame, with film grain."""
    picture = getattr(data, name)()
    chance = np.random.default_rng(len(name))
    for number in range(frames):
        left, top = int(20 + speed * number), int(10 + speed * number / 2)
        cut = picture[top : top + height, left : left + width].astype(float)
        yield (cut + chance.normal(0, 4, cut.shape)).clip(0, 255).astype(np.uint8)


def write_film(path: Path, pictures: Iterable[Pixels], codec: str = "libx264") -> Path:
    """An encoded film of RGB pictures of one size, 25 a second."""
    container = stream = None
    for picture in pictures:
        if container is None:
            container = av.open(str(path), "w")
            stream = container.add_stream(codec, rate=FPS)
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "yuv420p"
            stream.options = {"preset": "ultrafast"} if codec == "libx264" else {}
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
    container.mux(stream.encode(None))
    container.close()
    return path
