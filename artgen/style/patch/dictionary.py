"""All patches of the style at one level, and the search for the one that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import enlarge, shrink
from artgen.style.patch.schedule import LEVEL_RATIO
from artgen.style.patch.thread_pool import Crew

DIMENSIONS = 32
TRAINING = 2000
PROBES = 4000
# Scores of so many patches lie in a cache; a GPU wants more at a time. (On CPUs with bfloat16 the product
# takes half the time, and finding the best in it three times as long: nothing is won.)
QUERIES_AT_ONCE, ON_GPU = 128, 8192
PATCHES_AT_ONCE = 4096
BLOCK = 128


class Atlas:
    """Several pictures in one: they lie one above the other, and patches never cross a border.

    Args:
        pictures: ``(3, h, w)`` each.
        numbers: what they are called elsewhere; by default 0, 1, 2 ...
    """

    def __init__(self, pictures: list[Tensor], numbers: Sequence[int] | None = None) -> None:
        self.pictures = pictures
        self.numbers = tuple(range(len(pictures)) if numbers is None else numbers)
        width = max(picture.shape[2] for picture in pictures)
        image = torch.cat([F.pad(p, (0, width - p.shape[2])) for p in pictures], 1)
        self.image = image.permute(1, 2, 0).contiguous()
        self.sizes = [(int(p.shape[1]), int(p.shape[2])) for p in pictures]
        self.tops = list(accumulate((height for height, _ in self.sizes[:-1]), initial=0))
        # Pixels as rows of red, green, blue and one: voting sums colours and weights in one go.
        self.pixels = F.pad(self.image, (0, 1), value=1.0).view(-1, 4)

    @property
    def width(self) -> int:
        """Pixels in a row of the atlas."""
        return int(self.image.shape[1])

    def corners(self, patch: int) -> list[Tensor]:
        """For each picture the flat index of every place that a patch's upper left corner can take."""
        found, top = [], 0
        for height, width in self.sizes:
            rows = torch.arange(top, top + height - patch + 1)[:, None] * self.width
            found.append((rows + torch.arange(width - patch + 1)).flatten())
            top += height
        return found

    @cached_property
    def measures(self) -> Tensor:
        """``(pictures, 2)``: height and width of each."""
        return torch.tensor(self.sizes, device=self.image.device)

    def picture_of(self, row: Tensor) -> tuple[Tensor, Tensor]:
        """In which picture a row of the atlas lies, and at which row that begins."""
        tops = torch.tensor(self.tops, device=row.device)
        picture = (torch.searchsorted(tops, row.contiguous(), right=True) - 1).clamp_(min=0)
        return picture, tops[picture]

    def softened(self) -> Tensor:
        """The atlas as it looks when it was enlarged from the level below: ``(H, W, 3)``."""
        soft = torch.zeros_like(self.image)
        top = 0
        for picture in self.pictures:
            height, width = picture.shape[1:]
            below = (max(1, round(height / LEVEL_RATIO)), max(1, round(width / LEVEL_RATIO)))
            soft[top : top + height, :width] = enlarge(shrink(picture, below), (height, width)).permute(
                1, 2, 0
            )
            top += height
        return soft

    def rows_at(self, image: Tensor, corners: Tensor, patch: int) -> Tensor:
        """The patches of ``image``, ``(H, W, 3)`` of the atlas's size, at ``corners``.

        Rows of ``3 * patch * patch`` values, pixel by pixel: a line of a patch lies in one piece, and whole
        lines are copied at once.
        """
        line = 3 * self.width
        places = image.shape[0] * self.width - (patch - 1) * self.width - patch + 1
        patches = image.as_strided((places, patch, 3 * patch), (3, line, 1))
        return patches.index_select(0, corners).flatten(1)


