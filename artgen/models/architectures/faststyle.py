"""Johnson's network with several styles in it: one pass paints a picture.

After Johnson et al. 2016 (arXiv:1603.08155) with instance normalisation (Ulyanov et al. 2016,
arXiv:1607.08022) whose scale and shift belong to the style (Dumoulin et al. 2017, arXiv:1610.07629): N styles
share one network and mix by weights. Deviations:

- What was seen at full and at half size is added where the picture comes back to that size (as in a U-Net,
  Ronneberger et al. 2015, arXiv:1505.04597). Without it every outline goes through a grid of 4 px, and it
  takes thousands of steps until it comes out where it was.
- Resize-convolutions (Odena et al. 2016) against checkerboards, computed without enlarging first.
- The last layer is 3 x 3 and not 9 x 9: on a CPU that one layer would cost as much as four residual blocks.
- Every convolution continues the border outwards. Zeros show as a frame, and reflection would need a
  picture larger than its padding.
- The statistics of the norms can be fixed from outside. A tile normalised by itself would differ from its
  neighbour in colour and contrast; with the whole picture's statistics, taken once, tiles agree exactly.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.imaging.tiles.exact import Reach
from artgen.models.architectures.network import Config, Network
from artgen.models.architectures.norms import InstanceNorm
from artgen.models.architectures.upimage import nearest_conv

STEM = 9
DESCENTS = 2


class FastStyleConfig(Config):
    """Sizes of the network, and how many styles it knows."""

    width: int = Field(32, ge=4, le=256)
    blocks: int = Field(5, ge=1, le=32)
    styles: int = Field(1, ge=1, le=256)


class StyleNorm(nn.Module):
    """Instance normalisation with a scale and a shift for each style."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.norm = InstanceNorm(channels)
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        scale, shift = ((weights @ each)[:, :, None, None] for each in (self.scale, self.shift))
        return torch.addcmul(shift, self.norm(x), scale)


class Layer(nn.Module):
    """Convolution over a continued border, then the style's norm. ``rises`` doubles the size first."""

    def __init__(
        self, before: int, after: int, size: int, styles: int, *, stride: int = 1, rises: bool = False
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(before, after, size, stride, bias=rises)
        self.norm = StyleNorm(after, styles)
        self.border = 1 if rises else size // 2
        self.rises = rises

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        x = F.pad(x, (self.border,) * 4, mode="replicate")
        if self.rises:
            assert self.convolution.bias is not None
            x = nearest_conv(x, self.convolution.weight, self.convolution.bias, padding=0)
        else:
            x = self.convolution(x)
        normed: Tensor = self.norm(x, weights)
        return normed


class Block(nn.Module):
    """Two convolutions beside a straight way; nothing after the sum (Gross and Wilber 2016)."""

    def __init__(self, width: int, styles: int) -> None:
        super().__init__()
        self.first, self.second = Layer(width, width, 3, styles), Layer(width, width, 3, styles)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(x, weights)), weights)
        return x + change


class FastStyle(Network):
    """``(B, 3, H, W)`` in [0, 1] to the same size, in [0, 1]; H and W are multiples of 4.

    Args:
        config: sizes and number of styles.
    """

    architecture = "fast-style"
    configuration = FastStyleConfig
    config: FastStyleConfig

    def __init__(self, config: FastStyleConfig) -> None:
        super().__init__(config)
        width, styles = config.width, config.styles
        self.falls = nn.ModuleList(
            [
                Layer(3, width, STEM, styles),
                Layer(width, 2 * width, 3, styles, stride=2),
                Layer(2 * width, 4 * width, 3, styles, stride=2),
            ]
        )
        self.trunk = nn.ModuleList(Block(4 * width, styles) for _ in range(config.blocks))
        self.rises = nn.ModuleList(
            [
                Layer(4 * width, 2 * width, 3, styles, rises=True),
                Layer(2 * width, width, 3, styles, rises=True),
            ]
        )
        self.paint = nn.Conv2d(width, 3, 3)

    @property
    def reach(self) -> Reach:
        """What the tile engine must know once the statistics are fixed; a test derives it from the network.

        Falling, each layer sees its border at its own grid; inside, a block sees two of 4 px; rising, a layer
        sees one px of the coarser grid before the doubling.
        """
        falling = STEM // 2 + 1 + 2
        trunk = 2 * 4 * self.config.blocks
        rising = 4 + 2 + 1
        return Reach(scale=1, multiple=2**DESCENTS, halo=falling + trunk + rising)

    def forward(self, x: Tensor, weights: Tensor | None = None) -> Tensor:
        """Paint.

        Args:
            x: pictures.
            weights: how much of each style, ``(B, N)``; the first style alone by default.
        """
        if weights is None:
            weights = self.style(0).to(x.device).expand(len(x), -1)
        x = x * 2 - 1
        seen = []
        for layer in self.falls:
            x = F.relu(layer(x, weights))
            seen.append(x)
        for block in self.trunk:
            x = block(x, weights)
        for layer, finer in zip(self.rises, seen[-2::-1], strict=True):
            x = F.relu(layer(x, weights)) + finer
        painted: Tensor = self.paint(F.pad(x, (1, 1, 1, 1), mode="replicate"))
        return painted.sigmoid()

    def style(self, index: int) -> Tensor:
        """The weights ``(1, N)`` of one style alone."""
        return F.one_hot(torch.tensor([index]), self.config.styles).float()
