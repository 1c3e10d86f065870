"""The compact up-imager: a fully convolutional generator that invents the detail a thumbnail has lost.

After the residual trunks of SRResNet (Ledig et al. 2017, arXiv:1609.04802) and the per-scale noise of
StyleGAN (Karras et al. 2019, arXiv:1812.04948), with these deviations:

- It works at the input's resolution: a trunk at 1x, then nearest + 3x3 convolutions up to 8x. Nothing is
  normalised over space, so a halo of ``halo`` input px makes a tile equal to the whole image.
- Output = bicubic + residual, and then *back-projection* (Irani and Peleg 1991): the difference between the
  input and the output's block means is added back, so the network only invents in the input's null space and
  colour cannot drift over passes.
- Noise enters at 1x, 2x and 4x but not at 8x: grain at the last scale would pass for detail. A network of
  one doubling is only meant to add grain; there noise enters at 2x, too.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.imaging.tiles.exact import TileGeometry
from artgen.models.architectures.network import Network, NetworkConfig

NOISE_CHANNELS_PER_STAGE = (4, 1, 1)
LEAKY_RELU_SLOPE = 0.2
CLAMPED_BACK_PROJECTIONS = 2  # back-projections after clamping at inference


class UpImagerConfig(NetworkConfig):
    """Sizes of an up-imager: ``width`` and ``blocks`` of the trunk, ``widths`` after each doubling."""

    width: int = Field(128, ge=8, le=512)
    blocks: int = Field(9, ge=1, le=64)
    widths: tuple[Annotated[int, Field(ge=4, le=512)], ...] = Field((64, 48, 24), min_length=1, max_length=4)

    @property
    def scale(self) -> int:
        """How many times larger the up-imager's output is: 2 for each doubling."""
        return int(2 ** len(self.widths))


def nearest_upsample_conv(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 1) -> Tensor:
    """Compute ``conv3x3(nearest_2x(x))`` with zero padding, in 4/9 of the multiplications.

    Each of the four output phases depends on only 2x2 distinct input pixels, so the 3x3 kernel folds into a
    2x2 one for each phase, and all four run as one convolution: ``(B, C, h, w)`` to ``(B, D, 2h, 2w)``. With
    ``padding`` 0 the outermost px of ``x`` are the border, whatever they hold, and the result is 4 px less.
    """
    batch, height, width = len(x), *(side - 2 + 2 * padding for side in x.shape[2:])
    out_channels = weight.shape[0]
    row_kernels = _phase_kernels(weight[:, :, 0], weight[:, :, 1], weight[:, :, 2])  # 2, D, C, 2, 3
    columns = (row_kernels[..., 0], row_kernels[..., 1], row_kernels[..., 2])
    kernel = _phase_kernels(*columns, stack_dim=-1).transpose(0, 1)  # 2, 2, D, C, 2, 2
    kernel = kernel.flatten(0, 2).contiguous(memory_format=torch.channels_last)
    phases = F.conv2d(x, kernel, bias.repeat(4), padding=padding).view(
        batch, 2, 2, out_channels, height + 1, width + 1
    )
    output = torch.empty(
        (batch, out_channels, 2 * height, 2 * width),
        dtype=x.dtype,
        device=x.device,
        memory_format=torch.channels_last,
    )
    for i in (0, 1):
        for j in (0, 1):
            output[:, :, i::2, j::2] = phases[:, i, j, :, i : i + height, j : j + width]
    return output


def _phase_kernels(first: Tensor, middle: Tensor, last: Tensor, stack_dim: int = 2) -> Tensor:
    """Return the two-tap kernels of an enlarging convolution's even and odd outputs, from three taps."""
    return torch.stack(
        [torch.stack([first, middle + last], stack_dim), torch.stack([first + middle, last], stack_dim)]
    )


