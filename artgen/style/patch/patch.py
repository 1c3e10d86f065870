"""Style transfer that needs no weights: the content painted anew out of patches of a painting.

Coarse-to-fine texture optimisation (Kwatra et al. 2005; Elad and Milanfar 2017) with the normalised
patch score of GPNN (Granot et al. 2022) and palette transfer (Pitie et al. 2007).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize
from artgen.style.detail import blur, edge_map, match_fine_bands, raise_local_contrast, wide_blur
from artgen.style.palette import linear_map, transfer_palette
from artgen.style.patch.dictionary import Atlas
from artgen.style.patch.em_step import Painter
from artgen.style.patch.presets import PatchSettings
from artgen.style.patch.schedule import Level, make_plan
from artgen.style.patch.styleset import StyleSet, prepare
from artgen.style.patch.thread_pool import crew
from artgen.style.preserve import face_map, finished, in_luminance
from artgen.style.progress import Report
from artgen.style.request import SCALE, StyleRequest, check_request

CRISPNESS = 0.4
# Pull towards the content within a face that is wholly spared, at every size.
FACES = 1.0
# Pixels of a picture, and what each takes while it is painted.
LARGEST, BYTES = 64_000_000, 150
# Less than this leaves the content as wholly as nothing does.
LEAST = 1e-4
# Border between two styles' masks, over the longer side: as soft as strokes of the coarsest sizes are wide.
BORDER = 0.012


@dataclass
class StyleRegion:
    """Where one style set goes: everywhere when ``mask`` is None, else by ``(1, H, W)`` in [0, 1]."""

    styles: StyleSet
    mask: Tensor | None
    painter: Painter
    order: list[int]

    def atlas(self, side: int) -> Atlas:
        """The paintings at ``side`` px; where not all fit, those that the picture has most of by now."""
        return self.styles.atlas(side, self.order)

    def at(self, size: tuple[int, int]) -> Tensor | None:
        """The mask at another size."""
        return None if self.mask is None else resize(self.mask, size)


@torch.no_grad()
def stylize_by_patches(
    content: Tensor, styles: Sequence[Sequence[Tensor]], request: StyleRequest, settings: PatchSettings
) -> Tensor:
    """Paint ``content`` in the manner of ``styles``.

    The same arguments give the same picture, on any number of torch's threads.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``, any size from 1 px.
        styles: one or more, each of one painting ``(3, h, w)``, likewise, or of several, such as a folder of
            photographs (``read_album``); bytes will do. No painting is enlarged beyond its own pixels.
        request: how much of them goes where. With a ``start`` only the finest patches are laid anew.
        settings: one of ``PATCH_PRESETS``, or of one's own.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range or a picture is not one.
    """
    shares = check_request(request, content, styles)
    height, width = content.shape[1:]
    if height * width > LARGEST:
        right = f'at most {LARGEST / 1e6:.0f} million px: give a smaller side, or method = "net"'
        raise ArtgenError("style", f"a picture of {width} x {height} px for patch", right)
    if request.strength < LEAST:
        return content.clone()
    if request.masks is None:  # what has no share has no colours in the palette either
        styles = [style for style, share in zip(styles, shares, strict=True) if share > 0]
        shares = [share for share in shares if share > 0]
    original = content.to(request.device)
    pictures = [picture.to(request.device) for style in styles for picture in style]
    spared = face_map(original) * request.faces if request.faces else None
    ground = original
    with crew(request.device) as workers:
        if request.preserve == "colour":
            ground, pictures = in_luminance(original, pictures)
        generator = torch.Generator().manual_seed(request.seed)

        def region(pictures: Sequence[Tensor], weights: Sequence[float], mask: Tensor | None) -> StyleRegion:
            prepared = prepare(pictures, weights)
            # Of more than fit, others each time: by chance until the picture tells which it wants.
            order = torch.randperm(len(weights), generator=generator).tolist() if len(weights) > 1 else [0]
            return StyleRegion(prepared, mask, Painter(generator, workers, settings.carry), order)

        if request.masks is None or len(request.masks) == 1:
            weights = [share / len(style) for style, share in zip(styles, shares, strict=True) for _ in style]
            regions = [region(pictures, weights, None)]
        else:
            factors = torch.tensor(shares, device=original.device).view(-1, 1, 1, 1)
            shared = request.masks.to(original.device) * factors * len(shares)
            borders = _soft_borders(shared, (height, width))
            rest = iter(pictures)
            regions = [
                region(list(islice(rest, len(style))), [1.0] * len(style), mask)
                for style, mask in zip(styles, borders, strict=True)
            ]
        painted = _PatchPainting(regions, settings, request, spared, generator).paint(ground)
        return finished(original, painted, request).cpu()


def _soft_borders(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks ``(k, 1, H, W)`` that add up to one, without hard borders."""
    sized = torch.stack([wide_blur(resize(mask, size), BORDER * max(size)) for mask in masks])
    # Where no style is wanted the result will not be seen; there the nearest goes on.
    return (sized + 1e-4) / (sized + 1e-4).sum(0, keepdim=True)


