"""Which patch of the style lies where: found once, carried over to the next grid and the next size.

Coherence search (Ashikhmin 2001; Hertzmann et al. 2001) as PatchMatch does it (Barnes et al. 2009): what a
place or its neighbour found before, moved along, is as a rule the continuation of the same stroke. So search
starts from there, and strokes come out whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen.style.patch.dictionary import Dictionary
from artgen.style.patch.thread_pool import Crew

DIRECTIONS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True)
class Grid:
    """Where patches are laid over a picture.

    Attributes:
        rows: patches down.
        columns: patches across.
        stride: px between them.
        top: px by which the first one's corner lies above the picture.
        left: px by which it lies to the left of it.
    """

    rows: int
    columns: int
    stride: int
    top: int
    left: int

    @classmethod
    def over(cls, height: int, width: int, patch: int, stride: int, shift: tuple[int, int]) -> Grid:
        """The grid that covers a picture with a margin of half a patch, moved by ``shift`` px."""
        top, left = patch // 2 + shift[0], patch // 2 + shift[1]
        return cls(-(-(top + height) // stride), -(-(left + width) // stride), stride, top, left)

    def stripes(self, most: int) -> list[Grid]:
        """Its rows in order, in grids of at most ``most`` patches (or of one row)."""
        count = max(1, most // self.columns)
        starts = range(0, self.rows, count)
        rows = [min(count, self.rows - start) for start in starts]
        tops = [self.top - start * self.stride for start in starts]
        return [replace(self, rows=n, top=top) for n, top in zip(rows, tops, strict=True)]

    def rows_of(self, padded: Tensor, whole: Grid, patch: int) -> Tensor:
        """What a stripe covers of the picture ``(3, H, W)`` padded for the ``whole`` grid."""
        first = whole.top - self.top
        return padded[:, first : first + (self.rows - 1) * self.stride + patch]


@dataclass
class Field:
    """For each patch of a grid the style's patch that suits it.

    Attributes:
        dictionary: whose patches they are.
        grid: of the picture.
        size: the picture's ``(H, W)``, px.
        corners: ``(rows, columns)`` upper left corners in the dictionary's atlas.
        distance: likewise, squared distances.
        rarity: likewise, by how much a distance is multiplied to be a score (see ``Dictionary``).
    """

    dictionary: Dictionary
    grid: Grid
    size: tuple[int, int]
    corners: Tensor
    distance: Tensor
    rarity: Tensor

    @property
    def score(self) -> Tensor:
        """``(rows, columns)``: the smaller the better."""
        return self.distance * self.rarity

    def carried(self, dictionary: Dictionary, grid: Grid, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Corners and rarities that this field proposes for another grid, size or dictionary.

        What rarity will be there is not known; relative to the typical one it is taken to be as here.
        """
        device = self.corners.device
        half_old, half = self.dictionary.patch // 2, dictionary.patch // 2
        ratio = self.size[0] / size[0], self.size[1] / size[1]
        # Middles of the new patches at this field's size; the nearest of its patches; how far away they are.
        index, away = [], []
        for axis, (count, old_count, start, old_start) in enumerate(
            (
                (grid.rows, self.grid.rows, grid.top, self.grid.top),
                (grid.columns, self.grid.columns, grid.left, self.grid.left),
            )
        ):
            middle = (torch.arange(count, device=device) * grid.stride - start + half) * ratio[axis]
            place = (middle - half_old + old_start) / self.grid.stride
            nearest = place.round().long().clamp_(0, old_count - 1)
            index.append(nearest)
            away.append(middle - (nearest * self.grid.stride - old_start + half_old))
        corners = self.corners[index[0]][:, index[1]]
        atlas, target = self.dictionary.atlas, dictionary.atlas
        row, column = corners // atlas.width, corners % atlas.width
        picture, top = atlas.picture_of(row)
        # A picture that is no longer among them is stood in for by the first: a poor proposal, soon replaced.
        here = {number: place for place, number in enumerate(target.numbers)}
        theirs = torch.tensor([here.get(number, 0) for number in atlas.numbers], device=device)[picture]
        sizes = target.measures[theirs]
        scale = sizes / atlas.measures[picture]
        y = (row - top + half_old + away[0][:, None]) * scale[..., 0] - half
        x = (column + half_old + away[1]) * scale[..., 1] - half
        y = torch.minimum(y.round().long().clamp_(min=0), sizes[..., 0] - dictionary.patch)
        x = torch.minimum(x.round().long().clamp_(min=0), sizes[..., 1] - dictionary.patch)
        found = (torch.tensor(target.tops, device=device)[theirs] + y) * target.width + x
        rarity = self.rarity[index[0]][:, index[1]]
        return found, rarity

    def used(self) -> list[int]:
        """The style's pictures by their numbers, the most used first."""
        picture, _ = self.dictionary.atlas.picture_of(self.corners.flatten() // self.dictionary.atlas.width)
        count = torch.bincount(picture, minlength=len(self.dictionary.atlas.numbers))
        order = count.argsort(descending=True, stable=True).tolist()
        return [self.dictionary.atlas.numbers[place] for place in order]

    def propose(self, queries: Tensor, corners: Tensor, rarity: Tensor, where: Tensor, crew: Crew) -> None:
        """Take over what is better.

        Args:
            queries: ``(rows * columns, D)``.
            corners: ``(rows, columns)`` proposed.
            rarity: likewise.
            where: likewise, whether there is a proposal.
            crew: who compares.
        """
        asked = (where & (corners != self.corners)).flatten().nonzero()[:, 0]
        at, weight = corners.flatten()[asked], rarity.flatten()[asked]
        distance = self.dictionary.apart(queries[asked], at, crew)
        better = distance * weight < self.score.flatten()[asked]
        taken = asked[better]
        self.corners.view(-1)[taken] = at[better]
        self.distance.view(-1)[taken] = distance[better]
        self.rarity.view(-1)[taken] = weight[better]

    def spread(self, queries: Tensor, crew: Crew) -> None:
        """Every patch asks its four neighbours what would continue theirs."""
        width, stride = self.dictionary.atlas.width, self.grid.stride
        for down, right in DIRECTIONS:
            theirs = torch.roll(self.corners, (down, right), (0, 1))
            corners = theirs + (down * width + right) * stride
            column = theirs % width + right * stride
            where = (column >= 0) & (column < width) & self.dictionary.whole(corners)
            if down:
                where[0 if down > 0 else -1] = False
            else:
                where[:, 0 if right > 0 else -1] = False
            self.propose(queries, corners, torch.roll(self.rarity, (down, right), (0, 1)), where, crew)


def joined(stripes: Sequence[Field], grid: Grid) -> Field:
    """The field of a whole grid, of those of its stripes."""
    parts = ([getattr(stripe, name) for stripe in stripes] for name in ("corners", "distance", "rarity"))
    return Field(stripes[0].dictionary, grid, stripes[0].size, *(torch.cat(part) for part in parts))
