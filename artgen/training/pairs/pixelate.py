"""The pair maker ``pixelate``: inputs are the targets, reduced."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from artgen.imaging.inputs import reduced_size, resize_by_area
from artgen.training.material.images import Pixels
from artgen.training.material.material import TrainingDataset
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.recipes.pairs import PixelateTable

# A crop is up to this many times larger than the target and then reduced: brush strokes at many scales, and
# no JPEG blocks at the larger ones.
MAX_CROP_REDUCTION = 3.2
KERNELS, KERNEL_PROBABILITIES = ("area", "bicubic", "bilinear", "blur"), (0.5, 0.2, 0.15, 0.15)


class PixelatePairMaker(PairMaker):
    """Crops targets at any scale, flips and recolours some, and reduces them to training inputs.

    The kernel of the reduction varies, so that a model does not depend on one; half are plain area means.
    """

    enlarge_mode = "nearest"

    def __init__(self, table: PixelateTable, dataset: TrainingDataset) -> None:
        super().__init__(dataset)
        self.table = table

    def draw_pair(self, side: int, rng: np.random.Generator) -> Pair:
        target = self._draw_target(self._draw_pixels(rng), side, rng)
        kernel = str(rng.choice(KERNELS, p=KERNEL_PROBABILITIES))
        return _reduce(target, reduced_size((side, side), self.table.factor), kernel), target

    def fixed_pair(self, index: int, count: int, side: int) -> Pair:
        """Return a validation pair: an image's centre at half its size, and its area means."""
        target = _crop_centre_at_half_size(self._validation_pixels(index, count), side)
        return resize_by_area(target, reduced_size((side, side), self.table.factor)), target

    def _draw_target(self, pixels: Pixels, side: int, rng: np.random.Generator) -> Tensor:
        """Draw a training target: a square of an image with random scale, flips and hues."""
        height, width = pixels.shape[:2]
        shorter_side = min(height, width)
        max_reduction = max(1.0, min(MAX_CROP_REDUCTION, shorter_side / side))
        crop_side = min(shorter_side, round(side * math.exp(rng.uniform(0.0, math.log(max_reduction)))))
        top, left = int(rng.integers(height - crop_side + 1)), int(rng.integers(width - crop_side + 1))
        crop = _crop_square(pixels, top, left, crop_side)
        if crop_side != side:  # at its own size a picture keeps its pixels as they are
            crop = crop.resize((side, side), Image.Resampling.LANCZOS)
        array = np.asarray(crop, dtype=np.float32) / 255
        if self.table.flips != "none" and rng.random() < 0.5:
            array = array[:, ::-1]
        if self.table.flips == "both" and rng.random() < 0.5:
            array = array[::-1]
        target = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
        return _shift_hues(target, rng) if rng.random() < self.table.recolour else target


def _crop_square(pixels: Pixels, top: int, left: int, side: int) -> Image.Image:
    return Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))


def _crop_centre_at_half_size(pixels: Pixels, side: int) -> Tensor:
    """Return the centre ``(3, side, side)`` of an image at half its size, or larger if it is too small."""
    height, width = pixels.shape[:2]
    crop_side = min(2 * side, height, width)
    crop = _crop_square(pixels, (height - crop_side) // 2, (width - crop_side) // 2, crop_side)
    array = np.asarray(crop.resize((side, side), Image.Resampling.LANCZOS), dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1).contiguous()


def _shift_hues(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Rotate a target's hues about the grey axis and scale its saturation, at random, within [0, 1]."""
    angle, saturation = rng.uniform(-math.pi, math.pi), rng.uniform(0.7, 1.5)
    cos, sin = math.cos(angle), math.sin(angle)
    third, root = (1 - cos) / 3, math.sqrt(1 / 3) * sin
    rotation = torch.tensor(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ]
    )
    grey = image.mean(0, keepdim=True)
    return (grey + saturation * torch.einsum("ij,jhw->ihw", rotation, image - grey)).clamp(0, 1)


def _reduce(target: Tensor, size: tuple[int, int], kernel: str) -> Tensor:
    """Reduce a training target to an input of ``size`` (H, W) by one of ``KERNELS``."""
    if kernel == "area":
        return resize_by_area(target, size)
    if kernel == "blur":
        half_size = F.avg_pool2d(target[None], 2)
        blurred = F.avg_pool2d(F.pad(half_size, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return resize_by_area(blurred[0], size)
    reduced = F.interpolate(target[None], size=size, mode=kernel, antialias=True, align_corners=False)
    return reduced[0].clamp(0, 1)
