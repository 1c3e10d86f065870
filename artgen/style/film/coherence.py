"""Frames of a film, painted so that the paint moves with what it shows (after Ruder et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from artgen.style.detail import wide_blur
from artgen.style.film.flow import motion_between, warped
from artgen.style.palette import linear_map

Paint = Callable[[Tensor, Tensor | None], Tensor]
"""Paints a frame ``(3, H, W)``, beginning from a picture of its size, or afresh from None."""
# How far colours are drawn from a frame's own painting to what came from the last one, and how far its
# strokes. Strokes are partly renewed: moved on and on they would go soft, and stretch where the film zooms.
COLOURS, STROKES = 0.8, 0.6
# Blur in which colours are told from strokes, over the long side.
COARSE = 1 / 64
# So far apart in colour, what came is not what should be painted: light that changes slowly, too.
UNLIKE = 0.25
# Where so little of a frame can be followed, it is another scene; where so little, what is new is worth a
# painting of its own.
FOLLOWED, MOST = 0.15, 0.7
LEVELS = 255


class Follower:
    """Paints frame after frame, each begun from the last one's paint, which went where the film went.

    What can be followed keeps its paint. What came into view is painted from the frame's own colours, taken
    to the painting's, or, where that is much, from a painting of its own. Every result is rounded to 8 bits,
    so that one read from a PNG leads on exactly as the one in memory.

    Args:
        paint: paints one frame; with the same seed for all, so that grids and noise stay in place.
        hold: of colours, in what can be followed: the share of the last frame's paint, 0 to 1.
    """

    def __init__(self, paint: Paint, hold: float = COLOURS) -> None:
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
        # Contiguous, as one that is read is: sums over another layout round differently.
        painted = painted.clamp(0, 1).mul(LEVELS).round_().div_(LEVELS).contiguous()
        self.go_on(frame, painted)
        return painted

    def _followed(self, frame: Tensor) -> Tensor | None:
        if self._frame is None or self._painted is None or self._frame.shape != frame.shape:
            return None
        motion = motion_between(frame, self._frame)
        if float(motion.trust.mean()) < FOLLOWED:
            return None
        came, trust = warped(self._painted, motion.flow), motion.trust
        seen = float(trust.mean()) >= MOST
        new = linear_map(frame, self._painted.flatten(1), 1.0) if seen else self._paint(frame, None)
        painted = self._paint(frame, torch.lerp(new, came, trust))
        return self._drawn(painted, came, trust)

    def _drawn(self, painted: Tensor, came: Tensor, trust: Tensor) -> Tensor:
        """The painting, drawn towards what came where that is to be trusted."""
        sigma = max(1.0, max(came.shape[-2:]) * COARSE)
        coarse, coarse_came = wide_blur(painted, sigma), wide_blur(came, sigma)
        apart = (coarse - coarse_came).abs().amax(0, keepdim=True)
        trust = trust * torch.exp(-((apart / UNLIKE) ** 2))
        colours = torch.lerp(coarse, coarse_came, self._hold)
        strokes = torch.lerp(painted - coarse, came - coarse_came, STROKES)
        return torch.lerp(painted, colours + strokes, trust)
