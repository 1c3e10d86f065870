"""Embedding of an image in 115 numbers: its colours, their layout, the scale and direction of its strokes.

Compared with the features of a shipped network (`benchmarks/taste.py --embedding`), it finds images from the
same thumbnail better and separates recipes equally well, in half the time. It needs no training, no file and
no randomness. Left and right are averaged, so a mirrored image is nearly the same. The blocks are scaled so
that Euclidean distances have a meaning of their own: 0.1 is the same thumbnail with other invented detail,
0.2 a little brighter or mirrored, about 2 any other image.

torch is imported only when an image is embedded, so that code that needs only the name starts quickly.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

EMBEDDING_NAME = "look-1"
"""Name of this embedding, changed with its definition: vectors of other names are not compared with these."""
EMBEDDED_IMAGE_SIDE_PX = 128
"""Longer side, in px, to which every image is resized first."""
MIN_SHORTER_SIDE_PX = 8  # px: an image 1 px wide still has a pyramid
HUE_BINS, TONE_BINS, CHROMA_BINS = 12, 9, 7
COLOUR_GRID_CELLS, PYRAMID_LEVELS, DIRECTION_BINS = 4, 5, 8
STROKE_DIRECTION_LEVELS = 4  # levels whose stroke directions are used: the coarsest has too few pixels
OPPONENT_AXES_WEIGHT = 3.0  # the range of OKLab's a and b is about a third of that of its lightness
MAX_BINNED_CHROMA = 0.24  # chroma in OKLab; stronger colours are rare
# Weight of a block over its standard deviation among 5,000 candidates. The weights are 0.5 for the first four
# blocks (colour), 0.5 and 0.35 for the next two (strokes), 0.7 and 0.5 for the last two (layout).
EMBEDDING_BLOCK_SCALES = {"hue": 3.6, "tones": 1.4, "chroma": 1.3, "moments": 3.0, "bands": 0.3,
          "directions": 1.5, "layout": 1.28, "sides": 1.25}  # fmt: skip


def embed_image(image: Tensor) -> NDArray[np.float32]:
    """Return the embedding of an image; a PNG and its thumbnail have nearly the same.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``, of any size.

    Returns:
        float32 ``(115,)``, always finite.
    """
    import torch

    with torch.inference_mode():
        concatenated = torch.cat(
            [block * EMBEDDING_BLOCK_SCALES[name] for name, block in feature_blocks(image).items()]
        )
    vector: NDArray[np.float32] = concatenated.numpy().copy()
    return vector


def feature_blocks(image: Tensor) -> dict[str, Tensor]:
    """Return the parts of an image's embedding by name, not yet scaled, ``(k,)`` each.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``.
    """
    from artgen.imaging import color

    lab = color.to_oklab(color.to_linear(_resize_for_analysis(image.detach().float().cpu()).clamp(0, 1)))
    return _colour_blocks(lab) | _stroke_blocks(lab) | _layout_blocks(lab)


def _resize_for_analysis(image: Tensor) -> Tensor:
    from artgen.imaging.image import block_means, resize

    height, width = image.shape[-2:]
    # Block means first: antialiased resampling would take nearly all the time for a large print.
    if (factor := min(height, width, max(height, width) // (2 * EMBEDDED_IMAGE_SIDE_PX))) > 1:
        image = block_means(image[..., : height // factor * factor, : width // factor * factor], factor)
    ratio = EMBEDDED_IMAGE_SIDE_PX / max(height, width)
    return resize(
        image,
        (max(MIN_SHORTER_SIDE_PX, round(height * ratio)), max(MIN_SHORTER_SIDE_PX, round(width * ratio))),
    )


def _colour_blocks(lab: Tensor) -> dict[str, Tensor]:
    """Return an embedding's colours: histograms with soft bins, as square roots (Hellinger), and moments."""
    import torch

    lightness, a, b = lab.flatten(1)
    chroma = (a * a + b * b).sqrt()
    hue = torch.atan2(b, a) / (2 * math.pi)
    hue_histogram = (_soft_circular_bins(hue, HUE_BINS) * chroma).mean(1)
    weighted = lab.flatten(1) * torch.tensor([[1.0], [OPPONENT_AXES_WEIGHT], [OPPONENT_AXES_WEIGHT]])
    return {
        "hue": (hue_histogram + 1e-4).sqrt(),
        "tones": (_soft_linear_bins(lightness, TONE_BINS, 1.0).mean(1) + 1e-3).sqrt(),
        "chroma": (_soft_linear_bins(chroma, CHROMA_BINS, MAX_BINNED_CHROMA).mean(1) + 1e-3).sqrt(),
        "moments": torch.cat([weighted.mean(1), weighted.std(1, unbiased=False)]),
    }


