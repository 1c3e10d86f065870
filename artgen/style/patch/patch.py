"""Style transfer without a network: the content is repainted with patches of the paintings.

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
from artgen.imaging.blur import gaussian_blur
from artgen.imaging.image import resize
from artgen.style.detail import (
    edge_map,
    equalise_local_contrast,
    match_laplacian_bands,
    wide_gaussian_blur,
)
from artgen.style.palette import match_colours_linearly, transfer_palette
from artgen.style.patch.dictionary import StyleAtlas
from artgen.style.patch.em_step import PatchPainter
from artgen.style.patch.presets import PatchSettings
from artgen.style.patch.schedule import PaintingLevel, plan_levels
from artgen.style.patch.styleset import StyleSet, cached_style_set
from artgen.style.patch.thread_pool import open_thread_pool
from artgen.style.preserve import face_mask, restore_preserved, to_matched_grey
from artgen.style.progress import StyleProgress
from artgen.style.request import DEFAULT_STYLE_SCALE, StyleRequest, validate_request

BAND_MATCHING_AMOUNT = 0.4  # of the final match of fine Laplacian bands, 0 to 1
# Pull towards the content in fully protected faces, at every level.
FACE_CONTENT_PULL = 1.0
# Limit of the content's pixels, and the memory that each takes while it is painted.
MAX_PIXELS, BYTES_PER_PIXEL = 64_000_000, 150
# A smaller strength returns the content unchanged.
MIN_STYLE_STRENGTH = 1e-4
# Sigma of the soft border between the masks of two styles, relative to the longer side: about the width of
# coarse strokes.
MASK_BORDER_SHARE = 0.012


@dataclass
class StyleRegion:
    """A style's paintings and the region of the image that they paint.

    Attributes:
        style_set: the style images.
        mask: ``(1, H, W)`` in [0, 1], or None for the whole image.
        painter: paints with their patches.
        image_order: numbers of the style images by priority, the most used first.
    """

    style_set: StyleSet
    mask: Tensor | None
    painter: PatchPainter
    image_order: list[int]

    def mask_at(self, size: Sequence[int]) -> Tensor | None:
        """Return the style region's mask resized to ``size``."""
        return None if self.mask is None else resize(self.mask, size)


@torch.no_grad()
def stylize_by_patches(
    content: Tensor, styles: Sequence[Sequence[Tensor]], request: StyleRequest, settings: PatchSettings
) -> Tensor:
    """Paint ``content`` in the style of paintings, with patches of them.

    The same arguments give the same image for any number of torch threads.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``, any size from 1 px.
        styles: one or more styles, each of one or more images ``(3, h, w)``, likewise or bytes, such as a
            folder of photographs (``read_style_images``). Images are not enlarged.
        request: how much of each style goes where. With a ``start_image`` only the finest pass is painted.
        settings: such as one of ``PATCH_PRESETS``.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range, or an image is invalid.
    """
    style_shares = validate_request(request, content, styles)
    height, width = content.shape[1:]
    if height * width > MAX_PIXELS:
        expected = f'at most {MAX_PIXELS / 1e6:.0f} million px: give a smaller side, or method = "net"'
        raise ArtgenError("style", f"a picture of {width} x {height} px for patch", expected)
    if request.strength < MIN_STYLE_STRENGTH:
        return content.clone()
    if request.masks is None:  # a style without weight must not add colours to the palette
        styles = [style for style, share in zip(styles, style_shares, strict=True) if share > 0]
        style_shares = [share for share in style_shares if share > 0]
    original = content.to(request.device)
    style_images = [style_image.to(request.device) for style in styles for style_image in style]
    face_protection_mask = face_mask(original) * request.face_protection if request.face_protection else None
    painted_content = original
    with open_thread_pool(request.device) as pool:
        if request.preserve == "colour":
            painted_content, style_images = to_matched_grey(original, style_images)
        generator = torch.Generator().manual_seed(request.seed)

        def make_region(
            style_images: Sequence[Tensor], weights: Sequence[float], mask: Tensor | None
        ) -> StyleRegion:
            style_set = cached_style_set(style_images, weights)
            # If not all images fit into an atlas, start with a random choice; later the most used ones stay.
            count = len(weights)
            image_order = torch.randperm(count, generator=generator).tolist() if count > 1 else [0]
            painter = PatchPainter(generator, pool, settings.carry_from_side)
            return StyleRegion(style_set, mask, painter, image_order)

        if request.masks is None or len(request.masks) == 1:
            shared_styles = zip(styles, style_shares, strict=True)
            weights = [share / len(style) for style, share in shared_styles for _ in style]
            regions = [make_region(style_images, weights, None)]
        else:
            factors = torch.tensor(style_shares, device=original.device).view(-1, 1, 1, 1)
            weighted_masks = request.masks.to(original.device) * factors * len(style_shares)
            soft_masks = _soften_masks(weighted_masks, (height, width))
            remaining_images = iter(style_images)
            regions = [
                make_region(list(islice(remaining_images, len(style))), [1.0] * len(style), mask)
                for style, mask in zip(styles, soft_masks, strict=True)
            ]
        styliser = _PatchStyliser(regions, settings, request, face_protection_mask, generator)
        return restore_preserved(original, styliser.paint(painted_content), request).cpu()


