"""Frames of a film, painted so that the paint moves with what it shows (after Ruder et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from artgen.style.flow import motion_between, warped
from artgen.style.palette import linear_map

Paint = Callable[[Tensor, Tensor | None], Tensor]
"""Paints a frame ``(3, H, W)``, beginning from a picture of its size, or afresh from None."""
# How far a frame is drawn from its own painting to the one before, where that can be trusted.
HOLD = 0.8
# Where so little of a frame can be followed, it is another scene.
FOLLOWED = 0.15
LEVELS = 255


class Follower:
    """Paints frame after frame, each begun from the last one's paint, which went where the film went.

    What can be followed keeps its paint; what came into view is painted from the frame's own colours, taken
    to the painting's. Every result is rounded to 8 bits, so that one read from a PNG leads on exactly as the
    one in memory.

    Args:
        paint: paints one frame; with the same seed for all, so that grids and noise stay in place.
        hold: share of the last frame's paint in what can be followed, 0 to 1: 1 never paints anew.
    """

    def __init__(self, paint: Paint, hold: float = HOLD) -> None:
        self._paint, self._hold = paint, hold
        self._frame: Tensor | None = None
        self._painted: Tensor | None = None
        self.afresh = 0

    def go_on(self, frame: Tensor, painted: Tensor) -> None:
        """Let the next frame follow this one, which was painted before."""
        self._frame, self._painted = frame, painted

    def next(self, frame: Tensor, *, cut: bool = False) -> Tensor:
        """The painting of the next frame, ``(3, H, W)`` in [0, 1]; a ``cut`` begins a scene with it."""
        painted = None if cut else self._followed(frame)
        if painted is None:
            self.afresh += 1
            painted = self._paint(frame, None)
        painted = painted.clamp(0, 1).mul(LEVELS).round_().div_(LEVELS)
        self.go_on(frame, painted)
        return painted

    def _followed(self, frame: Tensor) -> Tensor | None:
        if self._frame is None or self._painted is None or self._frame.shape != frame.shape:
            return None
        motion = motion_between(frame, self._frame)
        if float(motion.trust.mean()) < FOLLOWED:
            return None
        came = warped(self._painted, motion.flow)
        fresh = linear_map(frame, self._painted.flatten(1), 1.0)
        painted = self._paint(frame, torch.lerp(fresh, came, motion.trust))
        return torch.lerp(painted, came, self._hold * motion.trust)
