"""A small R3GAN: residual networks without any normalisation, for few pictures and small machines.

After Huang, Gokaslan, Kuleshov and Tompkin 2024 (The GAN is dead; long live the GAN! A Modern Baseline GAN,
arXiv:2501.05441), configuration E: blocks of 1x1, grouped 3x3 and 1x1 convolutions at twice the width
(ResNeXt), kept stable by their first weights alone (after Fixup, Zhang et al. 2019, arXiv:1901.09321),
bilinear resizing, and a critic that mirrors it all. Deviations:

- A million weights instead of tens of millions: ``width`` channels at half the side, doubling inwards up to
  ``8 * width``, one block a level by default.
- No block at the full side, which on a CPU would cost more than all others: the picture is painted from, and
  seen through, one 3x3 convolution there.
- The latent makes the 4 x 4 beginning by a linear layer. Where it only scaled a learned basis, as published,
  all pictures shared one layout for the first thousand steps of a small network.
- Groups of 16 channels at every level: the cheapest that CPUs still do well.
- Colours pass a sigmoid into [0, 1], so that a film has no clipped patches.

No statistics over the batch: a picture depends on its latent alone, in training too.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.latent import LatentConfig, LatentGenerator

SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))
GROUP = 16
WIDEST = 8


class R3GANConfig(LatentConfig):
    """Sizes: ``width`` channels at half the picture's side, ``blocks`` residual blocks at every level."""

    width: int = Field(32, ge=8, le=512, multiple_of=8)
    blocks: int = Field(1, ge=1, le=8)

    def widths(self) -> list[int]:
        """Channels at 4 x 4, 8 x 8, ... up to half the picture's side."""
        return [min(2**level, WIDEST) * self.width for level in reversed(range(self.doublings))]


class Block(nn.Module):
    """``x`` plus what a 1x1, a grouped 3x3 and a 1x1 convolution make of it; nothing at first.

    Args:
        width: channels.
        count: of all residual blocks; the more, the smaller the first weights (Fixup).
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        wide = 2 * width
        self.widen = nn.Conv2d(width, wide, 1)
        self.look = nn.Conv2d(wide, wide, 3, padding=1, groups=wide // GROUP)
        self.narrow = nn.Conv2d(wide, width, 1)
        for layer in (self.widen, self.look):
            _first_weights(layer, GAIN * count**-0.25)
        _first_weights(self.narrow, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.narrow(F.leaky_relu(self.look(F.leaky_relu(self.widen(x), SLOPE)), SLOPE))
        return x + found


class R3Generator(LatentGenerator):
    """``(B, latent)`` to ``(B, 3, side, side)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "r3gan"
    configuration = R3GANConfig
    config: R3GANConfig

    def __init__(self, config: R3GANConfig) -> None:
        super().__init__(config)
        widths = config.widths()
        count = config.blocks * len(widths)
        self.begin = nn.Linear(config.latent, widths[0] * 16)
        nn.init.normal_(self.begin.weight, 0.0, 1 / math.sqrt(config.latent))
        nn.init.zeros_(self.begin.bias)
        self.changes = nn.ModuleList(_change(before, after) for before, after in pairwise(widths))
        self.levels = nn.ModuleList(_level(width, config.blocks, count) for width in widths)
        self.last = _change(widths[-1], config.width // 2)
        self.paint = nn.Conv2d(config.width // 2, 3, 3, padding=1)
        _first_weights(self.paint, 1.0)

    def forward(self, z: Tensor) -> Tensor:
        x: Tensor = self.levels[0](self.begin(z).unflatten(1, (-1, 4, 4)))
        for change, level in zip(self.changes, list(self.levels)[1:], strict=True):
            x = level(_doubled(change(x)))
        return torch.sigmoid(self.paint(F.leaky_relu(_doubled(self.last(x)), SLOPE)))


class R3Discriminator(nn.Module):
    """Judges ``(B, 3, side, side)`` in [0, 1]: logits ``(B,)``, which mean something in comparison only.

    Args:
        config: the generator's; ``width`` and ``blocks`` may differ.
    """

    def __init__(self, config: R3GANConfig) -> None:
        super().__init__()
        widths = config.widths()[::-1]
        count = config.blocks * len(widths)
        self.see = nn.Conv2d(3, config.width // 2, 3, padding=1)
        _first_weights(self.see, GAIN)
        self.first = _change(config.width // 2, widths[0])
        self.levels = nn.ModuleList(_level(width, config.blocks, count) for width in widths)
        self.changes = nn.ModuleList(_change(before, after) for before, after in pairwise(widths))
        self.gather = nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False)
        _first_weights(self.gather, 1.0)
        self.judge = nn.Linear(widths[-1], 1, bias=False)
        nn.init.normal_(self.judge.weight, 0.0, 1 / math.sqrt(widths[-1]))

    def forward(self, x: Tensor) -> Tensor:
        x = F.avg_pool2d(F.leaky_relu(self.see(x * 2 - 1), SLOPE), 2)
        x = self.levels[0](self.first(x))
        for change, level in zip(self.changes, list(self.levels)[1:], strict=True):
            x = level(change(F.avg_pool2d(x, 2)))
        verdict: Tensor = self.judge(self.gather(x).flatten(1))
        return verdict[:, 0]


def _level(width: int, blocks: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(Block(width, count) for _ in range(blocks)))


def _doubled(x: Tensor) -> Tensor:
    """Twice the side. After a change of channels, because in this order the same result costs less."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _change(before: int, after: int) -> nn.Module:
    """Another number of channels; nothing where it stays."""
    if before == after:
        return nn.Identity()
    layer = nn.Conv2d(before, after, 1, bias=False)
    _first_weights(layer, 1.0)
    return layer


def _first_weights(layer: nn.Conv2d, gain: float) -> None:
    """Normal weights that keep the deviation times ``gain``; no bias yet."""
    fan_in = layer.weight[0].numel()
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(fan_in))
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