def _soften_masks(masks: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Blur the styles' masks and normalise them: ``(k, 1, H, W)`` that add up to 1, without hard borders."""
    sigma = MASK_BORDER_SHARE * max(image_size)
    # Where no mask is, the result is not used; the small constant avoids a division by zero there.
    softened = torch.stack([wide_gaussian_blur(resize(mask, image_size), sigma) for mask in masks]) + 1e-4
    return softened / softened.sum(0, keepdim=True)


@dataclass
class _PatchStyliser:
    """Painter of one image by patches: the data shared by all its levels."""

    regions: Sequence[StyleRegion]
    settings: PatchSettings
    request: StyleRequest
    face_protection_mask: Tensor | None
    generator: torch.Generator

    def paint(self, content: Tensor) -> Tensor:
        """Paint ``content``, ``(3, H, W)``, level by level from coarse to full size."""
        recoloured, start_image = self._match_palettes(content), self.request.start_image
        levels = list(enumerate(plan_levels(content.shape[1], content.shape[2], fast=self.settings.fast)))
        if start_image is not None:  # its structure exists already, so only the finest pass is needed
            level_index, last_level = levels[-1]
            levels = [(level_index, replace(last_level, noise_amount=0.0, passes=last_level.passes[-1:]))]
        total_cost, finished_cost = sum(level.cost for _, level in levels), 0.0
        image = recoloured if start_image is None else start_image.to(recoloured.device)
        image = resize(image, levels[0][1].image_size)
        for level_index, level in levels:
            pull_factor = self.settings.pull_decay**level_index / self.request.strength
            image = self._paint_level(image, recoloured, level, pull_factor)
            finished_cost += level.cost
            stage = f"{max(level.image_size)} px"
            self.request.on_progress(StyleProgress(finished_cost / total_cost, image, stage=stage))
        for region in self.regions:
            region.painter.free_descriptions()
        amount = BAND_MATCHING_AMOUNT * self._style_amount
        finest_styles = self._heaviest_images(self._cached_atlases(content.shape[1:]))
        return self._blend_regions([match_laplacian_bands(image, style, amount) for style in finest_styles])

    def _match_palettes(self, content: Tensor) -> Tensor:
        """Map the colours of the content to the palettes of the styles."""
        contrasted = equalise_local_contrast(content, self.settings.local_contrast)
        recoloured_images = []
        for region in self.regions:
            palette, mask = region.style_set.palette, region.mask
            mapped = match_colours_linearly(contrasted, palette, self._style_amount, mask)
            recoloured_images.append(self._transfer_palette(mapped, palette, 10, mask))
        return self._blend_regions(recoloured_images)

    def _transfer_palette(
        self, image: Tensor, palette: Tensor, rotations: int, mask: Tensor | None
    ) -> Tensor:
        amount = 0.5 * self._style_amount
        return transfer_palette(
            image, palette, self.generator, rotations=rotations, amount=amount, region=mask
        )

    def _paint_level(
        self, image: Tensor, recoloured: Tensor, level: PaintingLevel, pull_factor: float
    ) -> Tensor:
        """Resize the image to the level's size and paint its passes."""
        target, protection = resize(recoloured, level.image_size), self.face_protection_mask
        edges = edge_map(target)
        pull = (self.settings.base_pull + self.settings.edge_pull * edges) * pull_factor
        if protection is not None:
            protection = resize(protection, level.image_size)
            pull = torch.maximum(pull, FACE_CONTENT_PULL / self.request.strength * protection)

        def fuse_with_content(painted: Tensor) -> Tensor:
            return ((painted + pull * target) / (1 + pull)).clamp_(0, 1)

        image = fuse_with_content(resize(image, level.image_size))
        atlases = self._cached_atlases(level.image_size)
        if level.noise_amount:
            noise = torch.randn(1, *level.image_size, generator=self.generator).to(image.device)
            noise = gaussian_blur(noise, 1.0)
            noise = noise * (level.noise_amount / noise.pow(2).mean().sqrt()) * (1 - 0.8 * edges)
            noise = noise if protection is None else noise * (1 - protection)
            styles = self._heaviest_images(atlases)
            details = [(style - gaussian_blur(style, 2.0)).std() for style in styles]
            image = self._blend_regions([(image + noise * detail).clamp_(0, 1) for detail in details])
        max_patch_side = min(min(size) for atlas in atlases for size in atlas.image_sizes) // 2
        for patch_pass in level.passes:
            if patch_pass.patch_side > 7 and patch_pass.patch_side > min(
                max_patch_side, max(level.image_size) // 2
            ):
                continue
            for _ in range(patch_pass.iterations):
                vote_sums = torch.zeros((), device=image.device)
                for region, atlas in zip(self.regions, atlases, strict=True):
                    votes = region.painter.collect_votes(
                        image, region.style_set.cached_dictionary(atlas, patch_pass), patch_pass.stride
                    )
                    mask = region.mask_at(level.image_size)
                    vote_sums = vote_sums + (votes if mask is None else votes * mask[0, :, :, None])
                painted = vote_sums[..., :3] / vote_sums[..., 3:].clamp_min(1e-8)
                image = fuse_with_content(painted.permute(2, 0, 1))
            image = self._blend_regions(
                [
                    self._transfer_palette(
                        image, region.style_set.palette, 3, region.mask_at(level.image_size)
                    )
                    for region in self.regions
                ]
            )
        for region in self.regions:
            if region.painter.matches is not None:
                used_images = region.painter.matches.rank_used_images()
                region.image_order = list(dict.fromkeys([*used_images, *region.image_order]))
        return image

    def _blend_regions(self, images: Sequence[Tensor]) -> Tensor:
        """Blend the paintings of all style regions by their masks."""
        if len(images) == 1:
            return images[0]
        masked_images = [
            image * mask
            for image, region in zip(images, self.regions, strict=True)
            if (mask := region.mask_at(image.shape[1:])) is not None
        ]
        return torch.stack(masked_images).sum(0)

    @property
    def _style_amount(self) -> float:
        return math.sqrt(min(1.0, self.request.strength))

    def _cached_atlases(self, image_size: Sequence[int]) -> list[StyleAtlas]:
        """Return each region's atlas for an image size; if not all images fit, of those most used so far."""
        side = max(1, round(max(image_size) * (self.request.style_scale or DEFAULT_STYLE_SCALE)))
        max_pixels = self.settings.max_atlas_pixels
        return [
            region.style_set.cached_atlas(side, max_pixels, region.image_order) for region in self.regions
        ]

    def _heaviest_images(self, atlases: Sequence[StyleAtlas]) -> list[Tensor]:
        return [
            region.style_set.heaviest_image(atlas)
            for region, atlas in zip(self.regions, atlases, strict=True)
        ]
