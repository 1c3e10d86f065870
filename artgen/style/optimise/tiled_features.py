"""Tiles whose features equal those of the whole image, for images that exceed the memory.

Tiles start at multiples of the deepest layer's stride and have a halo as wide as its receptive field; only
the features of their core are used. At the border of the image they have no halo, so that the network pads
there as usual. The gradient of a tile extends into its halo, and is added up (``objective.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from torch import Tensor

from artgen.imaging.tiles.exact import TileWindow, round_up_to_multiple
from artgen.models.features.features import FeatureNetwork
from artgen.models.features.receptive import ReceptiveField, receptive_field

# Measured peak memory relative to the outputs of all convolutions: the outputs kept for the backward pass,
# their gradients, and the workspace of convolutions.
MEMORY_PER_ACTIVATION_FACTOR = 3.0


@dataclass(frozen=True)
class FeatureTile:
    """A tile of an image, and the halo that its VGG features depend on.

    Attributes:
        core: the pixels whose features are used.
        input_window: the pixels that the network gets: the core and its halo.
    """

    core: TileWindow
    input_window: TileWindow

    def crop_image(self, image: Tensor) -> Tensor:
        """Crop the tile with its halo from ``(C, H, W)``, as the feature network's input."""
        window = self.input_window
        return image[:, window.top : window.bottom, window.left : window.right]

    def crop_core_features(self, features: Tensor, layer: ReceptiveField) -> Tensor:
        """Crop the core's features from the features ``(C, h, w)`` of the input window."""
        core, window, stride = self.core, self.input_window, layer.stride
        rows = _core_slice(core.top, core.bottom, window.top, window.bottom, stride)
        return features[:, rows, _core_slice(core.left, core.right, window.left, window.right, stride)]

    def crop_layer_map(
        self, layer_map: Tensor | None, layer: ReceptiveField, features: Tensor
    ) -> Tensor | None:
        """Crop the positions of the core's ``features`` from a map ``(..., h, w)`` of the whole layer."""
        top, left = self.core.top // layer.stride, self.core.left // layer.stride
        height, width = features.shape[-2:]
        return None if layer_map is None else layer_map[..., top : top + height, left : left + width]


def _core_slice(core_start: int, core_end: int, input_start: int, input_end: int, stride: int) -> slice:
    # At the border of the image all remaining features belong to the core: odd sizes are rounded up or down.
    return slice(
        (core_start - input_start) // stride,
        None if core_end == input_end else (core_end - input_start) // stride,
    )


def split_into_tiles(
    image_size: tuple[int, int], tile_side: int, receptive_fields: Collection[ReceptiveField]
) -> Iterator[FeatureTile]:
    """Split an image into tiles of about ``tile_side`` px for its features, row by row.

    Args:
        image_size: ``(H, W)``.
        tile_side: side of the cores, rounded up to a multiple of the deepest stride.
        receptive_fields: receptive fields of the layers whose features are needed.

    Yields:
        The tiles; their cores cover the image once.
    """
    multiple, halo = _stride_and_halo(receptive_fields)
    tile_side = round_up_to_multiple(tile_side, multiple)
    height, width = image_size
    for top in range(0, height, tile_side):
        for left in range(0, width, tile_side):
            core = TileWindow(top, left, min(top + tile_side, height), min(left + tile_side, width))
            yield FeatureTile(core, core.expanded(halo, height, width))


def _stride_and_halo(receptive_fields: Collection[ReceptiveField]) -> tuple[int, int]:
    """Return the deepest layer's stride, and the widest halo, rounded up to a multiple of the stride."""
    stride = max(layer.stride for layer in receptive_fields)
    return stride, round_up_to_multiple(max(layer.halo for layer in receptive_fields), stride)


def bytes_per_pixel(network: FeatureNetwork, layers: Collection[str]) -> float:
    """Estimate the memory of the feature network's forward and backward pass, in bytes per pixel."""
    last_index = max(network.layer_names.index(name) for name in layers)
    values_per_pixel = sum(
        network.channel_count(name) / receptive_field(network.sliding_windows(name)).stride ** 2
        for name in network.layer_names[: last_index + 1]
    )
    return MEMORY_PER_ACTIVATION_FACTOR * network.dtype.itemsize * values_per_pixel


def find_tile_side(
    image_size: tuple[int, int], memory_bytes: float, network: FeatureNetwork, layers: Collection[str]
) -> int:
    """Find the largest side of tiles, px, whose features and gradients fit into the memory.

    Args:
        image_size: ``(H, W)``; if the whole image fits, the result is its longer side.
        memory_bytes: memory for the network.
        network: computes the features.
        layers: names of the layers whose features are needed.
    """
    max_pixels = memory_bytes / bytes_per_pixel(network, layers)
    if image_size[0] * image_size[1] <= max_pixels:
        return max(image_size)
    multiple, halo = _stride_and_halo([receptive_field(network.sliding_windows(name)) for name in layers])
    # In tiles smaller than the halo almost all the work would be repeated for the neighbours.
    return max(int(max_pixels**0.5) - 2 * halo, halo, multiple) // multiple * multiple