@dataclass
class _PatchPainting:
    """One picture's painting: what stays the same over its sizes."""

    regions: Sequence[StyleRegion]
    settings: PatchSettings
    request: StyleRequest
    spared: Tensor | None
    generator: torch.Generator

    def paint(self, content: Tensor) -> Tensor:
        """Paint ``content``, ``(3, H, W)``, at its sizes, from coarse to full."""
        ground, start = self._ground(content), self.request.start
        levels = list(enumerate(make_plan(content.shape[1], content.shape[2], fast=self.settings.fast)))
        if start is not None:  # composed and structured it is: only its surface is painted anew
            number, last = levels[-1]
            levels = [(number, replace(last, noise=0.0, passes=last.passes[-1:]))]
        total, done = sum(level.cost for _, level in levels), 0.0
        picture = resize(ground if start is None else start.to(ground.device), levels[0][1].size)
        for number, level in levels:
            hold = self.settings.decay**number / self.request.strength
            picture = self._paint_level(picture, ground, level, hold)
            done += level.cost
            self.request.watch(Report(done / total, picture, stage=f"{max(level.size)} px"))
        side = self._side(content.shape[1:])
        finest = [region.styles.leading(region.atlas(side)) for region in self.regions]
        return self._together([match_fine_bands(picture, f, CRISPNESS * self._amount) for f in finest])

    def _ground(self, content: Tensor) -> Tensor:
        """The content in the paintings' colours."""
        raised = raise_local_contrast(content, self.settings.contrast)
        grounds = []
        for region in self.regions:
            palette, mask = region.styles.palette, region.mask
            mapped = linear_map(raised, palette, self._amount, mask)
            grounds.append(
                transfer_palette(
                    mapped, palette, self.generator, turns=10, amount=0.5 * self._amount, among=mask
                )
            )
        return self._together(grounds)

    def _paint_level(self, picture: Tensor, ground: Tensor, level: Level, hold: float) -> Tensor:
        """Take the picture to the level's size and paint it there."""
        wanted, side = resize(ground, level.size), self._side(level.size)
        edges = edge_map(wanted)
        pull = (self.settings.base + self.settings.edge * edges) * hold
        spared = None if self.spared is None else resize(self.spared, level.size)
        if spared is not None:
            pull = torch.maximum(pull, FACES / self.request.strength * spared)

        def fuse(image: Tensor) -> Tensor:
            return ((image + pull * wanted) / (1 + pull)).clamp_(0, 1)

        picture = fuse(resize(picture, level.size))
        atlases = [region.atlas(side) for region in self.regions]
        if level.noise:
            grain = blur(torch.randn(1, *level.size, generator=self.generator).to(picture.device), 1.0)
            grain = grain * (level.noise / grain.pow(2).mean().sqrt()) * (1 - 0.8 * edges)
            grain = grain if spared is None else grain * (1 - spared)
            leading = [region.styles.leading(a) for region, a in zip(self.regions, atlases, strict=True)]
            rough = [(style - blur(style, 2.0)).std() for style in leading]
            picture = self._together([(picture + grain * each).clamp_(0, 1) for each in rough])
        room = min(min(size) for atlas in atlases for size in atlas.sizes) // 2
        for step in level.passes:
            if step.patch > 7 and step.patch > min(room, max(level.size) // 2):
                continue
            for _ in range(step.repeats):
                sums = torch.zeros((), device=picture.device)
                for region, atlas in zip(self.regions, atlases, strict=True):
                    votes = region.painter.votes(picture, region.styles.dictionary(atlas, step), step.stride)
                    mask = region.at(level.size)
                    sums = sums + (votes if mask is None else votes * mask[0, :, :, None])
                picture = fuse((sums[..., :3] / sums[..., 3:].clamp_min(1e-8)).permute(2, 0, 1))
            picture = self._together(
                [
                    transfer_palette(
                        picture,
                        region.styles.palette,
                        self.generator,
                        turns=3,
                        amount=0.5 * self._amount,
                        among=region.at(level.size),
                    )
                    for region in self.regions
                ]
            )
        for region in self.regions:
            if region.painter.field is not None:
                used = region.painter.field.used()
                region.order = [*used, *(number for number in region.order if number not in set(used))]
        return picture

    def _together(self, pictures: Sequence[Tensor]) -> Tensor:
        """One picture of every region's."""
        if len(pictures) == 1:
            return pictures[0]
        size = (pictures[0].shape[1], pictures[0].shape[2])
        masked = [
            picture * mask
            for picture, region in zip(pictures, self.regions, strict=True)
            if (mask := region.at(size)) is not None
        ]
        return torch.stack(masked).sum(0)

    @property
    def _amount(self) -> float:
        return math.sqrt(min(1.0, self.request.strength))

    def _side(self, size: Sequence[int]) -> int:
        return max(1, round(max(size) * (self.request.scale or SCALE)))
