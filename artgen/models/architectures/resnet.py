"""The residual generator of CycleGAN: two halvings, a trunk of residual blocks, two doublings.

After Johnson et al. 2016 (arXiv:1603.08155) and Zhu et al. 2017 (arXiv:1703.10593), as ``resnet_9blocks`` in
junyanz/pytorch-CycleGAN-and-pix2pix. Deviations: images are in [0, 1] outside; the statistics of instance
norm can be fixed (``norms.py``), so that any size is painted tile by tile; ``rise = "resize"`` puts
nearest 2x and a 3x3 convolution in place of each transposed one; with ``skips`` the input of each halving is
added to the output of its doubling, and the image itself before the last tanh, so that a network of few
channels learns only the change (as in Ronneberger et al. 2015, but added).
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from artgen.imaging.tiles.exact import TileGeometry
from artgen.models.architectures.network import ConvolutionalNetwork, NetworkConfig
from artgen.models.architectures.norms import build_norm, init_dcgan_weights
from artgen.models.architectures.unet import DROPOUT_RATE, ResizeConv

SIZE_HALVINGS = 2
TransposedConv = partial(nn.ConvTranspose2d, kernel_size=3, stride=2, padding=1, output_padding=1)


class ResNetConfig(NetworkConfig):
    """Sizes of CycleGAN's residual generator; sides of images are multiples of 4."""

    width: int = Field(64, ge=1, le=512)
    blocks: int = Field(9, ge=1, le=32)
    inputs: int = Field(3, ge=1, le=4)
    outputs: int = Field(3, ge=1, le=4)
    norm: Literal["instance", "batch"] = "instance"
    dropout: bool = False
    rise: Literal["transposed", "resize"] = "transposed"
    skips: bool = False

    @model_validator(mode="after")
    def _check_skips(self) -> ResNetConfig:
        if self.skips and self.inputs != self.outputs:
            raise ValueError(f"skips: {self.inputs} and {self.outputs} channels cannot be added")
        return self


class ResNetBlock(nn.Module):
    """Residual block of two 3x3 convolutions with reflection padding."""

    def __init__(self, width: int, norm: str, *, dropout: bool) -> None:
        super().__init__()
        bias = norm == "instance"
        self.first, self.second = (nn.Conv2d(width, width, 3, bias=bias) for _ in range(2))
        self.first_norm, self.second_norm = (build_norm(norm, width) for _ in range(2))
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(F.pad(x, (1,) * 4, mode="reflect"))), inplace=True)
        if self.dropout:
            y = F.dropout(y, DROPOUT_RATE, self.training)
        total: Tensor = x + self.second_norm(self.second(F.pad(y, (1,) * 4, mode="reflect")))
        return total


class ResNet(ConvolutionalNetwork):
    """CycleGAN's generator, ``(B, inputs, H, W)`` to ``(B, outputs, H, W)`` in [0, 1]; H, W multiples of 4.

    Args:
        config: sizes.
    """

    architecture = "resnet"
    config_class = ResNetConfig
    config: ResNetConfig

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__(config)
        width, bias = config.width, config.norm == "instance"
        self.stem = nn.Conv2d(config.inputs, width, 7, bias=bias)
        self.stem_norm = build_norm(config.norm, width)
        widths = [width << level for level in range(SIZE_HALVINGS + 1)]
        self.downs = nn.ModuleList(
            nn.Conv2d(in_channels, out_channels, 3, 2, 1, bias=bias)
            for in_channels, out_channels in pairwise(widths)
        )
        self.down_norms = nn.ModuleList(build_norm(config.norm, channels) for channels in widths[1:])
        self.trunk = nn.Sequential(
            *(ResNetBlock(widths[-1], config.norm, dropout=config.dropout) for _ in range(config.blocks))
        )
        upsampling = ResizeConv if config.rise == "resize" else TransposedConv
        self.ups = nn.ModuleList(
            upsampling(in_channels, out_channels, bias=bias)
            for in_channels, out_channels in pairwise(widths[::-1])
        )
        self.up_norms = nn.ModuleList(build_norm(config.norm, channels) for channels in widths[-2::-1])
        self.paint = nn.Conv2d(width, config.outputs, 7)
        init_dcgan_weights(self)

    @property
    def tile_geometry(self) -> TileGeometry:
        """Scale, size multiple and halo for the tile engine, once the statistics are fixed (tested)."""
        trunk = (2 * self.config.blocks) * 2**SIZE_HALVINGS
        # Stem 3, halvings 1 and 2, doublings at most 1 at 1/4 and 1/2 of the size, paint 3.
        return TileGeometry(scale=1, multiple=2**SIZE_HALVINGS, halo=3 + 1 + 2 + trunk + 4 + 2 + 3)

    @property
    def input_channels(self) -> int:
        """Channels of the network's input images, as configured."""
        return self.config.inputs

    def forward(self, x: Tensor) -> Tensor:
        scaled_input = x * 2 - 1
        x = F.relu(self.stem_norm(self.stem(F.pad(scaled_input, (3,) * 4, mode="reflect"))), inplace=True)
        skips: list[Tensor] = []
        for down, norm in zip(self.downs, self.down_norms, strict=True):
            if self.config.skips:
                skips.append(x)
            x = F.relu(norm(down(x)), inplace=True)
        x = self.trunk(x)
        for up, norm in zip(self.ups, self.up_norms, strict=True):
            x = F.relu(norm(up(x)), inplace=True)
            if self.config.skips:
                x = x + skips.pop()
        x = self.paint(F.pad(x, (3,) * 4, mode="reflect"))
        return torch.tanh(x + scaled_input if self.config.skips else x) * 0.5 + 0.5
