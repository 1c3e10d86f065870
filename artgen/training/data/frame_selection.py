"""Which frames of a film are wanted, and what becomes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from artgen.imaging.film.frames import Film
from artgen.training.data.crop_pad import Fit


@dataclass(frozen=True)
class Wish:
    """Which frames, and what becomes of them.

    Attributes:
        every: each Nth frame; None for one a second, or fewer where ``most`` are spread over the film.
        scenes: one frame where each scene begins instead.
        size: (H, W); None for the film's own.
        fit: see ``framed``.
        most: at most so many pictures.
        start: seconds.
        end: seconds; None for the film's end.
        blank: keep black and one-coloured frames too.
        alike: keep frames that hardly differ from the last one kept too.
        bars: keep black bars.
        ending: ``.jpg`` or ``.png``.
    """

    every: int | None = None
    scenes: bool = False
    size: tuple[int, int] | None = (256, 256)
    fit: Fit = "crop"
    most: int | None = None
    start: float = 0.0
    end: float | None = None
    blank: bool = False
    alike: bool = False
    bars: bool = False
    ending: str = ".jpg"

    def step(self, film: Film) -> int:
        """Each how many frames of ``film`` one is looked at."""
        if self.every is not None:
            return self.every
        length = min(self.end or math.inf, film.seconds or math.inf) - self.start
        spread = film.rate * length / self.most if self.most and math.isfinite(length) else 0.0
        return max(1, round(film.rate), math.floor(spread))


def clock(seconds: float, form: str = "{}:{:02}:{:02}") -> str:
    """A moment as hours, minutes, seconds and, where ``form`` has room for them, milliseconds."""
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return form.format(hours, minutes, *divmod(rest, 1000))
