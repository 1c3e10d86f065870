"""The video of a training's progress: one frame for each saved sample grid."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor
from torch.nn.functional import interpolate

from artgen.errors import ArtgenError
from artgen.imaging.film.writer import VideoWriter, load_av
from artgen.imaging.image import shrink
from artgen.imaging.io.files import read_image

# The frame rate is chosen so that the video has this length, within limits: slow enough to see each change.
MAX_VIDEO_SECONDS, MIN_FPS, MAX_FPS = 20.0, 2.0, 24.0
LAST_FRAME_HOLD_SECONDS = 2.0
# Longer side of a frame, px: small samples are enlarged by integer factors, large ones reduced.
MIN_FRAME_PX, MAX_FRAME_PX = 720, 1920


def write_progress_video(folder: Path) -> Path | None:
    """Write ``progress.mp4`` of the images ``samples/*.png`` in ``folder``, in the order of their names.

    Returns:
        The video file; None without PyAV or without samples.

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
    enlargement = max(1, round(MIN_FRAME_PX / max(height, width)))
    factor = min(enlargement, MAX_FRAME_PX / max(height, width))
    height, width = round(height * factor), round(width * factor)
    fps = min(max(len(samples) / MAX_VIDEO_SECONDS, MIN_FPS), MAX_FPS)
    file = folder / "progress.mp4"
    with VideoWriter(file, width, height, fps) as video:
        for sample in samples:
            frame = _resize_frame(read_image(sample), (height, width))
            video.add_frame(frame)
        for _ in range(round(LAST_FRAME_HOLD_SECONDS * fps) - 1):
            video.add_frame(frame)
    return file


def _resize_frame(image: Tensor, size: tuple[int, int]) -> Tensor:
    return interpolate(image[None], size)[0] if size[0] >= image.shape[1] else shrink(image, size)
