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
from artgen.style.patch.presets import Preset, find_preset
from artgen.style.patch.schedule import Level, make_plan
from artgen.style.patch.styleset import StyleSet, prepare
from artgen.style.patch.thread_pool import crew
from artgen.style.preserve import Preserve, check_manner, face_map, finished, in_luminance
from artgen.style.progress import Report, Watch, unwatched

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
class Region:
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
def stylize(
    content: Tensor,
    styles: Sequence[Tensor | Sequence[Tensor]],
    *,
    preset: str = "balanced",
    strength: float = 1.0,
    weights: Sequence[float] | None = None,
    masks: Tensor | None = None,
    preserve: Preserve = "none",
    style_scale: float = 1.33,
    faces: float = 0.0,
    seed: int,
    start: Tensor | None = None,
    watch: Watch = unwatched,
    device: str = "cpu",
    fast: bool = False,
) -> Tensor:
    """Paint ``content`` in the manner of ``styles``.

    The same arguments give the same picture, on any number of torch's threads.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``, any size from 1 px.
        styles: one or more paintings, ``(3, h, w)`` likewise. Several in a row are one style, such as a
            folder of photographs (``read_album``); bytes will do.
        preset: ``bold``, ``balanced``, ``faithful``; ``dream`` for an enlarged thumbnail.
        strength: 0 leaves the content, 1 is the preset as meant, more holds the content less.
        weights: the share of each style; equal when None.
        masks: ``(k, 1, h, w)`` in [0, 1], of any size. One for each style says where it goes, with soft
            borders; a single one where all of them do. What no mask covers stays as it was.
        preserve: ``colour`` keeps the content's colours and paints in luminance only; ``luminance`` keeps
            its light and dark and takes the paintings' colours.
        style_scale: size of the style against the content: below 1 finer strokes, above 1 broader.
            No style is enlarged beyond its own pixels.
        faces: how much faces are spared, 0 to 1.
        seed: of the noise and the grid's shifts; ours alone, the global generator is not touched.
        start: ``(3, H, W)``: a painting to begin from, such as that of a film's last frame; only the finest
            patches are laid anew then.
        watch: told how far it is.
        device: where to work.
        fast: a preview: coarser grids, fewer patches, one iteration.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range or a picture is not one.
    """
    recipe = find_preset(preset)
    albums = [[style] if isinstance(style, Tensor) else list(style) for style in styles]
    shares = check_manner(
        content,
        albums,
        strength=strength,
        weights=weights,
        masks=masks,
        preserve=preserve,
        style_scale=style_scale,
        faces=faces,
    )
    height, width = content.shape[1:]
    if height * width > LARGEST:
        right = f'at most {LARGEST / 1e6:.0f} million px: give a smaller side, or method = "net"'
        raise ArtgenError("style", f"a picture of {width} x {height} px for patch", right)
    if strength < LEAST:
        return content.clone()
    if masks is None:  # what has no share has no colours in the palette either
        albums = [album for album, share in zip(albums, shares, strict=True) if share > 0]
        shares = [share for share in shares if share > 0]
    original, masks = content.to(device), None if masks is None else masks.to(device)
    pictures = [picture.to(device) for album in albums for picture in album]
    spared = face_map(original) * faces if faces else None
    ground = original
    with crew(device) as workers:
        if preserve == "colour":
            ground, pictures = in_luminance(original, pictures)
        generator = torch.Generator().manual_seed(seed)

        def region(pictures: Sequence[Tensor], weights: Sequence[float], mask: Tensor | None) -> Region:
            styles = prepare(pictures, weights)
            # Of more than fit, others each time: by chance until the picture tells which it wants.
            order = torch.randperm(len(weights), generator=generator).tolist() if len(weights) > 1 else [0]
            return Region(styles, mask, Painter(generator, workers, recipe.carry), order)

        if masks is None or len(masks) == 1:
            weights = [share / len(album) for album, share in zip(albums, shares, strict=True) for _ in album]
            regions = [region(pictures, weights, None)]
        else:
            shared = masks * torch.tensor(shares, device=device).view(-1, 1, 1, 1) * len(shares)
            borders = _soft_borders(shared, (original.shape[1], original.shape[2]))
            rest = iter(pictures)
            regions = [
                region(list(islice(rest, len(album))), [1.0] * len(album), mask)
                for album, mask in zip(albums, borders, strict=True)
            ]
        work = _Work(regions, recipe, strength, style_scale, spared, generator)
        painted = work.paint(ground, None if start is None else start.to(device), watch, fast)
        return finished(original, painted, preserve, masks).cpu()


def _soft_borders(masks: Tensor, size: tuple[int, int]) -> Tensor:
    """Masks ``(k, 1, H, W)`` that add up to one, without hard borders."""
    sized = torch.stack([wide_blur(resize(mask, size), BORDER * max(size)) for mask in masks])
    # Where no style is wanted the result will not be seen; there the nearest goes on.
    return (sized + 1e-4) / (sized + 1e-4).sum(0, keepdim=True)


@dataclass
class _Work:
    """One picture's painting: what stays the same over its sizes."""

    regions: Sequence[Region]
    preset: Preset
    strength: float
    style_scale: float
    spared: Tensor | None
    generator: torch.Generator

    def paint(self, content: Tensor, start: Tensor | None, watch: Watch, fast: bool) -> Tensor:
        ground = self._ground(content)
        levels = list(enumerate(make_plan(content.shape[1], content.shape[2], fast=fast)))
        if start is not None:  # composed and structured it is: only its surface is painted anew
            number, last = levels[-1]
            levels = [(number, replace(last, noise=0.0, passes=last.passes[-1:]))]
        total, done = sum(level.cost for _, level in levels), 0.0
        picture = resize(ground if start is None else start, levels[0][1].size)
        for number, level in levels:
            picture = self._paint_level(picture, ground, level, self.preset.decay**number / self.strength)
            done += level.cost
            watch(Report(done / total, picture, stage=f"{max(level.size)} px"))
        side = self._side(content.shape[1:])
        finest = [region.styles.leading(region.atlas(side)) for region in self.regions]
        return self._together([match_fine_bands(picture, f, CRISPNESS * self._amount) for f in finest])

    def _ground(self, content: Tensor) -> Tensor:
        """The content in the paintings' colours."""
        raised = raise_local_contrast(content, self.preset.contrast)
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
        pull = (self.preset.base + self.preset.edge * edges) * hold
        spared = None if self.spared is None else resize(self.spared, level.size)
        if spared is not None:
            pull = torch.maximum(pull, FACES / self.strength * spared)

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
        return math.sqrt(min(1.0, self.strength))

    def _side(self, size: Sequence[int]) -> int:
        return max(1, round(max(size) * self.style_scale))
