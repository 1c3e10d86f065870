"""The style images of a painting, with their cached atlases, patch dictionaries and palette."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.imaging.image import limit_longer_side
from artgen.style.patch.dictionary import PatchDictionary, StyleAtlas
from artgen.style.patch.schedule import PatchPass
from artgen.style.style_folder import reduce_style_image, to_float_image

MAX_PALETTE_IMAGE_SIDE_PX = 256
PALETTE_COLOURS = 20_000
# Up to this many images the palette is drawn from reduced ones; the reduction of more would take too long, so
# it is drawn from all their pixels.
MAX_REDUCED_PALETTE_IMAGES = 16
MIN_SIDE_PX = 16
MAX_CACHED_SETS = 3
MAX_CACHED_PIXELS = 24_000_000  # of all atlases; with its derived data each pixel takes 40 bytes


class StyleSet:
    """One or more style images with weights, and caches of their atlases and patch dictionaries.

    Its random draws depend on the images only, so candidates can share it without changing.

    Args:
        images: ``(3, h, w)`` each, floats in ``[0, 1]``, or bytes to save memory with thousands of them.
        image_weights: weight of each image.

    Attributes:
        palette: ``(3, M)``: colours drawn from the images by weight.
    """

    def __init__(self, images: Sequence[Tensor], image_weights: Sequence[float]) -> None:
        self.images, self.image_weights = list(images), list(image_weights)
        self._atlases: OrderedDict[tuple[int, tuple[int, ...]], StyleAtlas] = OrderedDict()
        self._dictionaries: dict[tuple[StyleAtlas, PatchPass], PatchDictionary] = {}
        self.palette = self._sample_palette()

    def cached_atlas(
        self, side: int, max_pixels: int, image_order: Sequence[int] | None = None
    ) -> StyleAtlas:
        """Return the atlas of the images, reduced to a longer side of ``side`` px.

        Smaller images are not enlarged, except those that are too small for a patch.

        Args:
            side: px.
            max_pixels: of the atlas.
            image_order: numbers of the images by priority; those that do not fit into the atlas are omitted.
        """
        image_numbers = self._select_fitting(
            side, max_pixels, range(len(self.images)) if image_order is None else image_order
        )
        cache_key = (side, image_numbers)
        if cache_key not in self._atlases:
            self._atlases[cache_key] = StyleAtlas(
                [reduce_style_image(self.images[number], side, MIN_SIDE_PX) for number in image_numbers],
                image_numbers,
            )
            self._evict_oldest()
        self._atlases.move_to_end(cache_key)
        return self._atlases[cache_key]

    def cached_dictionary(self, atlas: StyleAtlas, patch_pass: PatchPass) -> PatchDictionary:
        """Return the patch dictionary of an atlas for a pass."""
        cache_key = (atlas, patch_pass)
        if cache_key not in self._dictionaries:
            generator = torch.Generator().manual_seed(patch_pass.patch_side)
            weights = [self.image_weights[number] for number in atlas.image_numbers]
            dictionary = PatchDictionary(
                atlas, patch_pass.patch_side, patch_pass.key_count, weights, generator, soft=patch_pass.soft
            )
            if not any(atlas is cached for cached in self._atlases.values()):  # evicted while in use
                return dictionary
            self._dictionaries[cache_key] = dictionary
        return self._dictionaries[cache_key]

    def heaviest_image(self, atlas: StyleAtlas) -> Tensor:
        """Return the image of an atlas with the largest weight."""
        weights = [self.image_weights[number] for number in atlas.image_numbers]
        return atlas.images[weights.index(max(weights))]

    def _select_fitting(self, side: int, max_pixels: int, image_order: Sequence[int]) -> tuple[int, ...]:
        selected: list[int] = []
        area = 0
        for number in image_order:
            height, width = self.images[number].shape[-2:]
            scale = min(1.0, side / max(height, width))
            area += max(MIN_SIDE_PX, round(height * scale)) * max(MIN_SIDE_PX, round(width * scale))
            if selected and area > max_pixels:
                break
            selected.append(number)
        return tuple(sorted(selected))

    def _evict_oldest(self) -> None:
        """Evict the least recently used atlases with their dictionaries."""
        area = sum(len(atlas.pixels) for atlas in self._atlases.values())
        while area > MAX_CACHED_PIXELS and len(self._atlases) > 1:
            _, oldest = self._atlases.popitem(last=False)
            area -= len(oldest.pixels)
            remaining = ((key, value) for key, value in self._dictionaries.items() if key[0] is not oldest)
            self._dictionaries = dict(remaining)

    def _sample_palette(self) -> Tensor:
        """Draw colours ``(3, M)`` of the images by weight."""
        generator = torch.Generator().manual_seed(0)
        total_weight, samples = sum(self.image_weights), []
        uses_reduced = len(self.images) <= MAX_REDUCED_PALETTE_IMAGES
        for image, weight in zip(self.images, self.image_weights, strict=True):
            if uses_reduced:
                image = limit_longer_side(to_float_image(image), MAX_PALETTE_IMAGE_SIDE_PX)
            colours = image.flatten(1)
            count = max(256 if uses_reduced else 1, round(PALETTE_COLOURS * weight / total_weight))
            pixel_indices = torch.randint(colours.shape[1], (count,), generator=generator)
            samples.append(to_float_image(colours[:, pixel_indices.to(colours.device)]))
        return torch.cat(samples, 1)


_cached_sets: OrderedDict[str, StyleSet] = OrderedDict()


def cached_style_set(images: Sequence[Tensor], image_weights: Sequence[float]) -> StyleSet:
    """Return the style set of these images; the last few sets are cached for the candidates of a run."""
    digest = hashlib.sha256(repr([*image_weights, *(style_image.shape for style_image in images)]).encode())
    for image in images:
        digest.update(f"{image.device} {image.dtype}".encode())
        digest.update(image.detach().cpu().contiguous().numpy().tobytes())
    key = digest.hexdigest()
    if key not in _cached_sets:
        _cached_sets[key] = StyleSet(images, image_weights)
        if len(_cached_sets) > MAX_CACHED_SETS:
            _cached_sets.popitem(last=False)
    _cached_sets.move_to_end(key)
    return _cached_sets[key]
