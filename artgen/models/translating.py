"""Image to image with any trained network, at any size, tile by tile.

A U-Net sees its whole tile and takes one size of it: the generative path. ResNet and fast-style nets are
convolutional once the statistics of their norms are fixed, which are taken from one pass over the whole
picture, reduced where it is large: the exact path.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.bands import TensorReader, TensorWriter
from artgen.imaging.blending import paint_blended
from artgen.imaging.image import luminance
from artgen.imaging.inputs import prepare as as_learned
from artgen.imaging.tiles import Window, paint_exact
from artgen.models.checkpoint import Model, load_model
from artgen.models.faststyle import FastStyle
from artgen.models.network import Network
from artgen.models.norms import fixed_statistics
from artgen.models.resnet import ResNet
from artgen.models.unet import UNet

# Statistics come from at most this long a side. What is smaller is painted as the network alone would.
WHOLE = 512
TILE = 256  # of the exact path, without its halo
LEAST = 16  # px: below, a quarter of the side is less than what the trunk reflects


@torch.inference_mode()
def translate(
    image: Tensor,
    model: Path,
    *,
    prepare: bool = True,
    styles: Sequence[float] = (),
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """``image`` ``(3, H, W)`` as the network paints it, of the same size.

    Args:
        image: float32 in [0, 1].
        model: the file of a U-Net, a ResNet or a fast-style net.
        prepare: first make of the image what the network learned from (outlines, pixels, soft greys), as
            its file says.
        styles: how much of each style of a fast-style net; the first alone by default.
        device: where the network runs.
        progress: told the share done.

    Raises:
        ArtgenError: the file holds no such model, or other styles.
    """
    loaded = _model(model, model.stat().st_mtime_ns, device)
    learned = _learned_from(loaded.metadata)
    network = loaded.network
    shown = as_learned(image, learned) if prepare and learned else image
    shown = _with_channels(shown, network.config.inputs if not isinstance(network, FastStyle) else 3)
    if isinstance(network, UNet):
        # What only re-imagines keeps the picture's colours; what learned from outlines has none to keep.
        anchor = learned.get("use") == "pixelate"
        return _blended(network, shown, anchor, loaded.metadata, device, progress)
    weights = _weights(network, styles, model) if isinstance(network, FastStyle) else None
    return _exact(network, shown, weights, device, progress)


def _exact(
    network: ResNet | FastStyle,
    image: Tensor,
    weights: Tensor | None,
    device: str,
    progress: Callable[[float], None],
) -> Tensor:
    height, width = image.shape[-2:]
    multiple = network.reach.multiple
    rows, columns = (max(LEAST, -(-length // multiple) * multiple) for length in (height, width))
    image = _padded(image, rows, columns)
    more = () if weights is None else (weights.to(device),)

    def paint(tiles: Tensor, windows: Sequence[Window]) -> Tensor:
        batch = tiles.to(device=device, memory_format=torch.channels_last)
        painted: Tensor = network(batch, *(each.expand(len(batch), -1) for each in more))
        return painted.float().cpu()

    whole = _reduced(image, multiple)[None].to(device=device, memory_format=torch.channels_last)
    writer = TensorWriter(image.shape[-2], image.shape[-1])
    with fixed_statistics(network, whole, *more):
        paint_exact(paint, network.reach, TensorReader(image), writer, tile=TILE, progress=progress)
    return writer.image[:, :height, :width].clamp(0, 1)


def _blended(
    network: UNet,
    image: Tensor,
    anchor: bool,
    metadata: Mapping[str, str],
    device: str,
    progress: Callable[[float], None],
) -> Tensor:
    height, width = image.shape[-2:]
    side = max(network.config.multiple, _crop(metadata, network.config.multiple))
    image = _padded(image, max(side, height), max(side, width))

    def paint(tiles: Tensor, windows: Sequence[Window]) -> Tensor:
        painted: Tensor = network(tiles.to(device=device, memory_format=torch.channels_last))
        return painted.float().cpu()

    writer = TensorWriter(image.shape[-2], image.shape[-1])
    reduced = F.interpolate(image[None], size=(side, side), mode="area")
    with fixed_statistics(network, reduced.to(device=device, memory_format=torch.channels_last)):
        paint_blended(
            paint,
            TensorReader(image),
            writer,
            scale=1,
            side=side,
            batch=4,
            anchor=anchor,
            progress=progress,
        )
    return writer.image[:, :height, :width].clamp(0, 1)


def _crop(metadata: Mapping[str, str], multiple: int) -> int:
    """The side it was trained at, as its recipe says, where that is a size it can take."""
    try:
        crop = int(json.loads(metadata.get("recipe", "{}")).get("crop", multiple))
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        return multiple
    return crop if crop % multiple == 0 and multiple <= crop <= 2048 else multiple


def _learned_from(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    """The ``[pairs]`` table of its training; empty where the file has none."""
    try:
        table = json.loads(metadata.get("inputs", "{}"))
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _weights(network: FastStyle, styles: Sequence[float], model: Path) -> Tensor:
    known = network.config.styles
    if not styles:
        return network.style(0)
    if len(styles) != known or sum(styles) <= 0:
        raise ArtgenError(f"translate: {model.name}", f"{len(styles)} styles", f"{known} numbers, not all 0")
    return torch.tensor([[share / sum(styles) for share in styles]])


def _with_channels(image: Tensor, channels: int) -> Tensor:
    if image.shape[0] == channels:
        return image
    grey = luminance(image) if image.shape[0] == 3 else image
    return grey if channels == 1 else grey.expand(channels, -1, -1)


def _padded(image: Tensor, height: int, width: int) -> Tensor:
    """``(C, H, W)`` continued to the right and below, mirrored back and forth."""
    if image.shape[-2:] == (height, width):
        return image
    return image[:, _mirrored(image.shape[-2], height)][:, :, _mirrored(image.shape[-1], width)]


def _mirrored(length: int, wanted: int) -> Tensor:
    turn = max(1, length - 1)
    place: Tensor = torch.arange(wanted) % (2 * turn)
    return (turn - (place - turn).abs()).clamp(max=length - 1)


def _reduced(image: Tensor, multiple: int) -> Tensor:
    longest = max(image.shape[-2:])
    if longest <= WHOLE:
        return image
    height, width = (
        max(multiple, round(side * WHOLE / longest / multiple) * multiple) for side in image.shape[-2:]
    )
    return F.interpolate(image[None], size=(height, width), mode="area")[0]


@functools.lru_cache(maxsize=2)
def _model(path: Path, changed: int, device: str) -> Model[Any]:
    """One copy a process; ``changed`` (modification time) makes a replaced file a new entry."""
    loaded: Model[Network] = load_model(path, device)
    if not isinstance(loaded.network, UNet | ResNet | FastStyle):
        right = "an image-to-image model: of the families pix2pix, mix, cyclegan or fast-style"
        raise ArtgenError(str(path), f"architecture {loaded.network.architecture!r}", right)
    return loaded
