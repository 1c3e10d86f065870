"""Random crop windows, relative to an image: the same square can be cut out of images of different sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from artgen.training.material.images import Pixels


@dataclass(frozen=True)
class CropWindow:
    """A crop window, relative to the image's size; by default the largest square in the centre.

    Attributes:
        share: its side as a share of the image's shorter side, above 0 to 1.
        top: its position between the top (0) and the bottom (1).
        left: its position between the left (0) and the right (1).
        flip_horizontal: whether the crop is mirrored left to right.
        flip_vertical: whether the crop is turned upside down.
    """

    share: float = 1.0
    top: float = 0.5
    left: float = 0.5
    flip_horizontal: bool = False
    flip_vertical: bool = False

    def crop(self, pixels: Pixels, side: int) -> Tensor:
        """Cut the window out of ``(H, W, 3)`` uint8 pixels and return it as ``(3, side, side)`` in [0, 1].

        Args:
            pixels: the image.
            side: side of the result, px.
        """
        height, width = pixels.shape[:2]
        crop_side = max(1.0, min(height, width) * self.share)
        top, left = self.top * (height - crop_side), self.left * (width - crop_side)
        # Only the needed pixels are read from the mapped file; the box holds the fractions of a pixel.
        first_row, first_column = int(top), int(left)
        part = pixels[
            first_row : int(np.ceil(top + crop_side)), first_column : int(np.ceil(left + crop_side))
        ]
        box_left, box_top = left - first_column, top - first_row
        box_right = min(left - first_column + crop_side, part.shape[1])
        box_bottom = min(top - first_row + crop_side, part.shape[0])
        # ``reducing_gap`` first averages whole pixels of far larger crops: a third of the time, no visible
        # difference.
        resized = Image.fromarray(np.ascontiguousarray(part)).resize(
            (side, side),
            Image.Resampling.BICUBIC,
            (box_left, box_top, box_right, box_bottom),
            reducing_gap=2.0,
        )
        square = torch.from_numpy(np.array(resized)).permute(2, 0, 1).float().div_(255)
        flipped_axes = [axis for axis, flip in ((1, self.flip_vertical), (2, self.flip_horizontal)) if flip]
        return square.flip(flipped_axes).contiguous()


def draw_crop_window(scale: Sequence[float], flips: str, rng: np.random.Generator) -> CropWindow:
    """Draw a random crop window for a training pair.

    Args:
        scale: range of the image's shorter side, relative to the window's.
        flips: ``none``, ``horizontal`` or ``both``.
        rng: random generator of every choice.
    """
    scale_draw, top, left, horizontal_draw, vertical_draw = rng.random(5)
    low, high = scale
    return CropWindow(
        share=1 / (low + (high - low) * scale_draw),
        top=top,
        left=left,
        flip_horizontal=flips != "none" and horizontal_draw < 0.5,
        flip_vertical=flips == "both" and vertical_draw < 0.5,
    )
