"""Johnson's style network with several styles in it: one pass paints an image.

After Johnson et al. 2016 (arXiv:1603.08155) with instance normalisation (Ulyanov et al. 2016,
arXiv:1607.08022) whose scale and shift belong to the style (Dumoulin et al. 2017, arXiv:1610.07629): N styles
share one network and mix by weights. Deviations:

- The features at full and at half size are added where the decoder comes back to that size (as in a U-Net,
  Ronneberger et al. 2015, arXiv:1505.04597). Without them every outline goes through a grid of 4 px, and it
  takes thousands of training steps until it comes out where it was.
- Resize-convolutions (Odena et al. 2016) against checkerboards, computed without enlarging first.
- The last layer is 3 x 3 and not 9 x 9: on a CPU that one layer would cost as much as four residual blocks.
- Every convolution repeats the border outwards. Zeros show as a frame, and reflection would need an image
  larger than its padding.
- The statistics of the norms can be fixed from outside. A tile normalised by itself would differ from its
  neighbour in colour and contrast; with the whole image's statistics, measured once, tiles agree exactly.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.imaging.tiles.exact import TileGeometry
from artgen.models.architectures.network import ConvolutionalNetwork, NetworkConfig
from artgen.models.architectures.norms import InstanceNorm
from artgen.models.architectures.upimage import nearest_upsample_conv

STEM_KERNEL_SIDE_PX = 9
SIZE_HALVINGS = 2


class FastStyleNetConfig(NetworkConfig):
    """Sizes of a fast-style network, and how many styles it knows."""

    width: int = Field(32, ge=4, le=256)
    blocks: int = Field(5, ge=1, le=32)
    styles: int = Field(1, ge=1, le=256)


class ConditionalInstanceNorm(nn.Module):
    """Instance normalisation with a scale and a shift for each style."""

    def __init__(self, channels: int, styles: int) -> None:
        super().__init__()
        self.norm = InstanceNorm(channels)
        self.scale = nn.Parameter(torch.ones(styles, channels))
        self.shift = nn.Parameter(torch.zeros(styles, channels))

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        scale, shift = (
            (style_weights @ parameter)[:, :, None, None] for parameter in (self.scale, self.shift)
        )
        return torch.addcmul(shift, self.norm(x), scale)


class FastStyleNetLayer(nn.Module):
    """Convolution over a repeated border, then the style's norm; with ``upsamples`` at twice the size.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        kernel_size: side of the kernel, px.
        styles: number of styles of the norm.
        stride: of the convolution.
        upsamples: double the size before the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        styles: int,
        *,
        stride: int = 1,
        upsamples: bool = False,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride, bias=upsamples)
        self.norm = ConditionalInstanceNorm(out_channels, styles)
        self.padding = 1 if upsamples else kernel_size // 2
        self.upsamples = upsamples

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        x = F.pad(x, (self.padding,) * 4, mode="replicate")
        if self.upsamples:
            assert self.convolution.bias is not None
            x = nearest_upsample_conv(x, self.convolution.weight, self.convolution.bias, padding=0)
        else:
            x = self.convolution(x)
        normed: Tensor = self.norm(x, style_weights)
        return normed


class FastStyleNetBlock(nn.Module):
    """Residual block of two convolutions; no activation after the sum (Gross and Wilber 2016)."""

    def __init__(self, width: int, styles: int) -> None:
        super().__init__()
        self.first, self.second = (FastStyleNetLayer(width, width, 3, styles) for _ in range(2))

    def forward(self, x: Tensor, style_weights: Tensor) -> Tensor:
        residual: Tensor = self.second(F.relu(self.first(x, style_weights)), style_weights)
        return x + residual


class FastStyleNet(ConvolutionalNetwork):
    """Style network for several styles: ``(B, 3, H, W)`` in [0, 1] to the same; H, W multiples of 4.

    Args:
        config: sizes and number of styles.
    """

    architecture = "fast-style"
    config_class = FastStyleNetConfig
    config: FastStyleNetConfig

    def __init__(self, config: FastStyleNetConfig) -> None:
        super().__init__(config)
        width, styles = config.width, config.styles
        self.falls = nn.ModuleList(
            [
                FastStyleNetLayer(3, width, STEM_KERNEL_SIDE_PX, styles),
                FastStyleNetLayer(width, 2 * width, 3, styles, stride=2),
                FastStyleNetLayer(2 * width, 4 * width, 3, styles, stride=2),
            ]
        )
        self.trunk = nn.ModuleList(FastStyleNetBlock(4 * width, styles) for _ in range(config.blocks))
        self.rises = nn.ModuleList(
            [
                FastStyleNetLayer(4 * width, 2 * width, 3, styles, upsamples=True),
                FastStyleNetLayer(2 * width, width, 3, styles, upsamples=True),
            ]
        )
        self.paint = nn.Conv2d(width, 3, 3)

    @property
    def tile_geometry(self) -> TileGeometry:
        """Scale, size multiple and halo for the tile engine, once the statistics are fixed.

        A test derives them from the network. In the encoder each layer needs its border at its own grid; in
        the trunk a block needs two borders of 4 px; in the decoder a layer needs one px of the coarser grid
        before the doubling.
        """
        encoder = STEM_KERNEL_SIDE_PX // 2 + 1 + 2
        trunk = 2 * 4 * self.config.blocks
        decoder = 4 + 2 + 1
        return TileGeometry(scale=1, multiple=2**SIZE_HALVINGS, halo=encoder + trunk + decoder)

    def forward(self, x: Tensor, style_weights: Tensor | None = None) -> Tensor:
        """Paint images by the network in a style or a mixture of styles.

        Args:
            x: images.
            style_weights: share of each style, ``(B, N)``; the first style alone by default.
        """
        if style_weights is None:
            style_weights = self.style_weights(0).to(x.device).expand(len(x), -1)
        x = x * 2 - 1
        encoder_features = []
        for layer in self.falls:
            x = F.relu(layer(x, style_weights))
            encoder_features.append(x)
        for block in self.trunk:
            x = block(x, style_weights)
        for layer, skip in zip(self.rises, encoder_features[-2::-1], strict=True):
            x = F.relu(layer(x, style_weights)) + skip
        painted: Tensor = self.paint(F.pad(x, (1, 1, 1, 1), mode="replicate"))
        return painted.sigmoid()

    def style_weights(self, index: int) -> Tensor:
        """Return the network's input of weights ``(1, N)`` for one style alone."""
        return F.one_hot(torch.tensor([index]), self.config.styles).float()
