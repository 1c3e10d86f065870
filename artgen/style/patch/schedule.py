"""Schedule of the patch method: image sizes, patch sizes and iterations.

Coarse levels determine the painting; they are cheap and get every patch size. From a few hundred pixels on
the structure is settled, and only small patches still change anything.
"""

from __future__ import annotations

from dataclasses import dataclass

LEVEL_SIZE_RATIO = 1.9
MIN_COARSEST_SIDE_PX = 72.0


@dataclass(frozen=True)
class PatchPass:
    """A pass of the patch method: iterations with one patch size at one level.

    Attributes:
        patch_side: px.
        stride: px between patches.
        iterations: number of iterations.
        key_count: number of style patches that are searched.
        soft: compare with the style as blurred as an enlarged image; this sharpens the image.
    """

    patch_side: int
    stride: int
    iterations: int
    key_count: int
    soft: bool = False


@dataclass(frozen=True)
class PaintingLevel:
    """A level of the patch method: one size of the image, and the passes painted at it.

    Attributes:
        image_size: ``(height, width)`` px.
        passes: in order.
        noise_amount: amplitude of the noise added first, relative to the fine detail of the style.
    """

    image_size: tuple[int, int]
    passes: tuple[PatchPass, ...]
    noise_amount: float

    @property
    def cost(self) -> float:
        """Estimated cost of painting the level, relative to others, for progress reports."""
        area = self.image_size[0] * self.image_size[1]
        pass_costs = [area / p.stride**2 * p.key_count * p.iterations for p in self.passes]
        return sum(pass_costs) + 40 * area


def plan_levels(height: int, width: int, *, fast: bool = False) -> tuple[PaintingLevel, ...]:
    """Plan the patch method's levels from coarse to ``(height, width)``, by ``LEVEL_SIZE_RATIO``."""
    longer_side = max(height, width)
    sides: list[float] = [longer_side]
    while sides[-1] / LEVEL_SIZE_RATIO >= MIN_COARSEST_SIDE_PX:
        sides.append(sides[-1] / LEVEL_SIZE_RATIO)
    levels = []
    for side in reversed(sides):
        scale = side / longer_side
        size = (max(1, round(height * scale)), max(1, round(width * scale)))
        levels.append(PaintingLevel(size, _level_passes(side, fast), _level_noise(side)))
    return tuple(levels)


def _level_passes(side: float, fast: bool) -> tuple[PatchPass, ...]:
    if side >= 600:
        if fast:
            return (PatchPass(9, 3, 1, 8000, soft=True),)
        if side < 1200:
            return (PatchPass(7, 2, 1, 48_000, soft=True),)
        return (PatchPass(9, 3, 1, 32_000, soft=True),)
    if not fast and side >= 400:
        return (PatchPass(13, 4, 2, 16_000), PatchPass(7, 2, 2, 16_000))
    if not fast:
        return (PatchPass(21, 7, 2, 16_000), PatchPass(13, 4, 2, 16_000), PatchPass(7, 2, 2, 16_000))
    if side < 160:
        return (PatchPass(21, 7, 1, 4000), PatchPass(13, 4, 1, 4000), PatchPass(7, 2, 1, 4000))
    return (PatchPass(13, 5, 1, 4000), PatchPass(7, 3, 1, 4000))


def _level_noise(side: float) -> float:
    # Noise starts strokes. Once the structure is settled it would only leave specks on flat areas.
    return 0.3 if side < 300 else 0.2 if side < 600 else 0.0
