"""Image-to-image inference with any trained network, at any size, tile by tile.

A U-Net needs its whole tile and is used at one tile size: the generative path. ResNet and style networks are
convolutional once the statistics of their norms are fixed: the exact path. An image that is small enough
goes through them untiled.

Statistics of a larger image come from one pass over patches of it, at its own resolution and evenly spread.
Measured on a ResNet of four blocks and five photographs at 0.6 to 4 million px, the result is then 0.009 to
0.029 (mean 0.016) away from that of the untiled image. With the statistics of the image reduced to as many
pixels it is 0.010 to 0.050 (mean 0.026): reducing takes away detail that norms divide by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import resize_if_needed
from artgen.imaging.inputs import add_texture_noise
from artgen.imaging.inputs import prepare_input as as_learned
from artgen.imaging.sizes import result_size
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.blended import paint_blended
from artgen.imaging.tiles.exact import TileWindow, is_out_of_memory, paint_exact
from artgen.models.architectures.faststyle import FastStyleNet
from artgen.models.architectures.network import ConvolutionalNetwork, Network
from artgen.models.architectures.norms import fixed_norm_statistics
from artgen.models.architectures.unet import UNet
from artgen.models.files import header
from artgen.models.files.checkpoint import LoadedModel, load_cached_model
from artgen.models.inference.fitting import convert_channels, pad_mirrored
from artgen.seeds import torch_generator

TranslationNetwork = UNet | ConvolutionalNetwork
MAX_UNTILED_PIXELS = 512 * 512  # also the pixels from which statistics of larger images are measured
PATCH_SIDE_PX = 64  # px, of the patches that statistics are measured from
EXACT_TILE_SIDE_PX = 512  # px, of the exact path: its halo of up to 90 px then costs less than the tile
MIN_SIDE_PX = 16  # px: a ResNet reflects at a quarter of the side


@dataclass(frozen=True)
class TilingLimits:
    """From which size on a network translates images in tiles, and of which size.

    Attributes:
        untiled_pixels: largest image that is painted untiled, and pixels from which statistics are measured.
        tile_side: px, of the exact path.
    """

    untiled_pixels: int = MAX_UNTILED_PIXELS
    tile_side: int = EXACT_TILE_SIDE_PX


@torch.inference_mode()
def translate_image(
    image: Tensor,
    model_path: Path,
    *,
    side: int | None = None,
    prepare_input: bool = True,
    style_shares: Sequence[float] = (),
    noise: float = 1.0,
    seed: int = 0,
    device: str = "cpu",
    limits: TilingLimits = TilingLimits(),
    progress: Callable[[float], None] = lambda done: None,
) -> Tensor:
    """Translate ``image`` ``(3, H, W)`` with the network of a model file.

    The result has the image's size, or the size asked for. An image smaller than the training images is
    enlarged to their size: a thumbnail through a model that was trained on thumbnails becomes a picture.

    Args:
        image: float32 in [0, 1].
        model_path: the file of a U-Net, a ResNet, a fast-style or a transformer net.
        side: the longer side of the result, px.
        prepare_input: first turn the image into what the network was trained on (outlines, pixels, soft
            greys), as the file's metadata describes it.
        style_shares: how much of each style of a fast-style net; the first alone by default.
        noise: amount of the noise that some models make texture of, 0 to 1; added to a prepared or an
            unprepared input.
        seed: of this noise.
        device: where the network runs.
        limits: sizes of tiles.
        progress: called with the share done.

    Raises:
        ArtgenError: the file holds no such model, or other styles; or memory does not suffice.
    """
    loaded = _load_translator(model_path, device)
    network, inputs_table = loaded.network, header.training_inputs(loaded.metadata)
    side_multiple = MIN_SIDE_PX
    if isinstance(network, UNet):
        side_multiple = network.config.size_multiple
    trained_side = header.training_side(loaded.metadata) or side_multiple
    trained_side = max(side_multiple, trained_side // side_multiple * side_multiple)
    height, width = image.shape[-2:]
    size = result_size(height, width, side, trained_side)
    if prepare_input and inputs_table:
        network_input = as_learned(image, inputs_table, size)
    else:
        network_input = resize_if_needed(image, size)
    channels = network.config.inputs if isinstance(network, UNet) else network.input_channels
    network_input = convert_channels(network_input, channels, model_path.name)
    network_input = add_texture_noise(network_input, inputs_table, torch_generator(seed), noise)
    if isinstance(network, UNet):
        # A network trained on pixelated images keeps the colours; one trained on outlines has none to keep.
        anchor = inputs_table.get("use") == "pixelate"
        return _translate_blended(network, network_input, trained_side, anchor, device, progress)
    weights = _style_weights(network, style_shares, model_path) if isinstance(network, FastStyleNet) else None
    return _translate_exact(network, network_input, weights, device, limits, progress)


def _translate_exact(
    network: ConvolutionalNetwork,
    image: Tensor,
    style_weights: Tensor | None,
    device: str,
    limits: TilingLimits,
    progress: Callable[[float], None],
) -> Tensor:
    """Translate an image by a convolutional network: untiled if memory allows, else in exact tiles."""
    height, width = image.shape[-2:]
    multiple = network.tile_geometry.multiple
    rows, columns = (max(MIN_SIDE_PX, -(-length // multiple) * multiple) for length in (height, width))
    image = pad_mirrored(image, rows, columns)
    other_inputs = () if style_weights is None else (style_weights.to(device),)

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        batch = tiles.to(device=device, memory_format=torch.channels_last)
        painted: Tensor = network(batch, *(other.expand(len(batch), -1) for other in other_inputs))
        return painted.float().cpu()

    writer = TensorWriter(rows, columns)
    if image.shape[-2] * image.shape[-1] > limits.untiled_pixels or not _try_untiled(paint, image, writer):
        with _whole_image_statistics(network, image, other_inputs, device, limits.untiled_pixels):
            paint_exact(
                paint,
                network.tile_geometry,
                TensorReader(image),
                writer,
                tile_side=limits.tile_side,
                progress=progress,
            )
    progress(1.0)
    return writer.image[:, :height, :width].clamp(0, 1)


def _try_untiled(
    paint: Callable[[Tensor, Sequence[TileWindow]], Tensor], image: Tensor, writer: TensorWriter
) -> bool:
    """Paint an image untiled by a network; return False where memory does not suffice."""
    try:
        writer.image[:] = paint(image[None], ())[0]
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return False
    return True


@contextmanager
def _whole_image_statistics(
    network: ConvolutionalNetwork,
    image: Tensor,
    other_inputs: tuple[Tensor, ...],
    device: str,
    pixel_count: int,
) -> Iterator[None]:
    """Fix the norms' statistics to the whole image's, measured on as many patches as memory allows."""
    with ExitStack() as stack:
        while True:
            patches = _sample_patches(image, max(1, pixel_count // PATCH_SIDE_PX**2)).to(device)
            try:
                expanded = (other.expand(len(patches), -1) for other in other_inputs)
                stack.enter_context(fixed_norm_statistics(network, patches, *expanded))
                break
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if len(patches) == 1:
                    problem = f"not enough for {PATCH_SIDE_PX} x {PATCH_SIDE_PX} px"
                    raise ArtgenError("memory", problem, "close other programs") from None
                pixel_count //= 4
        yield


def _translate_blended(
    network: UNet, image: Tensor, side: int, anchor: bool, device: str, progress: Callable[[float], None]
) -> Tensor:
    """Translate with a U-Net by blended tiles; instance norm takes each tile by itself, as in training."""
    height, width = image.shape[-2:]
    image = pad_mirrored(image, max(side, height), max(side, width))

    def paint(tiles: Tensor, windows: Sequence[TileWindow]) -> Tensor:
        painted: Tensor = network(tiles.to(device=device, memory_format=torch.channels_last))
        return painted.float().cpu()

    writer = TensorWriter(image.shape[-2], image.shape[-1])
    reader = TensorReader(image)
    paint_blended(
        paint, reader, writer, scale=1, side=side, max_batch=4, anchor_colours=anchor, progress=progress
    )
    return writer.image[:, :height, :width].clamp(0, 1)


def _style_weights(network: FastStyleNet, shares: Sequence[float], model_path: Path) -> Tensor:
    """Return a style network's weights ``(1, N)`` of its styles, which sum to 1.

    Raises:
        ArtgenError: another number of shares than styles, or all 0.
    """
    style_count = network.config.styles
    if not shares:
        return network.style_weights(0)
    if len(shares) != style_count or sum(shares) <= 0:
        raise ArtgenError(
            f"translate: {model_path.name}", f"{len(shares)} styles", f"{style_count} numbers, not all 0"
        )
    return torch.tensor([[share / sum(shares) for share in shares]])


def _sample_patches(image: Tensor, count: int) -> Tensor:
    """Cut about ``count`` patches ``(B, C, h, w)`` from an image, to measure the norms' statistics."""
    height, width = image.shape[-2:]
    rows = min(count, max(1, round((count * height / width) ** 0.5)))
    tops, lefts = (
        torch.linspace(0, max(0, length - PATCH_SIDE_PX), number).int().tolist()
        for length, number in ((height, rows), (width, max(1, count // rows)))
    )
    return torch.stack(
        [image[:, top : top + PATCH_SIDE_PX, left : left + PATCH_SIDE_PX] for top in tops for left in lefts]
    )


def _load_translator(path: Path, device: str) -> LoadedModel[TranslationNetwork]:
    """Load an image-to-image network of a model file, once per process.

    Raises:
        ArtgenError: the file cannot be read, or holds no image-to-image model.
    """
    loaded: LoadedModel[Network] = load_cached_model(path, device)
    network = loaded.network
    if not isinstance(network, TranslationNetwork):
        expected = "an image-to-image model: of the families pix2pix, mix, cyclegan or fast-style"
        raise ArtgenError(str(path), f"architecture {network.architecture!r}", expected)
    return LoadedModel(network, loaded.metadata)
