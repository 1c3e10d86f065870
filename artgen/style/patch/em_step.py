"""One expectation-maximisation step: each patch is replaced by its best match, and overlaps vote."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.style.patch.dictionary import PatchDictionary
from artgen.style.patch.nnf import (
    ALL_NEIGHBOURS,
    BACKWARD_NEIGHBOURS,
    FORWARD_NEIGHBOURS,
    PatchGrid,
    PatchMatches,
    join_stripes,
)
from artgen.style.patch.thread_pool import ThreadPool

# Small: every part of the style is used. Large: each patch gets its best match. A soft pass only sharpens
# the image; there a favoured patch would be repeated as a hatching.
SCORE_ALPHA, SOFT_SCORE_ALPHA = 0.02, 1.0
ROBUST_NORM_EXPONENT = 0.8  # of the robust norm, by which good matches have more weight (Kwatra et al. 2005)
# If there are matches already, each iteration searches one of this many parts of the keys, and only for the
# patches outside the share with the best scores.
SEARCH_PARTS, SETTLED_SHARE, SOFT_SETTLED_SHARE = 4, 0.4, 0.7
# In grids of more patches only every second one in each direction is searched for; its neighbours continue
# its match, and the next iteration improves the worst.
MAX_SEARCHED_PATCHES = 8000
# Limits memory: the principal components of a patch and its temporaries take half a kilobyte.
MAX_STRIPE_PATCHES = 400_000


class PatchPainter:
    """Replaces the patches of an image by those of one style, once in each iteration.

    Texture optimisation by expectation and maximisation (Kwatra et al. 2005; Elad and Milanfar 2017). Each
    search starts from the last matches.

    Args:
        generator: shifts the grid in each iteration, because a fixed grid would be visible.
        pool: threads that do the work.
        carry_from_side: longer side of the image in px from which matches are carried over to the next patch
            size and image size, so that large parts of the style are copied; in smaller images they are
            carried over to the next iteration only.
        max_stripe_patches: patches that are matched at once; larger images are painted in stripes.

    Attributes:
        matches: the matches of the last iteration.
    """

    def __init__(
        self,
        generator: torch.Generator,
        pool: ThreadPool,
        carry_from_side: float = math.inf,
        max_stripe_patches: int = MAX_STRIPE_PATCHES,
    ) -> None:
        self.generator, self.pool, self.carry_from_side = generator, pool, carry_from_side
        self._max_stripe_patches = max_stripe_patches
        self.matches: PatchMatches | None = None
        self._search_count = 0
        self._last_factors: tuple[PatchDictionary, Tensor] | None = None

    def collect_votes(self, image: Tensor, dictionary: PatchDictionary, stride: int) -> Tensor:
        """Match all patches of ``(3, H, W)`` in ``[0, 1]`` and sum up their weighted colours.

        Returns:
            ``(H, W, 4)``: for each pixel the sums of weighted red, green and blue, and of the weights.
        """
        patch_side = dictionary.patch_side
        height, width = int(image.shape[1]), int(image.shape[2])
        shift = torch.randint(stride, (2,), generator=self.generator).tolist()
        grid = PatchGrid.covering(height, width, patch_side, stride, shift)
        bottom_margin = (grid.rows - 1) * stride + patch_side - grid.top - height
        right_margin = (grid.columns - 1) * stride + patch_side - grid.left - width
        margin = (grid.left, max(0, right_margin), grid.top, max(0, bottom_margin))
        padded = F.pad(image[None], margin, mode="replicate")[0]
        if self._last_factors is not None and self._last_factors[0] is not dictionary:
            self.free_descriptions()
        dictionary.describe_all()
        score_factors = self._find_score_factors(padded, dictionary, stride)
        stripes = []
        for stripe in grid.split_into_stripes(self._max_stripe_patches):
            rows = stripe.crop_padded(padded, grid, patch_side)
            stripes.append(self._match_stripe(rows, dictionary, stripe, (height, width), score_factors))
        self._last_factors, self.matches = (dictionary, score_factors), join_stripes(stripes, grid)
        mean_squares = self.matches.distances / (3 * patch_side * patch_side)
        vote_weights = (mean_squares + 1e-4) ** ((ROBUST_NORM_EXPONENT - 2) / 2)
        vote_sums = self._sum_votes(
            self.matches.corners, vote_weights / vote_weights.mean(), dictionary, stride, padded.shape[1:]
        )
        return vote_sums[grid.top : grid.top + height, grid.left : grid.left + width]

    def free_descriptions(self) -> None:
        """Free the descriptions of all patches of the dictionary that was used last."""
        if self._last_factors is not None:
            self._last_factors[0].forget_all()

    def _find_score_factors(self, padded: Tensor, dictionary: PatchDictionary, stride: int) -> Tensor:
        """Return the score factors of the keys for this image, reused while the dictionary stays the same."""
        if self._last_factors is not None and self._last_factors[0] is dictionary:
            return self._last_factors[1]
        area = padded.shape[1] * padded.shape[2] / stride**2
        subsampling = max(
            1, math.isqrt(int(area / self._max_stripe_patches))
        )  # a sample of many patches is enough
        queries = dictionary.project_image(padded, stride * subsampling).flatten(0, 1)
        return dictionary.compute_score_factors(queries, SOFT_SCORE_ALPHA if dictionary.soft else SCORE_ALPHA)

    def _match_stripe(
        self,
        rows: Tensor,
        dictionary: PatchDictionary,
        grid: PatchGrid,
        image_size: tuple[int, int],
        score_factors: Tensor,
    ) -> PatchMatches:
        """Find the matches of a stripe of the grid, which covers ``rows`` of the padded image."""
        queries = dictionary.project_image(rows, grid.stride).flatten(0, 1)
        last_matches, last_factors = self.matches, self._last_factors
        same_dictionary = last_factors is not None and last_factors[0] is dictionary
        if (
            last_matches is None
            or last_factors is None
            or not (same_dictionary or dictionary.soft or max(image_size) >= self.carry_from_side)
        ):
            matches = self._search_all(queries, dictionary, grid, image_size, score_factors)
        else:
            corners, last_score_factors = last_matches.propose_corners(dictionary, grid, image_size)
            proposed_factors = last_score_factors * (score_factors.median() / last_factors[1].median())
            distances = dictionary.squared_distances(queries, corners.flatten(), self.pool)
            distances = distances.view(corners.shape)
            matches = PatchMatches(dictionary, grid, image_size, corners, distances, proposed_factors)
            matches.propagate(queries, FORWARD_NEIGHBOURS, self.pool)
            self._improve_worst(matches, queries, score_factors)
            matches.propagate(queries, BACKWARD_NEIGHBOURS, self.pool)
        return matches

    def _search_all(
        self,
        queries: Tensor,
        dictionary: PatchDictionary,
        grid: PatchGrid,
        image_size: tuple[int, int],
        score_factors: Tensor,
    ) -> PatchMatches:
        """Search for all matches anew."""
        spacing = 1 if len(queries) <= MAX_SEARCHED_PATCHES else 2
        searched_grid = grid.subsample(spacing)
        searched = queries.view(grid.rows, grid.columns, -1)[::spacing, ::spacing].flatten(0, 1)
        best_keys, distances = dictionary.search(searched, score_factors, self.pool)
        found = dictionary.key_corners[best_keys], distances, score_factors[best_keys]
        fields = (values.view(searched_grid.rows, searched_grid.columns) for values in found)
        matches = PatchMatches(dictionary, searched_grid, image_size, *fields)
        if spacing > 1:
            corners, factors = matches.propose_corners(dictionary, grid, image_size)
            distances = dictionary.squared_distances(queries, corners.flatten(), self.pool)
            distances = distances.view(corners.shape)
            matches = PatchMatches(dictionary, grid, image_size, corners, distances, factors)
        matches.propagate(queries, ALL_NEIGHBOURS, self.pool)
        return matches

    def _improve_worst(self, matches: PatchMatches, queries: Tensor, score_factors: Tensor) -> None:
        """Search a part of the keys for the patches with the worst scores."""
        scores = matches.scores.flatten()
        settled_share = SOFT_SETTLED_SHARE if matches.dictionary.soft else SETTLED_SHARE
        min_score = scores[:: max(1, len(scores) // 100_000)].quantile(settled_share)
        searched = (scores >= min_score).nonzero()[:, 0]
        best_keys, distances = matches.dictionary.search(
            queries[searched],
            score_factors,
            self.pool,
            part_index=self._search_count,
            part_count=SEARCH_PARTS,
        )
        self._search_count += 1
        corners = matches.dictionary.key_corners[best_keys]
        matches.replace_worse(searched, corners, distances, score_factors[best_keys])

    def _sum_votes(
        self,
        corners: Tensor,
        vote_weights: Tensor,
        dictionary: PatchDictionary,
        stride: int,
        padded_size: torch.Size,
    ) -> Tensor:
        """Sum up the overlapping patches with a Gaussian window: ``(*padded_size, 4)``.

        Loops over the pixels of a patch, for all patches at once, so that no patch needs to be stored.
        """
        atlas, patch_side = dictionary.atlas, dictionary.patch_side
        rows, columns = corners.shape
        vote_sums = torch.zeros(padded_size[0], padded_size[1], 4, device=vote_weights.device)
        offsets = torch.linspace(-1, 1, patch_side, device=vote_weights.device)
        window = torch.exp(-(offsets[:, None] ** 2 + offsets**2) / 0.72).tolist()
        flat_corners, weight_column = corners.flatten(), vote_weights[..., None]
        for y in range(patch_side):
            for x in range(patch_side):
                colour_votes = atlas.pixels.index_select(0, flat_corners + (y * atlas.width + x))
                colour_votes = colour_votes.view(rows, columns, 4)
                covered = vote_sums[y : y + rows * stride : stride, x : x + columns * stride : stride]
                covered[:rows, :columns].addcmul_(colour_votes, weight_column, value=window[y][x])
        return vote_sums
