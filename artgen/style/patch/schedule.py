"""The plan of work: which sizes are painted, with which patches, how often.

Time goes where the picture is decided. Coarse levels are cheap and get every patch size; from a few
hundred pixels on, structure is settled and only small patches still change anything.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVEL_RATIO = 1.9
COARSEST = 72.0


@dataclass(frozen=True)
class Pass:
    """One patch size at one level: ``patch`` px, a grid of ``stride`` px, ``repeats`` iterations.

    ``keys`` of the style's patches are searched. A ``soft`` pass compares with the style blurred as
    a picture is that was just enlarged; it comes first and makes the picture sharp.
    """

    patch: int
    stride: int
    repeats: int
    keys: int
    soft: bool = False


@dataclass(frozen=True)
class Level:
    """One size of the picture, ``(height, width)`` px, and what is done there.

    ``noise`` is laid over it first, in units of the style's own detail.
    """

    size: tuple[int, int]
    passes: tuple[Pass, ...]
    noise: float

    @property
    def cost(self) -> float:
        """Comparisons of patches, in no unit: for telling how far along the work is."""
        area = self.size[0] * self.size[1]
        return sum(area / step.stride**2 * step.keys * step.repeats for step in self.passes) + 40 * area


def make_plan(height: int, width: int, *, fast: bool = False) -> tuple[Level, ...]:
    """Levels from coarse to the full ``(height, width)``, each ``LEVEL_RATIO`` larger than the last."""
    longest = max(height, width)
    sides: list[float] = [longest]
    while sides[-1] / LEVEL_RATIO >= COARSEST:
        sides.append(sides[-1] / LEVEL_RATIO)
    levels = []
    for side in reversed(sides):
        factor = side / longest
        size = (max(1, round(height * factor)), max(1, round(width * factor)))
        levels.append(Level(size, _passes(side, fast), _noise(side)))
    return tuple(levels)


def _passes(side: float, fast: bool) -> tuple[Pass, ...]:
    if side >= 600:
        if fast:
            return (Pass(9, 3, 1, 8000, soft=True),)
        return (Pass(7, 2, 1, 48_000, soft=True),) if side < 1200 else (Pass(9, 3, 1, 32_000, soft=True),)
    if not fast:
        return (Pass(21, 7, 2, 16_000), Pass(13, 4, 2, 16_000), Pass(7, 2, 2, 16_000))
    if side < 160:
        return (Pass(21, 7, 1, 4000), Pass(13, 4, 1, 4000), Pass(7, 2, 1, 4000))
    return (Pass(13, 5, 1, 4000), Pass(7, 3, 1, 4000))


def _noise(side: float) -> float:
    # Noise makes strokes begin; where structure is settled it would only leave flecks on flat ground.
    return 0.3 if side < 300 else 0.2 if side < 600 else 0.0
