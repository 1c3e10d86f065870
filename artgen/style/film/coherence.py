"""Temporally coherent style transfer for films: the paint moves with the objects (Ruder et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from artgen.style.detail import wide_gaussian_blur
from artgen.style.film.flow import estimate_motion, warp_along
from artgen.style.palette import match_colours_linearly

PaintFrame = Callable[[Tensor, Tensor | None], Tensor]
"""Paints a frame ``(3, H, W)``, starting from an image of its size, or from scratch with None."""
# Share of the last frame's warped paint in the colours and in the strokes of the next. Strokes are partly
# renewed: warped again and again they would become soft, and stretch where the film zooms.
WARPED_COLOUR_SHARE, WARPED_STROKE_SHARE = 0.8, 0.6
# Sigma of the blur that separates colours from strokes, relative to the longer side.
COLOUR_BLUR_SIGMA_SHARE = 1 / 64
# Colour difference, 0 to 1, at which the warped paint is rejected, as when the light changes slowly.
MAX_WARPED_COLOUR_DIFFERENCE = 0.25
# Mean confidence of the motion below which a frame starts a new scene, and below which areas that came into
# view get a painting of their own.
MIN_TRACKED_PIXEL_SHARE, MOSTLY_TRACKED_PIXEL_SHARE = 0.15, 0.7
MAX_PIXEL_BYTE = 255


class FilmPainter:
    """Paints the frames of a film in order, each starting from the last painting, warped by the motion.

    Areas that can be tracked keep their paint. Areas that come into view are painted from the frame's own
    colours, mapped to those of the painting, or from a separate painting if they are large. Every result is
    rounded to 8 bits, so that a frame read back from a PNG continues exactly like the one in memory.

    Args:
        paint_frame: paints one frame, with the same seed for all, so that grids and noise stay in place.
        colour_persistence: share of the last frame's colours in tracked areas, 0 to 1.

    Attributes:
        fresh_starts: number of frames painted without a start image, one for each scene.
    """

    def __init__(self, paint_frame: PaintFrame, colour_persistence: float = WARPED_COLOUR_SHARE) -> None:
        self._paint, self._colour_persistence = paint_frame, colour_persistence
        self._last_frame: Tensor | None = None
        self._last_painting: Tensor | None = None
        self.fresh_starts = 0

    def continue_from(self, frame: Tensor, painting: Tensor) -> None:
        """Continue from a film's frame that was painted before, such as in an interrupted run."""
        self._last_frame, self._last_painting = frame, painting

    def paint_next(self, frame: Tensor, *, cut: bool = False) -> Tensor:
        """Paint the film's next frame, ``(3, H, W)`` in [0, 1]; with ``cut`` it starts a new scene."""
        painting = None if cut else self._paint_tracked(frame)
        if painting is None:
            self.fresh_starts += 1
            painting = self._paint(frame, None)
        # Contiguous, like an image that was read from a file: sums over another layout round differently.
        painting = painting.clamp(0, 1).mul(MAX_PIXEL_BYTE).round_().div_(MAX_PIXEL_BYTE).contiguous()
        self.continue_from(frame, painting)
        return painting

    def _paint_tracked(self, frame: Tensor) -> Tensor | None:
        if self._last_frame is None or self._last_painting is None or self._last_frame.shape != frame.shape:
            return None
        motion = estimate_motion(frame, self._last_frame)
        if float(motion.confidence.mean()) < MIN_TRACKED_PIXEL_SHARE:
            return None
        warped, confidence = warp_along(self._last_painting, motion.flow), motion.confidence
        mostly_tracked = float(confidence.mean()) >= MOSTLY_TRACKED_PIXEL_SHARE
        if mostly_tracked:
            new_areas = match_colours_linearly(frame, self._last_painting.flatten(1))
        else:
            new_areas = self._paint(frame, None)
        painting = self._paint(frame, torch.lerp(new_areas, warped, confidence))
        return self._pull_to_warped(painting, warped, confidence)

    def _pull_to_warped(self, painting: Tensor, warped: Tensor, confidence: Tensor) -> Tensor:
        """Blend a frame's painting towards the warped last one where the motion is reliable."""
        sigma = max(1.0, max(warped.shape[-2:]) * COLOUR_BLUR_SIGMA_SHARE)
        coarse, coarse_warped = wide_gaussian_blur(painting, sigma), wide_gaussian_blur(warped, sigma)
        difference = (coarse - coarse_warped).abs().amax(0, keepdim=True)
        confidence = confidence * torch.exp(-((difference / MAX_WARPED_COLOUR_DIFFERENCE) ** 2))
        colours = torch.lerp(coarse, coarse_warped, self._colour_persistence)
        strokes = torch.lerp(painting - coarse, warped - coarse_warped, WARPED_STROKE_SHARE)
        return torch.lerp(painting, colours + strokes, confidence)
