"""How good a model is, on pictures it never saw: the figures of its card."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import area_down, shrink
from artgen.imaging.metrics import coherence, consistency, grid_index, high_power, patch_swd
from artgen.imaging.tiles.bands import TensorReader, TensorWriter
from artgen.imaging.tiles.exact import Window
from artgen.models.architectures.upimage import UpImager
from artgen.models.inference.upscaling import tile_noise, upscale_bands
from artgen.training.engine.family import Figure, Measured
from artgen.training.material.images import Pixels
from artgen.training.material.material import Material
from artgen.training.pairs import PairMaker

SIDE, LEAST = 256, 64  # most and least side of the pictures that an up-imager is measured by, px
MOST = 128  # pictures; more would not change the figures but fill the memory
FEW = 8  # pictures drawn once more with another noise
# What three passes grow: so many thumbnails of so many px, each pass's input larger than the one before; and
# how many of them are drawn over tiles too, so small that the last pass has several.
PASSED, THUMBNAIL, GROWTH = 4, 32, 8
TILED, TILE = 2, 24
HALVES = 4  # different pictures that two halves to be compared are made of, at least


def likeness(made: Tensor, real: Tensor, base: Tensor, base_name: str) -> list[Figure]:
    """Statistics of inventions against real pictures, ``(B, 3, H, W)`` each; see ``imaging/metrics.py``.

    Of fewer than 4 different real pictures no halves are compared; and where the base is already what it
    should look like, nothing is relative to it.

    Args:
        made: by the model.
        real: what it should look like.
        base: the plain picture that patch-SWD is relative to.
        base_name: its name, e.g. ``bicubic``.
    """
    unit = sum(patch_swd(base, real))
    distances: list[Figure] = []
    if unit > 0:
        label = f"patch-SWD over that of {base_name} (0 is real)"
        distances.append(Figure("swd", label, sum(patch_swd(made, real)) / unit))
    if unit > 0 and len({picture.numpy().tobytes() for picture in real}) >= HALVES:
        even = len(real) // 2 * 2
        floor = sum(patch_swd(real[0:even:2], real[1:even:2])) / unit
        distances.append(Figure("swd_floor", "the same between two halves of the real pictures", floor))
    return [
        *distances,
        Figure(
            "coherence",
            "structure-tensor coherence over real's",
            coherence(made) / max(coherence(real), 1e-12),
        ),
        Figure(
            "spectrum",
            "power above half Nyquist over real's",
            high_power(made) / max(high_power(real), 1e-12),
            ".2f",
        ),
    ]


def seen(count: int, thing: str, held_out: bool, sizes: str) -> str:
    """What was measured on, for the card: ``8 held-out pictures, 256 px``."""
    things = f"{count} {'held-out ' if held_out else ''}{thing}{'' if count == 1 else 's'}"
    return f"{things}{'' if held_out else ' it was trained on'}, {sizes}"


def evaluate(network: UpImager, pairs: PairMaker, material: Material, device: str = "cpu") -> Measured:
    """Measure an up-imager by held-out pictures of up to 256 px, each of which it makes of a thumbnail."""
    held_out = material.validation.pixels
    count, side = min(MOST, len(held_out)), side_of(held_out)
    inputs, real = pairs.validation(count, side, enlarged=False)
    figures = up_imaged(network, inputs, real, device)
    return Measured(seen(count, "picture", material.held_out, f"{inputs.shape[-1]} px to {side} px"), figures)


def side_of(pictures: Sequence[Pixels]) -> int:
    """Side at which an up-imager is measured by these, px: none is enlarged, for it would pass for soft."""
    least = int(min(min(pixels.shape[:2]) for pixels in pictures))
    return max(LEAST, min(SIDE, least // LEAST * LEAST))


def up_imaged(network: UpImager, inputs: Tensor, real: Tensor, device: str = "cpu") -> list[Figure]:
    """Every figure of an up-imager.

    Args:
        network: makes pictures of ``inputs``.
        inputs: ``(B, 3, h, w)``.
        real: what it should look like, ``(B, 3, s*h, s*w)``.
        device: where the network runs.
    """
    scale = network.config.scale
    bicubic = F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False).clamp(0, 1)
    made = imagine(network, inputs, seed=1, device=device)
    other = imagine(network, inputs[:FEW], seed=2, device=device)
    thumbnails = area_down(inputs[:PASSED], inputs.shape[-1] // THUMBNAIL)
    whole, tiled = (
        torch.stack([three_passes(network, thumbnail, tile, device) for thumbnail in some])
        for some, tile in ((thumbnails, None), (thumbnails[:TILED], TILE))
    )
    drift = float((whole.mean((2, 3)) - thumbnails.mean((2, 3))).abs().max() * 255)
    seams = [grid_index(pictures, TILE * scale) for pictures in (tiled, whole[: len(tiled)])]
    return [
        *likeness(made, real, bicubic, "bicubic"),
        Figure("consistency", "reduced picture against input, dB", consistency(made, inputs), ".1f"),
        Figure(
            "diversity", "mean difference of two noises", float((made[: len(other)] - other).abs().mean())
        ),
        Figure("grid", f"gradient on the {scale} px grid over elsewhere", grid_index(made, scale)),
        Figure("seam", "gradient on borders of tiles, over drawn in one piece", seams[0] / seams[1]),
        Figure("drift", "colour drift over three passes, 1/255", drift, ".2f"),
    ]


@torch.inference_mode()
def imagine(network: UpImager, inputs: Tensor, *, seed: int, device: str = "cpu") -> Tensor:
    """Pictures ``(B, 3, s*h, s*w)`` of ``(B, 3, h, w)``, each with noise of its own, clamped to [0, 1]."""
    pictures = []
    for i, thumbnail in enumerate(inputs):
        window = Window(0, 0, thumbnail.shape[-2], thumbnail.shape[-1])
        noise = tile_noise(network, [window], noise=1.0, seed=seed * 100_003 + i)
        batch = thumbnail[None].to(device=device, memory_format=torch.channels_last)
        made = network(batch, [n.to(device) for n in noise])
        pictures.append(made.clamp(0, 1).cpu())
    return torch.cat(pictures)


def three_passes(
    network: UpImager, thumbnail: Tensor, tile: int | None = None, device: str = "cpu"
) -> Tensor:
    """A picture grown as recipes grow it: of each pass's picture, reduced, the next makes a larger one.

    Args:
        network: the up-imager, of scale ``s``.
        thumbnail: ``(3, h, h)``.
        tile: side of the tiles of every pass, px of its input; by default it is drawn in one piece.
        device: where the network runs.

    Returns:
        ``(3, s * (h + 16), s * (h + 16))``.
    """
    picture = thumbnail
    for number in range(3):
        side = thumbnail.shape[-1] + GROWTH * number
        reader = TensorReader(shrink(picture, (side, side)) if number else picture)
        writer = TensorWriter(side * network.config.scale, side * network.config.scale)
        upscale_bands(network, reader, writer, noise=1.0, seed=number, device=device, tile=tile or side)
        picture = writer.image.clamp_(0, 1)
    return picture
