"""One iteration of painting: every patch is replaced by the style's best, and the overlaps vote."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.patch.dictionary import Dictionary
from artgen.style.patch.nnf import Field, Grid, joined
from artgen.style.patch.thread_pool import Crew

# Small: every part of the style appears. Large: each patch goes where it fits best. A soft pass only
# makes sharp what is there, and a favoured patch would be repeated as a hatching.
ALPHA, ALPHA_SOFT = 0.02, 1.0
ROBUSTNESS = 0.8
# Where a field was found before, one of so many parts of the keys is searched, and for so large a share of
# the patches, those that fit best already, none.
PARTS, CONTENT = 4, 0.4
# Patches of a stripe: described, each takes half a kilobyte, and memory must not grow with them.
AT_ONCE = 400_000


class Painter:
    """Lays the patches of one style over a picture, time and again.

    Texture optimisation by expectation and maximisation (Kwatra et al. 2005; Elad and
    Milanfar 2017). What was found the last time is where the next search begins.

    Args:
        generator: shifts the grid each time, else it would show.
        crew: who does the work.
        carry: from this longer side of the picture on, px, what was found is carried from one patch size and
            picture size to the next, and with it whole pieces of the style; below it only from one iteration
            to the next.
    """

    def __init__(self, generator: torch.Generator, crew: Crew, carry: float = math.inf) -> None:
        self.generator, self.crew, self.carry = generator, crew, carry
        self.field: Field | None = None
        self._turn = 0
        self._rarity: tuple[Dictionary, Tensor] | None = None

    def votes(self, image: Tensor, dictionary: Dictionary, stride: int) -> Tensor:
        """What the patches say of each pixel of ``(3, H, W)`` in ``[0, 1]``: sums of colours and of weights.

        Returns:
            ``(H, W, 4)``: red, green and blue times their weight, and the weight.
        """
        patch = dictionary.patch
        height, width = int(image.shape[1]), int(image.shape[2])
        top, left = torch.randint(stride, (2,), generator=self.generator).tolist()
        grid = Grid.over(height, width, patch, stride, (top, left))
        bottom = (grid.rows - 1) * stride + patch - grid.top - height
        right = (grid.columns - 1) * stride + patch - grid.left - width
        margin = (grid.left, max(0, right), grid.top, max(0, bottom))
        padded = F.pad(image[None], margin, mode="replicate")[0]
        rarity = self._rarities(padded, dictionary, stride)
        stripes = [
            self._search(stripe.rows_of(padded, grid, patch), dictionary, stripe, (height, width), rarity)
            for stripe in grid.stripes(AT_ONCE)
        ]
        self._rarity, self.field = (dictionary, rarity), joined(stripes, grid)
        weight = (self.field.distance / (3 * patch * patch) + 1e-4) ** ((ROBUSTNESS - 2) / 2)
        sums = self._sums(self.field.corners, weight / weight.mean(), dictionary, stride, padded.shape[1:])
        return sums[grid.top : grid.top + height, grid.left : grid.left + width]

    def _rarities(self, padded: Tensor, dictionary: Dictionary, stride: int) -> Tensor:
        """Of the dictionary's keys, by the picture that is painted; the same as long as the dictionary is."""
        if self._rarity is not None and self._rarity[0] is dictionary:
            return self._rarity[1]
        area = padded.shape[1] * padded.shape[2] / stride**2
        sparse = max(1, math.isqrt(int(area / AT_ONCE)))  # of many patches some tell enough
        queries = dictionary.describe(padded, stride * sparse).flatten(0, 1)
        return dictionary.rarity(queries, ALPHA_SOFT if dictionary.soft else ALPHA)

    def _search(
        self, rows: Tensor, dictionary: Dictionary, grid: Grid, size: tuple[int, int], rarity: Tensor
    ) -> Field:
        """The field of a stripe, of the padded picture's ``rows``."""
        queries = dictionary.describe(rows, grid.stride).flatten(0, 1)
        known, before = self.field, self._rarity
        same = before is not None and before[0] is dictionary
        if known is None or before is None or not (same or dictionary.soft or max(size) >= self.carry):
            best, distance = dictionary.search(queries, rarity, self.crew)
            found = dictionary.corners[best], distance, rarity[best]
            field = Field(dictionary, grid, size, *(each.view(grid.rows, grid.columns) for each in found))
        else:
            corners, theirs = known.carried(dictionary, grid, size)
            weight = theirs * (rarity.median() / before[1].median())
            distance = dictionary.apart(queries, corners.flatten(), self.crew).view(corners.shape)
            field = Field(dictionary, grid, size, corners, distance, weight)
            field.spread(queries, self.crew)
            self._again(field, queries, rarity)
        field.spread(queries, self.crew)
        return field

    def _again(self, field: Field, queries: Tensor, rarity: Tensor) -> None:
        """Look for what fits least among a part of the keys."""
        score = field.score.flatten()
        bound = score[:: max(1, len(score) // 100_000)].quantile(CONTENT)
        asked = (score >= bound).nonzero()[:, 0]
        best, distance = field.dictionary.search(
            queries[asked], rarity, self.crew, turn=self._turn, parts=PARTS
        )
        self._turn += 1
        better = distance * rarity[best] < score[asked]
        taken, best = asked[better], best[better]
        field.corners.view(-1)[taken] = field.dictionary.corners[best]
        field.distance.view(-1)[taken] = distance[better]
        field.rarity.view(-1)[taken] = rarity[best]

    def _sums(
        self, corners: Tensor, weight: Tensor, dictionary: Dictionary, stride: int, size: torch.Size
    ) -> Tensor:
        """Add up the overlapping patches, Gaussian-windowed: ``(*size, 4)``.

        Pixel by pixel of the patch, for all patches at once: no patch is ever stored.
        """
        atlas, patch = dictionary.atlas, dictionary.patch
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
        return sums
