"""Options that select the frames of a film and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass

from artgen.imaging.film.frames import FilmInfo
from artgen.training.data.crop_pad import FitMode


@dataclass(frozen=True)
class FrameOptions:
    """Options of ``artgen data frames``: which frames of a film are kept. Stored in ``NAME.frames.json``.

    Attributes:
        every: take every Nth frame; None takes one a second, or fewer if ``most`` spreads them over the film.
        scenes: take one frame where each scene begins instead.
        size: (H, W); None keeps the film's own.
        fit: how frames are fitted to the size; see ``crop_or_pad``.
        most: largest number of frames; None for no limit.
        start: seconds.
        end: seconds; None for the film's end.
        blank: keep black and one-coloured frames.
        alike: keep frames that hardly differ from the last one kept.
        bars: keep black bars.
        ending: ``.jpg`` or ``.png``.
    """

    every: int | None = None
    scenes: bool = False
    size: tuple[int, int] | None = (256, 256)
    fit: FitMode = "crop"
    most: int | None = None
    start: float = 0.0
    end: float | None = None
    blank: bool = False
    alike: bool = False
    bars: bool = False
    ending: str = ".jpg"

    def frame_interval(self, film: FilmInfo) -> int:
        """Return N, where every Nth frame of ``film`` may become a training image."""
        if self.every is not None:
            return self.every
        seconds = min(self.end or math.inf, film.seconds or math.inf) - self.start
        spread = film.fps * seconds / self.most if self.most and math.isfinite(seconds) else 0.0
        return max(1, round(film.fps), math.floor(spread))


def format_timestamp(seconds: float, template: str = "{}:{:02}:{:02}") -> str:
    """Format a time in a film as hours, minutes and seconds, for file names.

    Args:
        seconds: since the beginning of the film.
        template: format of hours, minutes, seconds and, if it has a fourth field, milliseconds.
    """
    milliseconds = round(seconds * 1000)
    hours, milliseconds = divmod(milliseconds, 3_600_000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    return template.format(hours, minutes, *divmod(milliseconds, 1000))
