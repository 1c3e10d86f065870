"""Image to image with any trained network, at any size, tile by tile.

A U-Net sees its whole tile and is used at one size of it: the generative path. ResNet and fast-style nets are
convolutional once the statistics of their norms are fixed: the exact path. A picture that is small enough is
given to them in one piece.

Statistics of a larger picture come from one pass over patches of it, at its own resolution and evenly spread.
Measured on a ResNet of four blocks and five photographs at 0.6 to 4 million px, the result is then 0.009 to
0.029 (mean 0.016) away from that of the whole picture in one piece. With the statistics of the picture
reduced to as many pixels it is 0.010 to 0.050 (mean 0.026): reducing takes away detail that norms divide by.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.inputs import prepare as as_learned
from artgen.imaging.inputs import speckled
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.blended import paint_blended
from artgen.imaging.tiles.exact import Window, out_of_memory, paint_exact
from artgen.models.architectures.faststyle import FastStyle
from artgen.models.architectures.network import Network
from artgen.models.architectures.norms import fixed_statistics
from artgen.models.architectures.resnet import ResNet
from artgen.models.architectures.transformernet import TransformerNet
from artgen.models.architectures.unet import UNet
from artgen.models.files import header
from artgen.models.files.checkpoint import Model, load_model
from artgen.models.inference.fitting import padded, resized, size_of_result, with_channels
from artgen.seeds import generator

Styled = FastStyle | TransformerNet
Translator = UNet | ResNet | Styled
# Pictures of at most so many pixels go through in one piece; of larger ones as many give the statistics.
WHOLE = 512 * 512
PATCH = 64  # side of the patches that do, px
TILE = 512  # of the exact path: its halo of up to 90 px then costs less than the tile
LEAST = 16  # px: a ResNet reflects at a quarter of the side


@torch.inference_mode()
def translate(
    image: Tensor,
    model: Path,
    *,
    side: int | None = None,
    prepare: bool = True,
    styles: Sequence[float] = (),
    noise: float = 1.0,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """``image`` ``(3, H, W)`` as the network paints it.

    The picture has the image's size, or the size wanted. What is smaller than the network has learned from
    is enlarged to that: a thumbnail through a model that learned from thumbnails becomes a picture.

    Args:
        image: float32 in [0, 1].
        model: the file of a U-Net, a ResNet, a fast-style or a transformer net.
        side: the longer side of the result, px.
        prepare: first make of the image what the network learned from (outlines, pixels, soft greys), as
            its file says.
        styles: how much of each style of a fast-style net; the first alone by default.
        noise: of that which some models make texture of, how much, 0 to 1; also on an input as it is.
        seed: of this noise.
        device: where the network runs.
        progress: told the share done.

    Raises:
        ArtgenError: the file holds no such model, or other styles; or memory does not suffice.
    """
    loaded = _model(model, model.stat().st_mtime_ns, device)
    network, learned = loaded.network, header.inputs(loaded.metadata)
    least = LEAST
    if isinstance(network, UNet):
        least = network.config.multiple
    own = header.side(loaded.metadata) or least
    own = max(least, own // least * least)
    height, width = image.shape[-2:]
    size = size_of_result(height, width, side, own)
    shown = as_learned(image, learned, size) if prepare and learned else resized(image, size)
    shown = with_channels(shown, 3 if isinstance(network, Styled) else network.config.inputs, model.name)
    shown = speckled(shown, learned, generator(seed), noise)
    if isinstance(network, UNet):
        # What only re-imagines keeps the picture's colours; what learned from outlines has none to keep.
        anchor = learned.get("use") == "pixelate"
        return _blended(network, shown, own, anchor, device, progress)
    weights = _weights(network, styles, model) if isinstance(network, FastStyle) else None
    return _exact(network, shown, weights, device, progress)


def _exact(
    network: ResNet | Styled,
    image: Tensor,
    weights: Tensor | None,
    device: str,
    progress: Callable[[float], None],
) -> Tensor:
    height, width = image.shape[-2:]
    multiple = network.reach.multiple
    rows, columns = (max(LEAST, -(-length // multiple) * multiple) for length in (height, width))
    image = padded(image, rows, columns)
    more = () if weights is None else (weights.to(device),)

    def paint(tiles: Tensor, windows: Sequence[Window]) -> Tensor:
        batch = tiles.to(device=device, memory_format=torch.channels_last)
        painted: Tensor = network(batch, *(each.expand(len(batch), -1) for each in more))
        return painted.float().cpu()

    writer = TensorWriter(rows, columns)
    if not _in_one_piece(paint, image, writer):
        with _settled(network, image, more, device):
            paint_exact(paint, network.reach, TensorReader(image), writer, tile=TILE, progress=progress)
    progress(1.0)
    return writer.image[:, :height, :width].clamp(0, 1)


def _in_one_piece(
    paint: Callable[[Tensor, Sequence[Window]], Tensor], image: Tensor, writer: TensorWriter
) -> bool:
    """Whether the picture was small enough, for us and for memory, and is painted."""
    if image.shape[-2] * image.shape[-1] > WHOLE:
        return False
    try:
        writer.image[:] = paint(image[None], ())[0]
    except RuntimeError as error:
        if not out_of_memory(error):
            raise
        return False
    return True


@contextmanager
def _settled(
    network: ResNet | Styled, image: Tensor, more: tuple[Tensor, ...], device: str
) -> Iterator[None]:
    """Inside, the network has the whole picture's statistics, from as many patches as memory allows."""
    pixels = WHOLE
    with ExitStack() as stack:
        while True:
            patches = _patches(image, max(1, pixels // PATCH**2)).to(device)
            try:
                expanded = (each.expand(len(patches), -1) for each in more)
                stack.enter_context(fixed_statistics(network, patches, *expanded))
                break
            except RuntimeError as error:
                if not out_of_memory(error):
                    raise
                if len(patches) == 1:
                    found = f"not enough for {PATCH} x {PATCH} px"
                    raise ArtgenError("memory", found, "close other programs") from None
                pixels //= 4
        yield


def _blended(
    network: UNet, image: Tensor, side: int, anchor: bool, device: str, progress: Callable[[float], None]
) -> Tensor:
    """Each tile is normalised by itself where the norm is instance norm: as it was in training."""
    height, width = image.shape[-2:]
    image = padded(image, max(side, height), max(side, width))

    def paint(tiles: Tensor, windows: Sequence[Window]) -> Tensor:
        painted: Tensor = network(tiles.to(device=device, memory_format=torch.channels_last))
        return painted.float().cpu()

    writer = TensorWriter(image.shape[-2], image.shape[-1])
    reader = TensorReader(image)
    paint_blended(paint, reader, writer, scale=1, side=side, batch=4, anchor=anchor, progress=progress)
    return writer.image[:, :height, :width].clamp(0, 1)


def _weights(network: FastStyle, styles: Sequence[float], model: Path) -> Tensor:
    known = network.config.styles
    if not styles:
        return network.style(0)
    if len(styles) != known or sum(styles) <= 0:
        raise ArtgenError(f"translate: {model.name}", f"{len(styles)} styles", f"{known} numbers, not all 0")
    return torch.tensor([[share / sum(styles) for share in styles]])


def _patches(image: Tensor, count: int) -> Tensor:
    """About ``count`` patches ``(B, C, h, w)`` of ``(C, H, W)`` in an even grid of its proportions."""
    height, width = image.shape[-2:]
    rows = min(count, max(1, round((count * height / width) ** 0.5)))
    tops, lefts = (
        torch.linspace(0, max(0, length - PATCH), number).int().tolist()
        for length, number in ((height, rows), (width, max(1, count // rows)))
    )
    return torch.stack([image[:, top : top + PATCH, left : left + PATCH] for top in tops for left in lefts])


@functools.lru_cache(maxsize=2)
def _model(path: Path, changed: int, device: str) -> Model[Translator]:
    """One copy a process; ``changed`` (modification time) makes a replaced file a new entry."""
    loaded: Model[Network] = load_model(path, device)
    network = loaded.network
    if not isinstance(network, Translator):
        right = "an image-to-image model: of the families pix2pix, mix, cyclegan or fast-style"
        raise ArtgenError(str(path), f"architecture {network.architecture!r}", right)
    return Model(network, loaded.metadata)
