"""A small R3GAN: residual networks without any normalisation, for few images and small machines.

After Huang, Gokaslan, Kuleshov and Tompkin 2024 (The GAN is dead; long live the GAN! A Modern Baseline GAN,
arXiv:2501.05441), configuration E: blocks of 1x1, grouped 3x3 and 1x1 convolutions at twice the width
(ResNeXt), kept stable by their initial weights alone (after Fixup, Zhang et al. 2019, arXiv:1901.09321),
bilinear resizing, and a discriminator that mirrors the generator. Deviations:

- A million weights instead of tens of millions: ``width`` channels at half the side, doubling inwards up to
  ``8 * width``, one block a level by default.
- No block at the full side, which on a CPU would cost more than all others: the generator paints, and the
  discriminator reads, the full side with one 3x3 convolution.
- The latent makes the 4 x 4 start by a linear layer. Where it only scaled a learned basis, as published,
  all images shared one layout for the first thousand steps of a small network.
- Groups of 16 channels at every level: the smallest that CPUs still compute well.
- Colours pass a sigmoid into [0, 1], so that a film has no clipped patches.

No statistics over the batch: an image depends on its latent alone, in training too.
"""

from __future__ import annotations

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.latent import LatentConfig, LatentGenerator, channels_per_level

LEAKY_RELU_SLOPE = 0.2
LEAKY_RELU_GAIN = math.sqrt(2 / (1 + LEAKY_RELU_SLOPE**2))
CHANNELS_PER_CONV_GROUP = 16


class R3GANConfig(LatentConfig):
    """Sizes of an R3GAN network: ``width`` channels at half the image's side, ``blocks`` at every level."""

    width: int = Field(32, ge=8, le=512, multiple_of=8)
    blocks: int = Field(1, ge=1, le=8)

    def level_widths(self) -> list[int]:
        """Return the R3GAN's channels at 4 x 4, 8 x 8, ... up to half the image's side."""
        return channels_per_level(self.width, self.doublings)


class R3GANBlock(nn.Module):
    """Residual block of a 1x1, a grouped 3x3 and a 1x1 convolution; the identity when initialised.

    Args:
        width: channels.
        total_blocks: number of residual blocks in the network; the more, the smaller the initial weights
            (Fixup).
    """

    def __init__(self, width: int, total_blocks: int) -> None:
        super().__init__()
        inner_width = 2 * width
        self.widen = nn.Conv2d(width, inner_width, 1)
        self.look = nn.Conv2d(
            inner_width, inner_width, 3, padding=1, groups=inner_width // CHANNELS_PER_CONV_GROUP
        )
        self.narrow = nn.Conv2d(inner_width, width, 1)
        for convolution in (self.widen, self.look):
            _init_convolution(convolution, LEAKY_RELU_GAIN * total_blocks**-0.25)
        _init_convolution(self.narrow, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        widened = F.leaky_relu(self.widen(x), LEAKY_RELU_SLOPE)
        residual: Tensor = self.narrow(F.leaky_relu(self.look(widened), LEAKY_RELU_SLOPE))
        return x + residual


class R3Generator(LatentGenerator):
    """R3GAN's generator, from ``(B, latent)`` to ``(B, 3, side, side)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "r3gan"
    config_class = R3GANConfig
    config: R3GANConfig

    def __init__(self, config: R3GANConfig) -> None:
        super().__init__(config)
        widths = config.level_widths()
        total_blocks = config.blocks * len(widths)
        self.begin = nn.Linear(config.latent, widths[0] * 16)
        nn.init.normal_(self.begin.weight, 0.0, 1 / math.sqrt(config.latent))
        nn.init.zeros_(self.begin.bias)
        self.changes = nn.ModuleList(
            _channel_projection(in_channels, out_channels) for in_channels, out_channels in pairwise(widths)
        )
        self.levels = nn.ModuleList(_build_level(width, config.blocks, total_blocks) for width in widths)
        self.last = _channel_projection(widths[-1], config.width // 2)
        self.paint = nn.Conv2d(config.width // 2, 3, 3, padding=1)
        _init_convolution(self.paint, 1.0)

    def forward(self, latents: Tensor) -> Tensor:
        x: Tensor = self.levels[0](self.begin(latents).unflatten(1, (-1, 4, 4)))
        for projection, level in zip(self.changes, list(self.levels)[1:], strict=True):
            x = level(_double_size(projection(x)))
        return torch.sigmoid(self.paint(F.leaky_relu(_double_size(self.last(x)), LEAKY_RELU_SLOPE)))


class R3Discriminator(nn.Module):
    """R3GAN's discriminator: ``(B, 3, side, side)`` in [0, 1] to logits ``(B,)``, to be compared only.

    Args:
        config: the generator's; ``width`` and ``blocks`` may differ.
    """

    def __init__(self, config: R3GANConfig) -> None:
        super().__init__()
        widths = config.level_widths()[::-1]
        total_blocks = config.blocks * len(widths)
        self.see = nn.Conv2d(3, config.width // 2, 3, padding=1)
        _init_convolution(self.see, LEAKY_RELU_GAIN)
        self.first = _channel_projection(config.width // 2, widths[0])
        self.levels = nn.ModuleList(_build_level(width, config.blocks, total_blocks) for width in widths)
        self.changes = nn.ModuleList(
            _channel_projection(in_channels, out_channels) for in_channels, out_channels in pairwise(widths)
        )
        self.gather = nn.Conv2d(widths[-1], widths[-1], 4, groups=widths[-1], bias=False)
        _init_convolution(self.gather, 1.0)
        self.judge = nn.Linear(widths[-1], 1, bias=False)
        nn.init.normal_(self.judge.weight, 0.0, 1 / math.sqrt(widths[-1]))

    def forward(self, images: Tensor) -> Tensor:
        x = F.avg_pool2d(F.leaky_relu(self.see(images * 2 - 1), LEAKY_RELU_SLOPE), 2)
        x = self.levels[0](self.first(x))
        for projection, level in zip(self.changes, list(self.levels)[1:], strict=True):
            x = level(projection(F.avg_pool2d(x, 2)))
        logits: Tensor = self.judge(self.gather(x).flatten(1))
        return logits[:, 0]


def _build_level(width: int, blocks: int, total_blocks: int) -> nn.Sequential:
    return nn.Sequential(*(R3GANBlock(width, total_blocks) for _ in range(blocks)))


def _double_size(x: Tensor) -> Tensor:
    """Double the size of features bilinearly; after a channel projection, where that costs less."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _channel_projection(in_channels: int, out_channels: int) -> nn.Module:
    """Return a 1x1 convolution to another number of channels; the identity where the number is the same."""
    if in_channels == out_channels:
        return nn.Identity()
    convolution = nn.Conv2d(in_channels, out_channels, 1, bias=False)
    _init_convolution(convolution, 1.0)
    return convolution


def _init_convolution(convolution: nn.Conv2d, gain: float) -> None:
    """Initialise a convolution with normal weights that keep the deviation times ``gain``, zero biases."""
    fan_in = convolution.weight[0].numel()
    nn.init.normal_(convolution.weight, 0.0, gain / math.sqrt(fan_in))
    if convolution.bias is not None:
        nn.init.zeros_(convolution.bias)
