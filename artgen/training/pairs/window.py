"""A square of a picture by chance: the same square can be cut out of two pictures of different sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artgen.training.material.images import Pixels


@dataclass(frozen=True)
class Window:
    """Where a square lies.

    Attributes:
        share: its side, relative to the picture's short side, above 0 to 1.
        top: its place in the room that is left, 0 to 1.
        left: the same across.
        mirrored: whether left and right change places.
        overturned: whether top and bottom do.
    """

    share: float = 1.0
    top: float = 0.5
    left: float = 0.5
    mirrored: bool = False
    overturned: bool = False

    def cut(self, pixels: Pixels, side: int) -> Tensor:
        """The square of ``(H, W, 3)`` uint8 pixels as ``(3, side, side)`` in [0, 1]."""
        height, width = pixels.shape[:2]
        cut = max(1.0, min(height, width) * self.share)
        top, left = self.top * (height - cut), self.left * (width - cut)
        # Only what is needed is read from the mapped file; the rest of the place is a fraction of a pixel.
        first, leftmost = int(top), int(left)
        piece = pixels[first : int(np.ceil(top + cut)), leftmost : int(np.ceil(left + cut))]
        box = (left - leftmost, top - first, left - leftmost + cut, top - first + cut)
        box = (box[0], box[1], min(box[2], piece.shape[1]), min(box[3], piece.shape[0]))
        patch = Image.fromarray(np.ascontiguousarray(piece))
        # From far larger pieces, whole pixels are averaged first: a third of the time, no visible difference.
        small = patch.resize((side, side), Image.Resampling.BICUBIC, box, reducing_gap=2.0)
        square = torch.from_numpy(np.array(small)).permute(2, 0, 1).float().div_(255)
        turned = [axis for axis, turn in ((1, self.overturned), (2, self.mirrored)) if turn]
        return square.flip(turned).contiguous()


def draw_window(scale: Sequence[float], flips: str, chance: np.random.Generator) -> Window:
    """A square by chance.

    Args:
        scale: range of the picture's short side, relative to the square's.
        flips: ``none``, ``horizontal`` or ``both``.
        chance: draws it.
    """
    size, top, left, mirrored, overturned = chance.random(5)
    low, high = scale
    return Window(
        share=1 / (low + (high - low) * size),
        top=top,
        left=left,
        mirrored=flips != "none" and mirrored < 0.5,
        overturned=flips == "both" and overturned < 0.5,
    )