class UpImagerBlock(nn.Module):
    """Residual block of one 3x3 and one 1x1 convolution: depth at half the halo of two 3x3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        residual: Tensor = self.mix(F.leaky_relu(self.look(x), LEAKY_RELU_SLOPE, inplace=True))
        return x + residual


class UpsamplingStage(nn.Module):
    """One doubling of an up-imager: nearest 2x, a 3x3 convolution, noise, and optionally another 3x3.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        noise_channels: channels of the noise map; 0 for no noise.
        second_convolution: whether there is a second 3x3 convolution.
    """

    def __init__(
        self, in_channels: int, out_channels: int, *, noise_channels: int, second_convolution: bool
    ) -> None:
        super().__init__()
        self.look = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.noise = nn.Conv2d(noise_channels, out_channels, 1, bias=False) if noise_channels else None
        self.again = nn.Conv2d(out_channels, out_channels, 3, padding=1) if second_convolution else None

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        assert self.look.bias is not None
        x = nearest_upsample_conv(x, self.look.weight, self.look.bias)
        if self.noise is not None and noise is not None:
            x = x + self.noise(noise)
        x = F.leaky_relu(x, LEAKY_RELU_SLOPE, inplace=True)
        return x if self.again is None else F.leaky_relu(self.again(x), LEAKY_RELU_SLOPE, inplace=True)


class UpImager(Network):
    """The up-imager, from ``(B, 3, h, w)`` in [0, 1] and noise maps to ``(B, 3, s*h, s*w)``, unclamped.

    Any h and w will do.

    Args:
        config: sizes; the scale ``s`` is 2 to the number of ``widths``.
    """

    architecture = "upimage"
    config_class = UpImagerConfig
    config: UpImagerConfig

    def __init__(self, config: UpImagerConfig) -> None:
        super().__init__(config)
        widths = (config.width, *config.widths)
        self.stem = nn.Conv2d(3 + NOISE_CHANNELS_PER_STAGE[0], config.width, 3, padding=1)
        self.trunk = nn.Sequential(*(UpImagerBlock(config.width) for _ in range(config.blocks)))
        last_stage = len(config.widths) - 1
        self.rises = nn.ModuleList(
            UpsamplingStage(
                widths[i],
                widths[i + 1],
                noise_channels=NOISE_CHANNELS_PER_STAGE[i + 1] if i < self._noisy_stages else 0,
                second_convolution=i != 1 or last_stage == 1,
            )
            for i in range(len(config.widths))
        )
        self.paint = nn.Conv2d(config.widths[-1], 3, 3, padding=1)

    @property
    def tile_geometry(self) -> TileGeometry:
        """Scale, size multiple and halo for the tile engine; a test derives them from the network."""
        convolutions = 1 + self.config.blocks + 1 / self.config.scale
        for i, stage in enumerate(self.rises):
            convolutions += (1 if stage.again is None else 2) / 2 ** (i + 1)
        back_projections = 2 * (1 + CLAMPED_BACK_PROJECTIONS)
        return TileGeometry(
            scale=self.config.scale, multiple=1, halo=math.ceil(convolutions) + back_projections
        )

    def noise_layers(self) -> tuple[tuple[int, int], ...]:
        """Return ``(channels, scale)`` of every noise map that ``forward`` takes, in its order."""
        return tuple((NOISE_CHANNELS_PER_STAGE[i], 2**i) for i in range(1 + self._noisy_stages))

    @property
    def _noisy_stages(self) -> int:
        """Number of the up-imager's upsampling stages that take noise."""
        return max(1, min(len(self.config.widths) - 1, 2))

    def forward(self, x: Tensor, noise_maps: list[Tensor]) -> Tensor:
        features = self.stem(torch.cat([x * 2 - 1, noise_maps[0]], 1))
        features = self.trunk(features)
        for i, stage in enumerate(self.rises):
            features = stage(features, noise_maps[i + 1] if i + 1 < len(noise_maps) else None)
        residual: Tensor = self.paint(features)
        output = self._back_project(self._enlarge(x) + residual, x)
        if not self.training:
            # Values end at 0 and 1, and the mean would lack what clamping cuts off: a high contrast would
            # fade from pass to pass.
            for _ in range(CLAMPED_BACK_PROJECTIONS):
                output = self._back_project(output.clamp(0, 1), x)
        return output

    def _enlarge(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.config.scale, mode="bicubic", align_corners=False)

    def _back_project(self, output: Tensor, x: Tensor) -> Tensor:
        """Add the difference between the thumbnail ``x`` and the block means of ``output``."""
        return output + self._enlarge(x - F.avg_pool2d(output, self.config.scale))
