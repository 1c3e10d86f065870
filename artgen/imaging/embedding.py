"""What a picture is like, in 115 numbers: its colours, where they lie, its strokes' scale and direction.

Measured against the features of a shipped network by `benchmarks/taste.py --embedding`: these find siblings
better and tell recipes apart as well, in half the time. No training, no file, no randomness. Left and right
are folded together: a mirrored picture is nearly the same one. The blocks are scaled so that Euclidean
distances of vectors mean something by themselves: 0.1 the same thumbnail imagined again, 0.2 a little
brighter or mirrored, about 2 any other picture.

Imports torch only when a picture is embedded: who only needs the name of the numbers does not wait.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

NAME = "look-1"
"""Changes when the numbers change: embeddings of another name are not compared with these."""
SIDE = 128
"""Every picture is reduced or enlarged so that its longer side has this many px."""
LEAST = 8  # px of the shorter side: a picture 1 px wide still has a pyramid
HUES, TONES, CHROMAS = 12, 9, 7
GRID, LEVELS, DIRECTIONS = 4, 5, 8
DIRECTED = 4  # levels whose directions count: the coarsest has too few pixels
OPPONENT = 3.0  # OKLab's a and b span about a third of what its lightness spans
CHROMA = 0.24  # of the last bin; stronger colours are rare
# One over the root of a block's variance among 5,000 candidates, times its weight: a half for each of colour,
# 0.5 and 0.35 for strokes, 0.7 and 0.5 for the layout.
SCALES = {"hue": 3.6, "tones": 1.4, "chroma": 1.3, "moments": 3.0, "bands": 0.3, "directions": 1.5,
          "layout": 1.28, "sides": 1.25}  # fmt: skip


def embed(image: Tensor) -> NDArray[np.float32]:
    """The vector of a picture; of its PNG and of its thumbnail nearly the same.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``, of any size.

    Returns:
        float32 ``(115,)``, always finite.
    """
    import torch

    with torch.inference_mode():
        found = torch.cat([block * SCALES[name] for name, block in blocks(image).items()])
    vector: NDArray[np.float32] = found.numpy().copy()
    return vector


def blocks(image: Tensor) -> dict[str, Tensor]:
    """The statistics by name, not yet scaled, ``(k,)`` each.

    Args:
        image: ``(3, H, W)``, sRGB, ``[0, 1]``.
    """
    from artgen.imaging import color

    lab = color.to_oklab(color.to_linear(_reduced(image.detach().float().cpu()).clamp(0, 1)))
    return _colours(lab) | _strokes(lab) | _layout(lab)


def _reduced(image: Tensor) -> Tensor:
    from artgen.imaging.image import area_down, resize

    height, width = image.shape[-2:]
    # Blocks first: of a large print nearly all the time would go into the antialiased resampling.
    if (factor := min(height, width, max(height, width) // (2 * SIDE))) > 1:
        image = area_down(image[..., : height // factor * factor, : width // factor * factor], factor)
    ratio = SIDE / max(height, width)
    return resize(image, (max(LEAST, round(height * ratio)), max(LEAST, round(width * ratio))))


def _colours(lab: Tensor) -> dict[str, Tensor]:
    """Histograms with soft bins, as roots (Hellinger), and moments."""
    import torch

    light, a, b = lab.flatten(1)
    chroma = (a * a + b * b).sqrt()
    hue = torch.atan2(b, a) / (2 * math.pi)
    hues = (_around(hue, HUES) * chroma).mean(1)
    opponent = lab.flatten(1) * torch.tensor([[1.0], [OPPONENT], [OPPONENT]])
    return {
        "hue": (hues + 1e-4).sqrt(),
        "tones": (_along(light, TONES, 1.0).mean(1) + 1e-3).sqrt(),
        "chroma": (_along(chroma, CHROMAS, CHROMA).mean(1) + 1e-3).sqrt(),
        "moments": torch.cat([opponent.mean(1), opponent.std(1, unbiased=False)]),
    }


def _strokes(lab: Tensor) -> dict[str, Tensor]:
    """Of an image pyramid: each level's energy of detail, in light and colour, and its directions."""
    import torch
    import torch.nn.functional as F

    level = (lab * torch.tensor([1.0, 2.0, 2.0]).view(3, 1, 1))[None]
    energies, directions = [], []
    for number in range(LEVELS):
        detail = level - F.avg_pool2d(F.pad(level, (1, 1, 1, 1), mode="replicate"), 3, 1)
        energy = (detail.square().mean((0, 2, 3)) + 1e-7).log() / 2
        energies.append(energy if number else energy[:1])  # a WebP holds no finest colour
        if number < DIRECTED:
            directions.append(_directions(level[:, :1]))
        if min(level.shape[-2:]) >= 4:
            level = F.avg_pool2d(level, 2)
    return {"bands": torch.cat(energies), "directions": torch.cat(directions)}


def _directions(light: Tensor) -> Tensor:
    """Shares of the gradient's energy from across to along, both diagonals together."""
    import torch
    import torch.nn.functional as F

    padded = F.pad(light, (1, 1, 1, 1), mode="replicate")[0, 0]
    across = (padded[1:-1, 2:] - padded[1:-1, :-2]).flatten()
    along = (padded[2:, 1:-1] - padded[:-2, 1:-1]).flatten()
    energy = across.square() + along.square()
    bins = _around(torch.atan2(along, across) / math.pi, DIRECTIONS)
    shares = (bins * energy).mean(1) / (energy.mean() + 1e-5)
    half = DIRECTIONS // 2
    return torch.cat([shares[:1], (shares[1:half] + shares[half + 1 :].flip(0)) / 2, shares[half : half + 1]])


def _layout(lab: Tensor) -> dict[str, Tensor]:
    """Colours of a coarse grid, left and right together; and how far they are apart."""
    import torch
    import torch.nn.functional as F

    weights = torch.tensor([1.0, OPPONENT, OPPONENT]).view(3, 1, 1)
    cells = F.adaptive_avg_pool2d((lab * weights)[None], GRID)[0]
    left, right = cells[..., : GRID // 2], cells.flip(-1)[..., : GRID // 2]
    return {"layout": ((left + right) / 2).flatten(), "sides": (left - right).abs().flatten()}


def _around(turns: Tensor, count: int) -> Tensor:
    """Soft bins of a circle, ``(count, N)``: each value divides itself between the nearest two."""
    import torch

    centres = torch.arange(float(count))[:, None]
    away = ((turns[None] * count - centres + count / 2) % count - count / 2).abs()
    return (1 - away).clamp_min(0)


def _along(values: Tensor, count: int, last: float) -> Tensor:
    """Soft bins from 0 to ``last``, ``(count, N)``; what is beyond belongs to the ends."""
    import torch

    places = values.clamp(0, last) / last * (count - 1)
    return (1 - (places[None] - torch.arange(float(count))[:, None]).abs()).clamp_min(0)
