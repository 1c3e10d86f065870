"""Nearest-neighbour field: the best style patch for each patch of the image, reused in later iterations.

Coherence search (Ashikhmin 2001; Hertzmann et al. 2001) in the form of PatchMatch (Barnes et al. 2009): the
last match of a patch or of its neighbour, shifted, usually continues the same stroke. The search starts from
there, so that strokes stay intact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from artgen.style.patch.dictionary import PatchDictionary
from artgen.style.patch.thread_pool import ThreadPool

# Steps in rows and columns from a neighbour to the patch.
Neighbours = tuple[tuple[int, int], ...]
FORWARD_NEIGHBOURS: Neighbours = ((0, 1), (1, 0))
BACKWARD_NEIGHBOURS: Neighbours = ((0, -1), (-1, 0))
ALL_NEIGHBOURS: Neighbours = (*FORWARD_NEIGHBOURS, *BACKWARD_NEIGHBOURS)


@dataclass(frozen=True)
class PatchGrid:
    """Regular grid of overlapping patches over the image that is painted.

    Attributes:
        rows: number of patches vertically.
        columns: number of patches horizontally.
        stride: px between neighbours.
        top: px from the first patch's corner down to the top of the image.
        left: px from the first patch's corner to the left border of the image.
    """

    rows: int
    columns: int
    stride: int
    top: int
    left: int

    @classmethod
    def covering(
        cls, height: int, width: int, patch_side: int, stride: int, shift: Sequence[int]
    ) -> PatchGrid:
        """Return the grid that covers an image with a margin of half a patch, shifted by ``shift`` px."""
        top, left = patch_side // 2 + shift[0], patch_side // 2 + shift[1]
        return cls(-(-(top + height) // stride), -(-(left + width) // stride), stride, top, left)

    def subsample(self, spacing: int) -> PatchGrid:
        """Return the grid of every ``spacing``-th patch in each direction, from the first."""
        rows, columns = -(-self.rows // spacing), -(-self.columns // spacing)
        return replace(self, rows=rows, columns=columns, stride=self.stride * spacing)

    def split_into_stripes(self, max_patches: int) -> list[PatchGrid]:
        """Split the grid's rows into stripes of at most ``max_patches`` patches (or of one row)."""
        stripe_rows = max(1, max_patches // self.columns)
        return [
            replace(self, rows=min(stripe_rows, self.rows - start), top=self.top - start * self.stride)
            for start in range(0, self.rows, stripe_rows)
        ]

    def crop_padded(self, padded: Tensor, full_grid: PatchGrid, patch_side: int) -> Tensor:
        """Crop the part of this stripe from the image ``(3, H, W)`` that was padded for ``full_grid``."""
        first_row = full_grid.top - self.top
        return padded[:, first_row : first_row + (self.rows - 1) * self.stride + patch_side]


@dataclass
class PatchMatches:
    """The best matching style patch for each patch of a grid (nearest-neighbour field).

    Attributes:
        dictionary: dictionary of the style patches.
        grid: grid over the image.
        image_size: ``(H, W)`` of the image, px.
        corners: ``(rows, columns)``: flat upper left corners in the dictionary's atlas.
        distances: ``(rows, columns)``: squared distances.
        score_factors: ``(rows, columns)``: a distance times its factor is a score (see ``PatchDictionary``).
    """

    dictionary: PatchDictionary
    grid: PatchGrid
    image_size: tuple[int, int]
    corners: Tensor
    distances: Tensor
    score_factors: Tensor

    @property
    def scores(self) -> Tensor:
        """Scores of the matches, ``(rows, columns)``; smaller is better."""
        return self.distances * self.score_factors

    def propose_corners(
        self, dictionary: PatchDictionary, grid: PatchGrid, image_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Propose the corners and score factors of these matches for another grid, size or dictionary.

        The factors in the new dictionary are not known, so the old ones are returned; the caller rescales
        them by the medians.
        """
        device = self.corners.device
        old_half_patch, half_patch = self.dictionary.patch_side // 2, dictionary.patch_side // 2
        ratio = self.image_size[0] / image_size[0], self.image_size[1] / image_size[1]
        # Centres of the new patches at the old image size, the nearest old patches, and offsets from them.
        nearest_indices, offsets = [], []
        for patch_count, old_patch_count, grid_start, old_grid_start, axis_ratio in (
            (grid.rows, self.grid.rows, grid.top, self.grid.top, ratio[0]),
            (grid.columns, self.grid.columns, grid.left, self.grid.left, ratio[1]),
        ):
            centres = torch.arange(patch_count, device=device) * grid.stride - grid_start + half_patch
            centres = centres * axis_ratio
            old_position = (centres - old_half_patch + old_grid_start) / self.grid.stride
            nearest = old_position.round().long().clamp_(0, old_patch_count - 1)
            nearest_indices.append(nearest)
            offsets.append(centres - (nearest * self.grid.stride - old_grid_start + old_half_patch))
        corners = self.corners[nearest_indices[0]][:, nearest_indices[1]]
        old_atlas, new_atlas = self.dictionary.atlas, dictionary.atlas
        row, column = corners // old_atlas.width, corners % old_atlas.width
        old_image_index, old_image_top = old_atlas.find_image_of_row(row)
        # An image that is missing in the new atlas is replaced by the first: a poor proposal, soon improved.
        index_by_number = {number: index for index, number in enumerate(new_atlas.image_numbers)}
        new_image_index = torch.tensor(
            [index_by_number.get(number, 0) for number in old_atlas.image_numbers], device=device
        )[old_image_index]
        new_sizes = new_atlas.size_table[new_image_index]
        scale = new_sizes / old_atlas.size_table[old_image_index]
        y = (row - old_image_top + old_half_patch + offsets[0][:, None]) * scale[..., 0] - half_patch
        x = (column + old_half_patch + offsets[1]) * scale[..., 1] - half_patch
        y = torch.minimum(y.round().long().clamp_(min=0), new_sizes[..., 0] - dictionary.patch_side)
        x = torch.minimum(x.round().long().clamp_(min=0), new_sizes[..., 1] - dictionary.patch_side)
        new_image_top = torch.tensor(new_atlas.image_tops, device=device)[new_image_index]
        score_factors = self.score_factors[nearest_indices[0]][:, nearest_indices[1]]
        return (new_image_top + y) * new_atlas.width + x, score_factors

    def rank_used_images(self) -> list[int]:
        """Return the numbers of the style images, the most used first."""
        atlas = self.dictionary.atlas
        image_index, _ = atlas.find_image_of_row(self.corners.flatten() // atlas.width)
        use_counts = torch.bincount(image_index, minlength=len(atlas.image_numbers))
        ranking = use_counts.argsort(descending=True, stable=True).tolist()
        return [atlas.image_numbers[index] for index in ranking]

    def replace_worse(
        self, positions: Tensor, corners: Tensor, distances: Tensor, score_factors: Tensor
    ) -> None:
        """Replace the matches at flat ``positions`` by given ones, all ``(N,)``, whose scores are better."""
        is_better = distances * score_factors < self.scores.flatten()[positions]
        accepted = positions[is_better]
        self.corners.view(-1)[accepted] = corners[is_better]
        self.distances.view(-1)[accepted] = distances[is_better]
        self.score_factors.view(-1)[accepted] = score_factors[is_better]

    def propagate(self, queries: Tensor, neighbours: Neighbours, pool: ThreadPool) -> None:
        """Propose to every patch the continuation of its neighbours' matches, one neighbour after the other.

        Args:
            queries: ``(N, D)``: the principal components of the patches.
            neighbours: steps in rows and columns from a neighbour to the patch.
            pool: threads that measure distances.
        """
        width, stride = self.dictionary.atlas.width, self.grid.stride
        for row_step, column_step in neighbours:
            neighbour_corners = torch.roll(self.corners, (row_step, column_step), (0, 1))
            corners = neighbour_corners + (row_step * width + column_step) * stride
            column = neighbour_corners % width + column_step * stride
            is_proposed = (column >= 0) & (column < width) & self.dictionary.are_within_one_image(corners)
            if row_step:
                is_proposed[0 if row_step > 0 else -1] = False
            else:
                is_proposed[:, 0 if column_step > 0 else -1] = False
            candidates = (is_proposed & (corners != self.corners)).flatten().nonzero()[:, 0]
            corners = corners.flatten()[candidates]
            neighbour_factors = torch.roll(self.score_factors, (row_step, column_step), (0, 1))
            distances = self.dictionary.squared_distances(queries[candidates], corners, pool)
            self.replace_worse(candidates, corners, distances, neighbour_factors.flatten()[candidates])


def join_stripes(stripes: Sequence[PatchMatches], grid: PatchGrid) -> PatchMatches:
    """Join the patch matches of all stripes of a grid."""
    fields = ((stripe.corners, stripe.distances, stripe.score_factors) for stripe in stripes)
    joined = (torch.cat(parts) for parts in zip(*fields, strict=True))
    return PatchMatches(stripes[0].dictionary, grid, stripes[0].image_size, *joined)
