"""The U-Net of pix2pix: down to one pixel and up again, with a skip across at every size.

After Isola et al. 2017 (arXiv:1611.07004) as in junyanz/pytorch-CycleGAN-and-pix2pix: 4x4 convolutions of
stride 2, batch norm, leaky ReLU 0.2 down, ReLU up, dropout in the inner decoder blocks of 8 x ``width``
channels, no norm at the outermost and innermost encoders. Deviations:

- Images are in [0, 1] outside and in [-1, 1] only inside the network.
- At inference batch norm uses its running statistics and nothing is dropped. The published test run does
  neither (each image is normalised by itself, dropout stays); tiles of one image would then not agree.
- ``rise = "resize"`` (Odena et al. 2016): nearest 2x and a 3x3 convolution in place of each transposed one,
  whose kernel cannot overlap unevenly into a checkerboard.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.network import Network, NetworkConfig
from artgen.models.architectures.norms import build_norm, init_dcgan_weights
from artgen.models.architectures.small_convs import DoublingConv, HalvingConv, uses_matmul
from artgen.models.architectures.upimage import nearest_upsample_conv

DROPOUT_RATE = 0.5


class UNetConfig(NetworkConfig):
    """Sizes of a U-Net; sides of images are multiples of 2 to the ``levels``."""

    levels: int = Field(8, ge=3, le=10)
    width: int = Field(64, ge=1, le=512)
    inputs: int = Field(3, ge=1, le=4)
    outputs: int = Field(3, ge=1, le=4)
    norm: Literal["batch", "instance"] = "batch"
    dropout: bool = True
    rise: Literal["transposed", "resize"] = "transposed"

    @property
    def size_multiple(self) -> int:
        """Number of px that image sides are multiples of; the smallest side is what it was made for."""
        return int(2**self.levels)


class ResizeConv(nn.Conv2d):
    """Doubling of the U-Net by nearest 2x and a 3x3 convolution, mostly computed without enlarging first."""

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True) -> None:
        super().__init__(in_channels, out_channels, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        # For few pixels, folding the kernel would be most of the work.
        if uses_matmul(x, x.shape[0] * x.shape[2] * x.shape[3]):
            return super().forward(F.interpolate(x, scale_factor=2, mode="nearest"))
        bias = self.bias if self.bias is not None else self.weight.new_zeros(self.out_channels)
        return nearest_upsample_conv(x, self.weight, bias)


class UNet(Network):
    """The U-Net, from ``(B, inputs, H, W)`` in [0, 1] to ``(B, outputs, H, W)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "unet"
    config_class = UNetConfig
    config: UNetConfig

    def __init__(self, config: UNetConfig) -> None:
        super().__init__(config)
        levels, width = config.levels, config.width
        widths = [width * min(8, 2**level) for level in range(levels)]
        # Norms subtract a bias again; before instance norm there is one all the same, as published.
        bias = config.norm == "instance"
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        self.down_norms, self.up_norms = nn.ModuleList(), nn.ModuleList()
        for level, channels in enumerate(widths):
            in_channels = widths[level - 1] if level else config.inputs
            self.downs.append(HalvingConv(in_channels, channels, bias=bias))
            has_norm = 0 < level < levels - 1
            self.down_norms.append(build_norm(config.norm if has_norm else "none", channels))
        upsampling = ResizeConv if config.rise == "resize" else DoublingConv
        for level in reversed(range(levels)):
            in_channels = widths[level] * (1 if level == levels - 1 else 2)
            out_channels = widths[level - 1] if level else config.outputs
            self.ups.append(upsampling(in_channels, out_channels, bias=bias or level == 0))
            self.up_norms.append(build_norm(config.norm if level else "none", out_channels))
        self.dropout_blocks = range(1, levels - 4) if config.dropout else range(0)
        """Indices in ``ups`` of the blocks with dropout."""
        init_dcgan_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2 - 1
        skips: list[Tensor] = []
        for level, (down, norm) in enumerate(zip(self.downs, self.down_norms, strict=True)):
            # In place: leaky ReLU changes the skip too, of which ReLU later keeps the same positive part.
            x = norm(down(F.leaky_relu(x, 0.2, inplace=True) if level else x))
            skips.append(x)
        x = skips.pop()
        for number, (up, norm) in enumerate(zip(self.ups, self.up_norms, strict=True)):
            x = norm(up(F.relu(x, inplace=True)))
            if number in self.dropout_blocks:
                x = F.dropout(x, DROPOUT_RATE, self.training, inplace=True)
            if skips:
                x = torch.cat([skips.pop(), x], 1)
        return torch.tanh(x) * 0.5 + 0.5