class Dictionary:
    """Patches of one size, reduced to their principal components, ready to be searched.

    Distances are squared and measured over the principal components. The score of a patch is its
    distance divided by how near the patch comes to any query at all (Granot et al. 2022, GPNN), so
    that every part of the style finds a place.

    Args:
        atlas: where the patches come from.
        patch: their side, px.
        keys: how many patches to keep, shared among the pictures by weight.
        weights: one for each picture.
        generator: chooses the patches.
        soft: compare with the paintings as blurred as a picture just enlarged from the level below,
            so that what is found for it is what its sharp original would have been (Hertzmann et al.
            2001, Image Analogies).
    """

    def __init__(
        self,
        atlas: Atlas,
        patch: int,
        keys: int,
        weights: list[float],
        generator: torch.Generator,
        *,
        soft: bool = False,
    ) -> None:
        self.atlas, self.patch, self.soft = atlas, patch, soft
        # Rounded along the sum: thousands of pictures have less than a whole patch each.
        ends = [round(keys * part / sum(weights)) for part in accumulate(weights, initial=0.0)]
        chosen = []
        for corners, count in zip(atlas.corners(patch), (b - a for a, b in pairwise(ends)), strict=True):
            chosen.append(corners[torch.randperm(len(corners), generator=generator)[:count]])
        mixed = torch.cat(chosen)
        self.corners = mixed[torch.randperm(len(mixed), generator=generator)].to(atlas.image.device)
        sample = torch.randperm(len(self.corners), generator=generator)[:TRAINING].to(self.corners.device)
        self.seen = atlas.softened() if soft else atlas.image
        patches = atlas.rows_at(self.seen, self.corners[sample], patch)
        self.mean = patches.mean(0)
        self.basis = principal_axes(patches - self.mean, DIMENSIONS, generator)
        parts = torch.split(self.corners, 2048)
        self.keys = torch.cat([self.describe_at(part) for part in parts])
        self.norms = (self.keys**2).sum(1)

    def describe(self, image: Tensor, stride: int) -> Tensor:
        """Principal components of the patches of ``(3, H, W)`` on a grid: ``(rows, columns, D)``."""
        filters = self.basis.T.reshape(-1, self.patch, self.patch, 3).permute(0, 3, 1, 2)
        shift = -(self.mean @ self.basis)
        return F.conv2d(image[None], filters, shift, stride=stride)[0].permute(1, 2, 0)

    def describe_at(self, corners: Tensor) -> Tensor:
        """Principal components of the patches at ``(N,)`` corners, which need not be keys': ``(N, D)``."""
        return (self.atlas.rows_at(self.seen, corners, self.patch) - self.mean) @ self.basis

    def apart(self, queries: Tensor, corners: Tensor, crew: Crew) -> Tensor:
        """Squared distances ``(N,)`` of ``(N, D)`` queries from the patches at ``(N,)`` corners."""
        found = torch.empty(len(queries), device=queries.device)

        def piece(start: int, stop: int) -> None:
            seen = self.describe_at(corners[start:stop])
            torch.sum(seen.sub_(queries[start:stop]).square_(), 1, out=found[start:stop])

        crew.share(piece, len(queries), PATCHES_AT_ONCE)
        return found

    def whole(self, corners: Tensor) -> Tensor:
        """Whether a patch at each of these corners lies within one picture."""
        atlas = self.atlas
        row, column = corners // atlas.width, corners % atlas.width
        picture, top = atlas.picture_of(row)
        height, width = atlas.measures[picture].unbind(-1)
        inside = (row - top <= height - self.patch) & (column <= width - self.patch)
        return inside & (corners >= 0)

    def rarity(self, queries: Tensor, alpha: float) -> Tensor:
        """For each key one over (its distance to the nearest query + ``alpha`` x the median of these)."""
        probes = queries[:: max(1, len(queries) // PROBES)]
        lengths = (probes**2).sum(1)
        nearest = torch.full_like(self.norms, torch.inf)
        for probe, length in zip(torch.split(probes, 512), torch.split(lengths, 512), strict=True):
            nearest = torch.minimum(nearest, torch.addmm(length, self.keys, probe.T, alpha=-2).amin(1))
        nearest = (nearest + self.norms).clamp_min_(0)
        return 1 / (nearest + alpha * nearest.median().clamp_min(1e-6))

    def search(
        self, queries: Tensor, rarity: Tensor, crew: Crew, *, turn: int = 0, parts: int = 1
    ) -> tuple[Tensor, Tensor]:
        """The best key for each query.

        Args:
            queries: ``(N, D)`` from :meth:`describe`.
            rarity: ``(keys,)`` from :meth:`rarity`.
            crew: who searches.
            turn: which part of the keys, when
            parts: into so many they are shared out.

        Returns:
            Index of the key ``(N,)`` and its squared distance ``(N,)``.
        """
        part = slice(turn % parts, None, parts)
        keys, norms = self.keys[part], self.norms[part]
        # -score = rarity * (2 q.k - |k|^2 - |q|^2): one matrix product with two columns more.
        table = torch.cat([2 * keys, -norms[:, None], -torch.ones_like(norms)[:, None]], 1)
        table = F.pad((table * rarity[part, None]).T, (0, -len(keys) % BLOCK), mode="replicate").contiguous()
        lengths = (queries**2).sum(1, keepdim=True)
        extended = torch.cat([queries, torch.ones_like(lengths), lengths], 1)
        best = torch.empty(len(queries), dtype=torch.long, device=queries.device)
        count = QUERIES_AT_ONCE if queries.device.type == "cpu" else ON_GPU

        def piece(start: int, stop: int) -> None:
            # One buffer for all: freed and taken thousands of times, such blocks scatter over the heap.
            buffer = torch.empty(count, table.shape[1], device=queries.device)
            row = torch.arange(count, device=queries.device)
            for at in range(start, stop, count):
                asked, result = (t[at : min(at + count, stop)] for t in (extended, best))
                # argmax over long rows is slow on a CPU, amax is not: find the block, then look inside.
                scores = torch.mm(asked, table, out=buffer[: len(asked)]).view(len(asked), -1, BLOCK)
                block = scores.amax(2).argmax(1)
                place = scores[row[: len(asked)], block].argmax(1)
                result.copy_((block * BLOCK + place).clamp_(max=len(keys) - 1))

        crew.share(piece, len(queries), 16 * count)
        best = best * parts + turn % parts
        return best, self.apart(queries, self.corners[best], crew)


def principal_axes(rows: Tensor, dimensions: int, generator: torch.Generator) -> Tensor:
    """The leading principal axes ``(columns, dimensions)`` of centred ``rows``.

    Wide rows go through a randomised range finder (Halko, Martinsson and Tropp 2011) with our own
    generator: ``torch.svd_lowrank`` draws from the global one.
    """
    columns = rows.shape[1]
    if columns <= 600:
        axes: Tensor = torch.linalg.eigh(rows.T @ rows)[1].flip(1)
        return axes[:, :dimensions].contiguous()
    probe = torch.randn(columns, dimensions + 8, generator=generator).to(rows)
    spanned = torch.linalg.qr(rows @ (rows.T @ (rows @ probe)))[0]
    leading: Tensor = torch.linalg.svd(spanned.T @ rows, full_matrices=False)[2].T
    return leading[:, :dimensions].contiguous()
