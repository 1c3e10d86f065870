"""The pair maker ``pixelate``: inputs are targets, reduced."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from artgen.imaging.inputs import cells, pixelated
from artgen.training.material.images import Pixels
from artgen.training.material.material import Material
from artgen.training.pairs.maker import Pair, PairMaker
from artgen.training.recipes.pairs import Pixelate

# A crop is taken up to this many times larger than the target and reduced to it: brush strokes at many
# scales, and no JPEG blocks at the larger ones.
LARGEST_REDUCTION = 3.2
KERNELS = ("area", "bicubic", "bilinear", "blur")


class PixelatePairs(PairMaker):
    """Crops of any scale, flipped, some of them re-coloured; reduced by kernels that vary.

    So a model does not depend on one kernel; half are plain area means.
    """

    enlarging = "nearest"

    def __init__(self, table: Pixelate, material: Material) -> None:
        super().__init__(material)
        self.table = table

    def random(self, side: int, chance: np.random.Generator) -> Pair:
        target = self._target(self._drawn(chance), side, chance)
        kernel = str(chance.choice(KERNELS, p=(0.5, 0.2, 0.15, 0.15)))
        return _reduced(target, cells((side, side), self.table.factor), kernel), target

    def fixed(self, index: int, count: int, side: int) -> Pair:
        """The middle of an image, reduced to twice the target; the input is its area mean."""
        target = middle(self.material.validation.pixels, index, count, side)
        return pixelated(target, cells((side, side), self.table.factor)), target

    def _target(self, pixels: Pixels, side: int, chance: np.random.Generator) -> Tensor:
        height, width = pixels.shape[:2]
        largest = min(height, width)
        furthest = max(1.0, min(LARGEST_REDUCTION, largest / side))
        cut = min(largest, round(side * math.exp(chance.uniform(0.0, math.log(furthest)))))
        top, left = int(chance.integers(height - cut + 1)), int(chance.integers(width - cut + 1))
        patch = Image.fromarray(np.ascontiguousarray(pixels[top : top + cut, left : left + cut]))
        if cut != side:  # at its own size a picture keeps its pixels as they are
            patch = patch.resize((side, side), Image.Resampling.LANCZOS)
        array = np.asarray(patch, dtype=np.float32) / 255
        if self.table.flips != "none" and chance.random() < 0.5:
            array = array[:, ::-1]
        if self.table.flips == "both" and chance.random() < 0.5:
            array = array[::-1]
        target = torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))
        return _recolour(target, chance) if chance.random() < self.table.recolour else target


def middle(images: Sequence[Pixels], index: int, count: int, side: int) -> Tensor:
    """The middle ``(3, side, side)`` of one of evenly chosen images, at half its size where it can be."""
    pixels = images[index * len(images) // count]
    height, width = pixels.shape[:2]
    cut = min(2 * side, height, width)
    top, left = (height - cut) // 2, (width - cut) // 2
    patch = Image.fromarray(np.ascontiguousarray(pixels[top : top + cut, left : left + cut]))
    array = np.asarray(patch.resize((side, side), Image.Resampling.LANCZOS), dtype=np.float32) / 255
    return torch.from_numpy(array).permute(2, 0, 1).contiguous()


def _recolour(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Turn the hue about the grey axis and scale saturation, keeping within [0, 1]."""
    angle, saturation = rng.uniform(-math.pi, math.pi), rng.uniform(0.7, 1.5)
    cos, sin = math.cos(angle), math.sin(angle)
    third, root = (1 - cos) / 3, math.sqrt(1 / 3) * sin
    turn = torch.tensor(
        [
            [cos + third, third - root, third + root],
            [third + root, cos + third, third - root],
            [third - root, third + root, cos + third],
        ]
    )
    grey = image.mean(0, keepdim=True)
    return (grey + saturation * torch.einsum("ij,jhw->ihw", turn, image - grey)).clamp(0, 1)


def _reduced(target: Tensor, size: tuple[int, int], kernel: str) -> Tensor:
    if kernel == "area":
        return pixelated(target, size)
    if kernel == "blur":
        half = F.avg_pool2d(target[None], 2)
        soft = F.avg_pool2d(F.pad(half, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        return pixelated(soft[0], size)
    reduced = F.interpolate(target[None], size=size, mode=kernel, antialias=True, align_corners=False)
    return reduced[0].clamp(0, 1)