def _stroke_blocks(lab: Tensor) -> dict[str, Tensor]:
    """Return an embedding's strokes: each pyramid level's energy of detail, and its directions."""
    import torch
    import torch.nn.functional as F

    level = (lab * torch.tensor([1.0, 2.0, 2.0]).view(3, 1, 1))[None]
    energies, directions = [], []
    for number in range(PYRAMID_LEVELS):
        detail = level - F.avg_pool2d(F.pad(level, (1, 1, 1, 1), mode="replicate"), 3, 1)
        energy = (detail.square().mean((0, 2, 3)) + 1e-7).log() / 2
        energies.append(energy if number else energy[:1])  # WebP does not store colour at the finest level
        if number < STROKE_DIRECTION_LEVELS:
            directions.append(_direction_shares(level[:, :1]))
        if min(level.shape[-2:]) >= 4:
            level = F.avg_pool2d(level, 2)
    return {"bands": torch.cat(energies), "directions": torch.cat(directions)}


def _direction_shares(lightness: Tensor) -> Tensor:
    """Return shares of the gradient's energy by direction, averaged with the mirrored directions."""
    import torch
    import torch.nn.functional as F

    padded = F.pad(lightness, (1, 1, 1, 1), mode="replicate")[0, 0]
    gradient_x = (padded[1:-1, 2:] - padded[1:-1, :-2]).flatten()
    gradient_y = (padded[2:, 1:-1] - padded[:-2, 1:-1]).flatten()
    energy = gradient_x.square() + gradient_y.square()
    bins = _soft_circular_bins(torch.atan2(gradient_y, gradient_x) / math.pi, DIRECTION_BINS)
    shares = (bins * energy).mean(1) / (energy.mean() + 1e-5)
    half = DIRECTION_BINS // 2
    return torch.cat([shares[:1], (shares[1:half] + shares[half + 1 :].flip(0)) / 2, shares[half : half + 1]])


def _layout_blocks(lab: Tensor) -> dict[str, Tensor]:
    """Return an embedding's layout: colours of a coarse grid, means of mirrored cells and differences."""
    import torch
    import torch.nn.functional as F

    weights = torch.tensor([1.0, OPPONENT_AXES_WEIGHT, OPPONENT_AXES_WEIGHT]).view(3, 1, 1)
    cells = F.adaptive_avg_pool2d((lab * weights)[None], COLOUR_GRID_CELLS)[0]
    left, right = cells[..., : COLOUR_GRID_CELLS // 2], cells.flip(-1)[..., : COLOUR_GRID_CELLS // 2]
    return {"layout": ((left + right) / 2).flatten(), "sides": (left - right).abs().flatten()}


def _soft_circular_bins(turns: Tensor, count: int) -> Tensor:
    """Return a histogram of hues with soft bins: each value in turns of a circle goes to two bins."""
    import torch

    centres = torch.arange(float(count))[:, None]
    distances = ((turns[None] * count - centres + count / 2) % count - count / 2).abs()
    return (1 - distances).clamp_min(0)


def _soft_linear_bins(values: Tensor, count: int, last: float) -> Tensor:
    """Return a histogram with soft bins: each value, clamped to 0 to ``last``, goes to two bins."""
    import torch

    positions = values.clamp(0, last) / last * (count - 1)
    return (1 - (positions[None] - torch.arange(float(count))[:, None]).abs()).clamp_min(0)
