"""An image through an up-imager at the scale a recipe asks for, whatever the image's size."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize, shrink
from artgen.imaging.tiles.bands import Reader, TensorReader, TensorWriter, Writer
from artgen.imaging.tiles.exact import TILE, Window, paint_exact
from artgen.imaging.tiles.noise import anchored_noise
from artgen.models.architectures.upimage import UpImager
from artgen.models.files.checkpoint import load_model


def upscale(
    image: Tensor,
    model: Path,
    *,
    scale: float | None = None,
    noise: float = 1.0,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """Re-imagine ``image`` ``(3, H, W)`` ``scale`` times larger.

    The image is first reduced so that the model's own scale leads exactly to the size asked for: at scale
    4 an 8x model sees it at half its size and invents everything finer anew.

    Args:
        image: float32 in [0, 1].
        model: the model's file.
        scale: at most the model's own, which is also the default.
        noise: how freely it invents: the deviation of the noise it is given, 0 to 2.
        seed: of the noise.
        device: where the network runs.
        progress: told the share done.

    Raises:
        ArtgenError: the scale is more than the model's, or the model cannot be read.
    """
    network = _network(model, model.stat().st_mtime_ns, device)
    own = network.config.scale
    wanted = own if scale is None else scale
    if not 1 <= wanted <= own:
        right = f"1 to {own}; for more, use two upscale steps"
        raise ArtgenError(f"upscale: {model.stem}", f"scale {wanted:g}", right)
    height, width = (max(1, round(side * wanted)) for side in image.shape[-2:])
    thumbnail = (-(-height // own), -(-width // own))
    reader = TensorReader(image if wanted == own else shrink(image, thumbnail))
    writer = TensorWriter(reader.height * own, reader.width * own)
    upscale_bands(network, reader, writer, noise=noise, seed=seed, device=device, progress=progress)
    result = writer.image.clamp_(0, 1)
    return result if result.shape[-2:] == (height, width) else resize(result, (height, width))


@torch.inference_mode()
def upscale_bands(
    network: UpImager,
    reader: Reader,
    writer: Writer,
    *,
    noise: float,
    seed: int,
    device: str = "cpu",
    tile: int = TILE,
    batch: int = 1,
    progress: Callable[[float], None] = lambda done: None,
) -> None:
    """From any reader to any writer by the exact path, at the network's own scale."""

    def paint(tiles: Tensor, windows: Sequence[Window]) -> Tensor:
        noises = tile_noise(network, windows, noise=noise, seed=seed)
        batch = tiles.to(device=device, memory_format=torch.channels_last)
        painted: Tensor = network(
            batch, [n.to(device=device, memory_format=torch.channels_last) for n in noises]
        )
        return painted.cpu()

    paint_exact(paint, network.reach, reader, writer, tile=tile, batch=batch, progress=progress)


def tile_noise(network: UpImager, windows: Sequence[Window], *, noise: float, seed: int) -> list[Tensor]:
    """The noise maps ``(B, channels, ...)`` of equal windows, one for each noise layer of the network."""
    maps = []
    for layer, (channels, k) in enumerate(network.noise_layers()):
        planes = [
            anchored_noise(seed * 8 + layer, channels, w.top * k, w.left * k, w.size[0] * k, w.size[1] * k)
            for w in windows
        ]
        maps.append(torch.stack(planes).mul_(noise))
    return maps


@functools.lru_cache(maxsize=4)
def _network(path: Path, changed: int, device: str) -> UpImager:
    """One copy a process; ``changed`` (modification time) makes a replaced file a new entry."""
    return load_model(path, device).network
