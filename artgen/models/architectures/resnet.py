"""The residual generator of CycleGAN: two halvings, a trunk of residual blocks, two doublings.

After Johnson et al. 2016 (arXiv:1603.08155) and Zhu et al. 2017 (arXiv:1703.10593), as ``resnet_9blocks`` in
junyanz/pytorch-CycleGAN-and-pix2pix. Deviations: pictures are in [0, 1] outside; the statistics of instance
norm can be fixed (``norms.py``), so that any size is painted tile by tile; ``rise = "resize"`` puts
nearest 2x and a 3x3 convolution in place of each transposed one; with ``skips`` what each halving was given
is added to what its doubling makes, and the picture itself before the last tanh, so that what a network of
few channels learns is the change (as in Ronneberger et al. 2015, but added).
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from artgen.imaging.tiles.exact import Reach
from artgen.models.architectures.network import Config, Network
from artgen.models.architectures.norms import norm_layer, published_weights
from artgen.models.architectures.unet import DROPOUT, ResizeConv

HALVINGS = 2
Transposed = partial(nn.ConvTranspose2d, kernel_size=3, stride=2, padding=1, output_padding=1)


class ResNetConfig(Config):
    """Sizes of the network; sides of pictures are multiples of 4."""

    width: int = Field(64, ge=1, le=512)
    blocks: int = Field(9, ge=1, le=32)
    inputs: int = Field(3, ge=1, le=4)
    outputs: int = Field(3, ge=1, le=4)
    norm: Literal["instance", "batch"] = "instance"
    dropout: bool = False
    rise: Literal["transposed", "resize"] = "transposed"
    skips: bool = False

    @model_validator(mode="after")
    def _fits(self) -> ResNetConfig:
        if self.skips and self.inputs != self.outputs:
            raise ValueError(f"skips: {self.inputs} and {self.outputs} channels cannot be added")
        return self


class Block(nn.Module):
    """Two reflected 3x3 convolutions beside a straight way."""

    def __init__(self, width: int, norm: str, *, dropout: bool) -> None:
        super().__init__()
        bias = norm == "instance"
        self.first, self.second = (nn.Conv2d(width, width, 3, bias=bias) for _ in range(2))
        self.first_norm, self.second_norm = (norm_layer(norm, width) for _ in range(2))
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(F.pad(x, (1,) * 4, mode="reflect"))), inplace=True)
        if self.dropout:
            y = F.dropout(y, DROPOUT, self.training)
        added: Tensor = x + self.second_norm(self.second(F.pad(y, (1,) * 4, mode="reflect")))
        return added


class ResNet(Network):
    """``(B, inputs, H, W)`` in [0, 1] to ``(B, outputs, H, W)`` in [0, 1]; H and W multiples of 4.

    Args:
        config: sizes.
    """

    architecture = "resnet"
    configuration = ResNetConfig
    config: ResNetConfig

    def __init__(self, config: ResNetConfig) -> None:
        super().__init__(config)
        width, bias = config.width, config.norm == "instance"
        self.stem = nn.Conv2d(config.inputs, width, 7, bias=bias)
        self.stem_norm = norm_layer(config.norm, width)
        sizes = [width << level for level in range(HALVINGS + 1)]
        self.downs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=bias) for a, b in pairwise(sizes))
        self.down_norms = nn.ModuleList(norm_layer(config.norm, size) for size in sizes[1:])
        self.trunk = nn.Sequential(
            *(Block(sizes[-1], config.norm, dropout=config.dropout) for _ in range(config.blocks))
        )
        rise = ResizeConv if config.rise == "resize" else Transposed
        self.ups = nn.ModuleList(rise(before, after, bias=bias) for before, after in pairwise(sizes[::-1]))
        self.up_norms = nn.ModuleList(norm_layer(config.norm, size) for size in sizes[-2::-1])
        self.paint = nn.Conv2d(width, config.outputs, 7)
        published_weights(self)

    @property
    def reach(self) -> Reach:
        """What the tile engine must know once the statistics are fixed; a test derives it."""
        trunk = (2 * self.config.blocks) * 2**HALVINGS
        # Stem 3, halvings 1 and 2, doublings at most 1 at 1/4 and 1/2 of the size, paint 3.
        return Reach(scale=1, multiple=2**HALVINGS, halo=3 + 1 + 2 + trunk + 4 + 2 + 3)

    def forward(self, x: Tensor) -> Tensor:
        given = x * 2 - 1
        x = F.relu(self.stem_norm(self.stem(F.pad(given, (3,) * 4, mode="reflect"))), inplace=True)
        kept: list[Tensor] = []
        for down, norm in zip(self.downs, self.down_norms, strict=True):
            if self.config.skips:
                kept.append(x)
            x = F.relu(norm(down(x)), inplace=True)
        x = self.trunk(x)
        for up, norm in zip(self.ups, self.up_norms, strict=True):
            x = F.relu(norm(up(x)), inplace=True)
            if self.config.skips:
                x = x + kept.pop()
        x = self.paint(F.pad(x, (3,) * 4, mode="reflect"))
        return torch.tanh(x + given if self.config.skips else x) * 0.5 + 0.5
