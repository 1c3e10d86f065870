"""All patches of the style at one level, and the search for the one that fits best."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import enlarge, shrink
from artgen.style.plan import LEVEL_RATIO

DIMENSIONS = 32
TRAINING = 2000
PROBES = 4000
QUERIES_AT_ONCE = 128
BLOCK = 128


class Atlas:
    """Several pictures in one: they lie one above the other, and patches never cross a border.

    Args:
        pictures: ``(3, h, w)`` each, at least ``smallest`` px each way.
    """

    def __init__(self, pictures: list[Tensor]) -> None:
        self.pictures = pictures
        width = max(picture.shape[2] for picture in pictures)
        self.image = torch.cat([F.pad(p, (0, width - p.shape[2])) for p in pictures], 1)
        self.sizes = [(int(p.shape[1]), int(p.shape[2])) for p in pictures]
        # Pixels as rows of red, green, blue and one: voting sums colours and weights in one go.
        ones = torch.ones_like(self.image[:1])
        self.pixels = torch.cat([self.image, ones]).permute(1, 2, 0).reshape(-1, 4).contiguous()

    @property
    def width(self) -> int:
        """Pixels in a row of the atlas."""
        return int(self.image.shape[2])

    def corners(self, patch: int) -> list[Tensor]:
        """For each picture the flat index of every place that a patch's upper left corner can take."""
        found, top = [], 0
        for height, width in self.sizes:
            rows = torch.arange(top, top + height - patch + 1)[:, None] * self.width
            found.append((rows + torch.arange(width - patch + 1)).flatten())
            top += height
        return found

    def softened(self) -> Tensor:
        """The atlas as it looks when it was enlarged from the level below: ``(3, H, W)``."""
        soft = torch.zeros_like(self.image)
        top = 0
        for picture in self.pictures:
            height, width = picture.shape[1:]
            below = (max(1, round(height / LEVEL_RATIO)), max(1, round(width / LEVEL_RATIO)))
            soft[:, top : top + height, :width] = enlarge(shrink(picture, below), (height, width))
            top += height
        return soft

    def rows_at(self, image: Tensor, corners: Tensor, patch: int) -> Tensor:
        """The patches of the atlas, or of its ``softened`` image, at ``corners``.

        Rows of ``3 * patch * patch`` values, channel by channel.
        """
        area = self.image.shape[1] * self.width
        span = torch.arange(patch, device=corners.device)
        inside = (span[:, None] * self.width + span).flatten()
        offsets = (torch.arange(3, device=corners.device)[:, None] * area + inside).flatten()
        return image.flatten()[corners[:, None] + offsets]


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
        total = sum(weights)
        chosen = []
        for corners, weight in zip(atlas.corners(patch), weights, strict=True):
            count = round(keys * weight / total)
            chosen.append(corners[torch.randperm(len(corners), generator=generator)[:count]])
        mixed = torch.cat(chosen)
        self.corners = mixed[torch.randperm(len(mixed), generator=generator)].to(atlas.image.device)
        sample = torch.randperm(len(self.corners), generator=generator)[:TRAINING].to(self.corners.device)
        seen = atlas.softened() if soft else atlas.image
        patches = atlas.rows_at(seen, self.corners[sample], patch)
        self.mean = patches.mean(0)
        self.basis = principal_axes(patches - self.mean, DIMENSIONS, generator)
        parts = torch.split(self.corners, 2048)
        self.keys = torch.cat([(atlas.rows_at(seen, part, patch) - self.mean) @ self.basis for part in parts])
        self.norms = (self.keys**2).sum(1)

    def describe(self, image: Tensor, stride: int) -> Tensor:
        """Principal components of the patches of ``(3, H, W)`` on a grid: ``(rows, columns, D)``."""
        filters = self.basis.T.reshape(-1, 3, self.patch, self.patch)
        shift = -(self.mean @ self.basis)
        return F.conv2d(image[None], filters, shift, stride=stride)[0].permute(1, 2, 0)

    def rarity(self, queries: Tensor, alpha: float) -> Tensor:
        """For each key one over (its distance to the nearest query + ``alpha`` x the median of these)."""
        probes = queries[:: max(1, len(queries) // PROBES)]
        lengths = (probes**2).sum(1)
        nearest = torch.full_like(self.norms, torch.inf)
        for probe, length in zip(torch.split(probes, 512), torch.split(lengths, 512), strict=True):
            nearest = torch.minimum(nearest, torch.addmm(length, self.keys, probe.T, alpha=-2).amin(1))
        nearest = (nearest + self.norms).clamp_min_(0)
        return 1 / (nearest + alpha * nearest.median().clamp_min(1e-6))

    def search(self, queries: Tensor, rarity: Tensor, groups: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The best key for each query.

        Args:
            queries: ``(N, D)`` from :meth:`describe`.
            rarity: ``(keys,)`` from :meth:`rarity`.
            groups: ``(N,)`` numbers: query ``i`` sees only every ``groups.max() + 1``-th key, from
                key ``groups[i]`` on. All of them when None.

        Returns:
            Index of the key ``(N,)`` and its squared distance ``(N,)``.
        """
        if groups is None:
            best = self._best(queries, self.keys, self.norms, rarity)
        else:
            best = torch.empty_like(groups)
            step = int(groups.max()) + 1
            for group in range(step):
                part, mine = slice(group, None, step), (groups == group).nonzero()[:, 0]
                best[mine] = (
                    self._best(queries[mine], self.keys[part], self.norms[part], rarity[part]) * step + group
                )
        distance: Tensor = (queries - self.keys[best]).pow(2).sum(1)
        return best, distance

    @staticmethod
    def _best(queries: Tensor, keys: Tensor, norms: Tensor, rarity: Tensor) -> Tensor:
        # -score = rarity * (2 q.k - |k|^2 - |q|^2): one matrix product with two columns more.
        count = len(keys)
        table = torch.cat([2 * keys, -norms[:, None], -torch.ones_like(norms)[:, None]], 1)
        table = F.pad((table * rarity[:, None]).T, (0, -count % BLOCK), mode="replicate").contiguous()
        lengths = (queries**2).sum(1, keepdim=True)
        extended = torch.cat([queries, torch.ones_like(lengths), lengths], 1)
        best = torch.empty(len(queries), dtype=torch.long, device=queries.device)
        row = torch.arange(QUERIES_AT_ONCE, device=queries.device)
        # One buffer for all: freed and taken thousands of times, such blocks scatter over the heap.
        buffer = torch.empty(QUERIES_AT_ONCE, table.shape[1], device=queries.device)
        for part, result in zip(
            torch.split(extended, QUERIES_AT_ONCE), torch.split(best, QUERIES_AT_ONCE), strict=True
        ):
            # argmax over long rows is slow on a CPU, amax is not: find the block, then look inside.
            scores = torch.mm(part, table, out=buffer[: len(part)]).view(len(part), -1, BLOCK)
            block = scores.amax(2).argmax(1)
            place = scores[row[: len(part)], block].argmax(1)
            result.copy_((block * BLOCK + place).clamp_(max=count - 1))
        return best


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
