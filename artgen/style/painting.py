"""One iteration of painting: every patch is replaced by the style's best, and the overlaps vote."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.dictionary import Dictionary

# Small: every part of the style appears. Large: each patch goes where it fits best. A soft pass only
# makes sharp what is there, and a favoured patch would be repeated as a hatching.
ALPHA, ALPHA_SOFT = 0.02, 1.0
ROBUSTNESS = 0.8
GROUPS = 4


class Painter:
    """Lays the patches of one dictionary over a picture, several times.

    Texture optimisation by expectation and maximisation (Kwatra et al. 2005; Elad and
    Milanfar 2017).

    Args:
        dictionary: patches of the style.
        stride: distance of the grid's points, px.
        generator: shifts the grid each time, else it would show.
    """

    def __init__(self, dictionary: Dictionary, stride: int, generator: torch.Generator) -> None:
        self.dictionary, self.stride, self.generator = dictionary, stride, generator
        self._rarity: Tensor | None = None

    def paint(self, image: Tensor) -> Tensor:
        """``(3, H, W)`` in ``[0, 1]``, painted over once."""
        patch, stride = self.dictionary.patch, self.stride
        height, width = image.shape[1:]
        top, left = (patch // 2 + s for s in torch.randint(stride, (2,), generator=self.generator).tolist())
        rows = -(-(top + height) // stride)
        columns = -(-(left + width) // stride)
        bottom = (rows - 1) * stride + patch - top - height
        right = (columns - 1) * stride + patch - left - width
        padded = F.pad(image[None], (left, max(0, right), top, max(0, bottom)), mode="replicate")[0]
        grid = self.dictionary.describe(padded, stride)
        queries = grid.reshape(-1, grid.shape[2])
        if self._rarity is None:
            self._rarity = self.dictionary.rarity(queries, ALPHA_SOFT if self.dictionary.soft else ALPHA)
        best, distance = self.dictionary.search(queries, self._rarity, self._groups(len(queries)))
        weight = (distance / (3 * patch * patch) + 1e-4) ** ((ROBUSTNESS - 2) / 2)
        corners = self.dictionary.corners[best].view(grid.shape[:2])
        painted = self._vote(corners, (weight / weight.mean()).view(grid.shape[:2]), padded.shape[1:])
        return painted[:, top : top + height, left : left + width]

    def _groups(self, count: int) -> Tensor | None:
        """In a soft pass neighbours look among different keys.

        On flat ground they would else all find the same one, and it would be repeated with the
        grid's period.
        """
        if not self.dictionary.soft or len(self.dictionary.keys) < GROUPS * 1000:
            return None
        return torch.randint(GROUPS, (count,), generator=self.generator).to(self.dictionary.keys.device)

    def _vote(self, corners: Tensor, weight: Tensor, size: torch.Size) -> Tensor:
        """Average the overlapping patches, Gaussian-windowed: ``(3, *size)``.

        Pixel by pixel of the patch, for all patches at once: no patch is ever stored.
        """
        atlas, patch, stride = self.dictionary.atlas, self.dictionary.patch, self.stride
        rows, columns = corners.shape
        sums = torch.zeros(size[0], size[1], 4, device=weight.device)
        at = torch.linspace(-1, 1, patch, device=weight.device)
        window = torch.exp(-(at[:, None] ** 2 + at**2) / 0.72).tolist()
        flat, column = corners.flatten(), weight[..., None]
        for y in range(patch):
            for x in range(patch):
                votes = atlas.pixels.index_select(0, flat + (y * atlas.width + x)).view(rows, columns, 4)
                target = sums[y : y + rows * stride : stride, x : x + columns * stride : stride]
                target[:rows, :columns].addcmul_(votes, column, value=window[y][x])
        return (sums[..., :3] / sums[..., 3:].clamp_min(1e-8)).permute(2, 0, 1)
