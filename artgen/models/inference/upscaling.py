"""Upscaling of images of any size with an up-imager, at the scale a recipe asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize, shrink
from artgen.imaging.tiles.bands import BandReader, BandWriter, TensorReader, TensorWriter
from artgen.imaging.tiles.exact import DEFAULT_TILE_SIDE_PX, TileWindow, paint_exact
from artgen.imaging.tiles.noise import anchored_noise
from artgen.models.architectures.upimage import UpImager
from artgen.models.files.checkpoint import load_cached_model


def upscale_image(
    image: Tensor,
    model_path: Path,
    *,
    scale: float | None = None,
    noise: float = 1.0,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """Enlarge ``image`` ``(3, H, W)`` ``scale`` times by an up-imager, which invents detail.

    The image is first reduced so that the model's own scale leads exactly to the size asked for: at scale
    4 an 8x model gets it at half its size and invents all finer detail again.

    Args:
        image: float32 in [0, 1].
        model_path: the model's file.
        scale: at most the model's own, which is also the default.
        noise: standard deviation of the network's noise maps, 0 to 2; more of it invents more freely.
        seed: of the noise.
        device: where the network runs.
        progress: called with the share done.

    Raises:
        ArtgenError: the scale is more than the model's, or the model cannot be read.
    """
    network = load_cached_model(model_path, device, UpImager).network
    model_scale = network.config.scale
    scale = model_scale if scale is None else scale
    if not 1 <= scale <= model_scale:
        expected = f"1 to {model_scale}; for more, use two upscale steps"
        raise ArtgenError(f"upscale: {model_path.stem}", f"scale {scale:g}", expected)
    height, width = (max(1, round(side * scale)) for side in image.shape[-2:])
    thumbnail_size = (-(-height // model_scale), -(-width // model_scale))
    reader = TensorReader(image if scale == model_scale else shrink(image, thumbnail_size))
    writer = TensorWriter(reader.height * model_scale, reader.width * model_scale)
    upscale_bands(network, reader, writer, noise=noise, seed=seed, device=device, progress=progress)
    result = writer.image.clamp_(0, 1)
    return result if result.shape[-2:] == (height, width) else resize(result, (height, width))


@torch.inference_mode()
def upscale_bands(
    network: UpImager,
    reader: BandReader,
    writer: BandWriter,
    *,
    noise: float,
    seed: int,
    device: str = "cpu",
    tile: int = DEFAULT_TILE_SIDE_PX,
    batch: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """Upscale an image in bands, from any reader to any writer, at the up-imager's own scale.

    Args:
        network: the up-imager.
        reader: the input, ``(3, H, W)``.
        writer: the output, ``(3, scale * H, scale * W)``, not clamped.
        noise: standard deviation of the noise maps.
        seed: of the noise.
        device: where the network runs.
        tile: side of a tile, input px.
        batch: the most tiles in one call.
        progress: called with the share done.
    """

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        noise_maps = [
            noise_map.to(device=device, memory_format=torch.channels_last)
            for noise_map in tile_noise(network, windows, noise=noise, seed=seed)
        ]
        painted: Tensor = network(tiles.to(device=device, memory_format=torch.channels_last), noise_maps)
        return painted.cpu()

    paint_exact(
        paint, network.tile_geometry, reader, writer, tile_side=tile, max_batch=batch, progress=progress
    )


def tile_noise(network: UpImager, windows: Sequence[TileWindow], *, noise: float, seed: int) -> list[Tensor]:
    """Return an up-imager's noise maps ``(B, channels, h, w)`` of tiles of one size, one for each layer.

    Args:
        network: the up-imager.
        windows: the tiles, in input px; a map depends on their position in the image.
        noise: standard deviation.
        seed: of the noise.
    """
    noise_maps = []
    for layer, (channels, scale) in enumerate(network.noise_layers()):
        tile_maps = [
            anchored_noise(
                seed * 8 + layer,
                channels,
                window.top * scale,
                window.left * scale,
                window.size[0] * scale,
                window.size[1] * scale,
            )
            for window in windows
        ]
        noise_maps.append(torch.stack(tile_maps).mul_(noise))
    return noise_maps
