"""Patches of the style images at one level, and the search for the best match."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import enlarge, shrink
from artgen.style.patch.schedule import LEVEL_SIZE_RATIO
from artgen.style.patch.thread_pool import ThreadPool

# The most important of a patch's principal components suffice to search for a match.
MAX_PATCH_COMPONENTS, SEARCHED_PATCH_COMPONENTS = 32, 24
MAX_BASIS_PATCHES = 2000
MAX_PROBE_PATCHES = 2000
# Up to these sizes the components of all patches of an atlas are computed at once, 128 bytes each.
MAX_DESCRIBED_PIXELS, MAX_DESCRIBED_PATCH_SIDE = 1_000_000, 9
# The scores of a batch must fit into a CPU's cache; a GPU needs larger batches. (On CPUs with bfloat16 the
# product takes half the time, but finding its maximum three times as long, so nothing is gained.)
CPU_QUERIES_PER_BATCH, GPU_QUERIES_PER_BATCH = 128, 8192
PATCHES_PER_CHUNK = 4096
KEYS_PER_BLOCK = 128


class StyleAtlas:
    """Several style images in one image, stacked vertically, for the search of patches.

    Args:
        images: ``(3, h, w)`` each.
        image_numbers: the numbers of the images in their ``StyleSet``; by default 0, 1, 2 ...
    """

    def __init__(self, images: list[Tensor], image_numbers: Sequence[int] | None = None) -> None:
        self.images = images
        self.image_numbers = tuple(range(len(images)) if image_numbers is None else image_numbers)
        width = max(image.shape[2] for image in images)
        image = torch.cat([F.pad(image, (0, width - image.shape[2])) for image in images], 1)
        self.image = image.permute(1, 2, 0).contiguous()
        self.image_sizes = [(image.shape[1], image.shape[2]) for image in images]
        self.image_tops = list(accumulate((height for height, _ in self.image_sizes[:-1]), initial=0))
        # Rows of red, green, blue and one, so that voting sums colours and weights together.
        self.pixels = F.pad(self.image, (0, 1), value=1.0).view(-1, 4)

    @property
    def width(self) -> int:
        """Width of the atlas in px."""
        return int(self.image.shape[1])

    def list_patch_corners(self, patch_side: int) -> list[Tensor]:
        """Return for each image the flat indices of all possible upper left corners of patches."""
        corners_by_image = []
        for top, (height, width) in zip(self.image_tops, self.image_sizes, strict=True):
            rows = torch.arange(top, top + height - patch_side + 1)[:, None] * self.width
            corners_by_image.append((rows + torch.arange(width - patch_side + 1)).flatten())
        return corners_by_image

    @cached_property
    def size_table(self) -> Tensor:
        """Height and width of each style image of the atlas: ``(images, 2)``."""
        return torch.tensor(self.image_sizes, device=self.image.device)

    def find_image_of_row(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """Return the index of the image that contains a row of the atlas, and its first row."""
        image_tops = torch.tensor(self.image_tops, device=row.device)
        image_index = (torch.searchsorted(image_tops, row.contiguous(), right=True) - 1).clamp_(min=0)
        return image_index, image_tops[image_index]

    def blur_as_enlarged(self) -> Tensor:
        """Return the atlas, ``(H, W, 3)``, as blurred as if it were enlarged from the next smaller level."""
        blurred = torch.zeros_like(self.image)
        for image, top, size in zip(self.images, self.image_tops, self.image_sizes, strict=True):
            smaller = shrink(image, [max(1, round(side / LEVEL_SIZE_RATIO)) for side in size])
            blurred[top : top + size[0], : size[1]] = enlarge(smaller, size).permute(1, 2, 0)
        return blurred

    def read_patches(self, image: Tensor, corners: Tensor, patch_side: int) -> Tensor:
        """Read the patches of ``image``, ``(H, W, 3)`` of the atlas's size, at flat ``corners``.

        Returns:
            ``(N, 3 * patch_side * patch_side)``, pixel by pixel, so that whole rows of a patch are copied.
        """
        row_stride = 3 * self.width
        corner_count = image.shape[0] * self.width - (patch_side - 1) * self.width - patch_side + 1
        patches = image.as_strided((corner_count, patch_side, 3 * patch_side), (3, row_stride, 1))
        return patches.index_select(0, corners).flatten(1)


class PatchDictionary:
    """Searchable style patches of one size, reduced to their principal components.

    The drawn patches are the keys. Distances are squared, between principal components. The score of a key
    is its distance divided by its distance to the nearest query (GPNN, Granot et al. 2022), so that every
    part of the style is used.

    Args:
        atlas: contains the style images.
        patch_side: side of the patches, px.
        key_count: number of keys, divided among the images by weight.
        image_weights: weight of each image.
        generator: draws the keys.
        soft: compare blurred style images with the image, as if both were just enlarged from the next smaller
            level; the sharp originals of the best matches then sharpen the image (Image Analogies, Hertzmann
            et al. 2001).
    """

    def __init__(
        self,
        atlas: StyleAtlas,
        patch_side: int,
        key_count: int,
        image_weights: list[float],
        generator: torch.Generator,
        *,
        soft: bool = False,
    ) -> None:
        self.atlas, self.patch_side, self.soft = atlas, patch_side, soft
        # Cumulative sums are rounded: of thousands of images each may get less than one key.
        key_ends = [
            round(key_count * weight_sum / sum(image_weights))
            for weight_sum in accumulate(image_weights, initial=0.0)
        ]
        drawn_corners = torch.cat(
            [
                _draw_rows(image_corners, stop - start, generator)
                for image_corners, (start, stop) in zip(
                    atlas.list_patch_corners(patch_side), pairwise(key_ends), strict=True
                )
            ]
        )
        self._descriptions: Tensor | None = None
        self.key_corners = _draw_rows(drawn_corners, len(drawn_corners), generator).to(atlas.image.device)
        sample = _draw_rows(self.key_corners, MAX_BASIS_PATCHES, generator)
        self.compared_image = atlas.blur_as_enlarged() if soft else atlas.image
        patches = atlas.read_patches(self.compared_image, sample, patch_side)
        self.mean = patches.mean(0)
        self.basis = principal_axes(patches - self.mean, MAX_PATCH_COMPONENTS, generator)
        self.keys = torch.cat([self.project_patches(chunk) for chunk in self.key_corners.split(2048)])
        self.key_norms = (self.keys**2).sum(1)

    def project_image(self, image: Tensor, stride: int) -> Tensor:
        """Return the principal components of patches of ``(3, H, W)`` on a grid: ``(rows, columns, D)``."""
        filters = self.basis.T.reshape(-1, self.patch_side, self.patch_side, 3).permute(0, 3, 1, 2)
        offset = -(self.mean @ self.basis)
        # Channels last, as the result is read: in half of the time.
        image = image[None].contiguous(memory_format=torch.channels_last)
        filters = filters.contiguous(memory_format=torch.channels_last)
        return F.conv2d(image, filters, offset, stride=stride)[0].permute(1, 2, 0).contiguous()

    def describe_all(self) -> None:
        """Compute the principal components of all patches, if both the atlas and the patches are small.

        Until ``forget_all``, ``project_patches`` only looks them up: most are needed several times.
        """
        is_small = (
            len(self.atlas.pixels) <= MAX_DESCRIBED_PIXELS and self.patch_side <= MAX_DESCRIBED_PATCH_SIDE
        )
        if self._descriptions is None and is_small:
            # Padded at the right, so that a patch's row has the index of its corner.
            image = F.pad(self.compared_image.permute(2, 0, 1), (0, self.patch_side - 1))
            self._descriptions = self.project_image(image, 1).reshape(-1, self.basis.shape[1])

    def forget_all(self) -> None:
        """Free what ``describe_all`` computed."""
        self._descriptions = None

    def project_patches(self, corners: Tensor) -> Tensor:
        """Return the principal components ``(N, D)`` of the patches at ``(N,)`` corners, keys or not."""
        if (descriptions := self._descriptions) is not None:
            return descriptions.index_select(0, corners)
        patches = self.atlas.read_patches(self.compared_image, corners, self.patch_side)
        return (patches - self.mean) @ self.basis

    def squared_distances(self, queries: Tensor, corners: Tensor, pool: ThreadPool) -> Tensor:
        """Return squared distances ``(N,)`` between ``(N, D)`` queries and patches at ``(N,)`` corners."""
        distances = torch.empty(len(queries), device=queries.device)

        def compute_chunk(start: int, stop: int) -> None:
            components = self.project_patches(corners[start:stop])
            torch.sum(components.sub_(queries[start:stop]).square_(), 1, out=distances[start:stop])

        pool.run_chunks(compute_chunk, len(queries), PATCHES_PER_CHUNK)
        return distances

    def are_within_one_image(self, corners: Tensor) -> Tensor:
        """Return for each corner whether its patch is within a single image."""
        atlas = self.atlas
        row, column = corners // atlas.width, corners % atlas.width
        image_index, image_top = atlas.find_image_of_row(row)
        height, width = atlas.size_table[image_index].unbind(-1)
        inside = (row - image_top <= height - self.patch_side) & (column <= width - self.patch_side)
        return inside & (corners >= 0)

    def compute_score_factors(self, queries: Tensor, alpha: float) -> Tensor:
        """Return ``1 / (d + alpha * median(d))`` of each key; ``d`` is its distance to the nearest query."""
        probes = queries[:: max(1, len(queries) // MAX_PROBE_PATCHES)]
        columns = torch.cat([-2 * probes, (probes**2).sum(1, keepdim=True)], 1).T.contiguous()
        keys = F.pad(self.keys, (0, 1), value=1.0)
        nearest_distances = torch.cat([(chunk @ columns).amin(1) for chunk in keys.split(KEYS_PER_BLOCK)])
        nearest_distances = (nearest_distances + self.key_norms).clamp_min_(0)
        return 1 / (nearest_distances + alpha * nearest_distances.median().clamp_min(1e-6))

    def search(
        self,
        queries: Tensor,
        score_factors: Tensor,
        pool: ThreadPool,
        *,
        part_index: int = 0,
        part_count: int = 1,
    ) -> tuple[Tensor, Tensor]:
        """Find the style patch with the best score for each query.

        Args:
            queries: ``(N, D)`` from :meth:`project_image`.
            score_factors: ``(keys,)`` from :meth:`compute_score_factors`.
            pool: threads that search.
            part_index: the part of the keys to search, modulo ``part_count``.
            part_count: number of parts; part ``i`` has every ``part_count``-th key from ``i`` on.

        Returns:
            Index of the best key ``(N,)`` and its squared distance ``(N,)``.
        """
        key_part = slice(part_index % part_count, None, part_count)
        part_keys = self.keys[key_part, :SEARCHED_PATCH_COMPONENTS]
        part_norms = (part_keys**2).sum(1)
        # -score = factor * (2 q.k - |k|^2 - |q|^2): one matrix product with two additional columns.
        columns = [2 * part_keys, -part_norms[:, None], -torch.ones_like(part_norms)[:, None]]
        score_matrix = (torch.cat(columns, 1) * score_factors[key_part, None]).T
        padding = (0, -len(part_keys) % KEYS_PER_BLOCK)
        score_matrix = F.pad(score_matrix, padding, mode="replicate").contiguous()
        leading = queries[:, :SEARCHED_PATCH_COMPONENTS]
        squared_norms = (leading**2).sum(1, keepdim=True)
        extended = torch.cat([leading, torch.ones_like(squared_norms), squared_norms], 1)
        best_keys = torch.empty(len(queries), dtype=torch.long, device=queries.device)
        batch_size = CPU_QUERIES_PER_BATCH if queries.device.type == "cpu" else GPU_QUERIES_PER_BATCH

        def search_chunk(start: int, stop: int) -> None:
            # One buffer for all batches: thousands of such allocations would fragment the heap.
            buffer = torch.empty(batch_size, score_matrix.shape[1], device=queries.device)
            row_indices = torch.arange(batch_size, device=queries.device)
            for batch_start in range(start, stop, batch_size):
                rows = slice(batch_start, min(batch_start + batch_size, stop))
                count = rows.stop - rows.start
                # On a CPU argmax over long rows is slow, amax is not: find the best block, then search it.
                scores = torch.mm(extended[rows], score_matrix, out=buffer[:count])
                scores = scores.view(count, -1, KEYS_PER_BLOCK)
                best_block = scores.amax(2).argmax(1)
                best_in_block = scores[row_indices[:count], best_block].argmax(1)
                best_keys[rows] = best_block * KEYS_PER_BLOCK + best_in_block

        pool.run_chunks(search_chunk, len(queries), 16 * batch_size)
        best_keys = best_keys.clamp_(max=len(part_keys) - 1) * part_count + part_index % part_count
        return best_keys, self.squared_distances(queries, self.key_corners[best_keys], pool)


def _draw_rows(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Draw at most ``count`` of the patches, in random order."""
    return rows[torch.randperm(len(rows), generator=generator)[:count].to(rows.device)]


def principal_axes(rows: Tensor, dimensions: int, generator: torch.Generator) -> Tensor:
    """Return the leading principal axes ``(columns, dimensions)`` of centred patches, one a row.

    Wide rows need a randomised range finder (Halko, Martinsson and Tropp 2011), here with a given
    generator: ``torch.svd_lowrank`` uses the global one.
    """
    columns = rows.shape[1]
    if columns <= 600:
        axes: Tensor = torch.linalg.eigh(rows.T @ rows)[1].flip(1)
        return axes[:, :dimensions].contiguous()
    random_probe = torch.randn(columns, dimensions + 8, generator=generator).to(rows)
    range_basis = torch.linalg.qr(rows @ (rows.T @ (rows @ random_probe)))[0]
    principal: Tensor = torch.linalg.svd(range_basis.T @ rows, full_matrices=False)[2].T
    return principal[:, :dimensions].contiguous()
