"""The U-Net of pix2pix: down to one pixel and up again, with a skip across at every size.

After Isola et al. 2017 (arXiv:1611.07004) as in junyanz/pytorch-CycleGAN-and-pix2pix: 4x4 convolutions of
stride 2, batch norm, leaky ReLU 0.2 down, ReLU up, dropout in the inner decoder blocks of 8 x ``width``
channels, no norm at the outermost and innermost encoders. Deviations:

- Pictures are in [0, 1] outside; [-1, 1] is the network's own affair.
- At inference batch norm uses its running statistics and nothing is dropped. The published test run does
  neither (each picture is normalised by itself, dropout stays); tiles of one picture would then not agree.
- ``rise = "resize"`` (Odena et al. 2016): nearest 2x and a 3x3 convolution in place of each transposed one,
  whose kernel cannot overlap unevenly into a checkerboard.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.network import Config, Network
from artgen.models.architectures.norms import norm_layer, published_weights
from artgen.models.architectures.small_convs import Double, Halve, few
from artgen.models.architectures.upimage import nearest_conv

DROPOUT = 0.5


class UNetConfig(Config):
    """Sizes of the network; sides of pictures are multiples of 2 to the ``levels``."""

    levels: int = Field(8, ge=3, le=10)
    width: int = Field(64, ge=1, le=512)
    inputs: int = Field(3, ge=1, le=4)
    outputs: int = Field(3, ge=1, le=4)
    norm: Literal["batch", "instance"] = "batch"
    dropout: bool = True
    rise: Literal["transposed", "resize"] = "transposed"

    @property
    def multiple(self) -> int:
        """Sides of pictures are multiples of it, px; the least is the size it was made for."""
        return int(2**self.levels)


class ResizeConv(nn.Conv2d):
    """Nearest 2x, then a 3x3 convolution; for few pixels folding its kernel would be most of the work."""

    def __init__(self, before: int, after: int, *, bias: bool = True) -> None:
        super().__init__(before, after, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if few(x, x.shape[0] * x.shape[2] * x.shape[3]):
            return super().forward(F.interpolate(x, scale_factor=2, mode="nearest"))
        bias = self.bias if self.bias is not None else self.weight.new_zeros(self.out_channels)
        return nearest_conv(x, self.weight, bias)


class UNet(Network):
    """``(B, inputs, H, W)`` in [0, 1] to ``(B, outputs, H, W)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "unet"
    configuration = UNetConfig
    config: UNetConfig

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        levels, width = config.levels, config.width
        sizes = [width * min(8, 2**level) for level in range(levels)]
        # What a norm subtracts again needs no bias; instance norm without a shift is given one, as published.
        bias = config.norm == "instance"
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        self.down_norms, self.up_norms = nn.ModuleList(), nn.ModuleList()
        for level, size in enumerate(sizes):
            before = sizes[level - 1] if level else config.inputs
            self.downs.append(Halve(before, size, bias=bias))
            normed = 0 < level < levels - 1
            self.down_norms.append(norm_layer(config.norm if normed else "none", size))
        rise = ResizeConv if config.rise == "resize" else Double
        for level in reversed(range(levels)):
            before = sizes[level] * (1 if level == levels - 1 else 2)
            after = sizes[level - 1] if level else config.outputs
            self.ups.append(rise(before, after, bias=bias or level == 0))
            self.up_norms.append(norm_layer(config.norm if level else "none", after))
        self.dropped = range(1, levels - 4) if config.dropout else range(0)
        published_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2 - 1
        skips: list[Tensor] = []
        for level, (down, norm) in enumerate(zip(self.downs, self.down_norms, strict=True)):
            # In place: a skip then carries what leaky ReLU left, of which ReLU takes the same positive part.
            x = norm(down(F.leaky_relu(x, 0.2, inplace=True) if level else x))
            skips.append(x)
        x = skips.pop()
        for number, (up, norm) in enumerate(zip(self.ups, self.up_norms, strict=True)):
            x = norm(up(F.relu(x, inplace=True)))
            if number in self.dropped:
                x = F.dropout(x, DROPOUT, self.training, inplace=True)
            if skips:
                x = torch.cat([skips.pop(), x], 1)
        return torch.tanh(x) * 0.5 + 0.5
