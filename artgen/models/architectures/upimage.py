"""The compact up-imager: a fully convolutional generator that invents what a thumbnail has lost.

After the residual trunks of SRResNet (Ledig et al. 2017, arXiv:1609.04802) and the per-scale noise of
StyleGAN (Karras et al. 2019, arXiv:1812.04948), with these deviations:

- It works at the input's resolution: a trunk at 1x, then nearest + 3x3 convolutions up to 8x. Nothing is
  normalised over space, so a halo of ``halo`` input px makes a tile equal to the whole image.
- Output = bicubic + residual, and then *back-projection* (Irani and Peleg 1991): what the output's block
  means are away from the input is added back, so the network only invents in the input's null space and
  colour cannot drift over passes.
- Noise enters at 1x, 2x and 4x but not at 8x: grain at the last scale would pass for detail. Of a network of
  one doubling grain is all that is asked; there noise enters at 2x, too.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from artgen.imaging.tiles.exact import Reach
from artgen.models.architectures.network import Config, Network

NOISE_CHANNELS = (4, 1, 1)
SLOPE = 0.2
CLIPPED = 2  # times that what clamping takes away is given back elsewhere


class UpImagerConfig(Config):
    """Sizes of the network: ``width`` and ``blocks`` of the trunk, ``widths`` after each doubling."""

    width: int = Field(128, ge=8, le=512)
    blocks: int = Field(9, ge=1, le=64)
    widths: tuple[Annotated[int, Field(ge=4, le=512)], ...] = Field((64, 48, 24), min_length=1, max_length=4)

    @property
    def scale(self) -> int:
        """How many times larger the output is: 2 for each doubling."""
        return int(2 ** len(self.widths))


def nearest_conv(x: Tensor, weight: Tensor, bias: Tensor, padding: int = 1) -> Tensor:
    """``conv3x3(nearest_2x(x))`` with zero padding, in 4/9 of the multiplications.

    Each of the four output phases sees only 2x2 distinct input pixels, so the 3x3 kernel folds into a 2x2 one
    for each phase, and all four run as one convolution: ``(B, C, h, w)`` to ``(B, D, 2h, 2w)``. With
    ``padding`` 0 the outermost px of ``x`` are the border, whatever they hold, and the result is 4 px less.
    """
    batch, height, width = len(x), *(side - 2 + 2 * padding for side in x.shape[2:])
    out = weight.shape[0]
    rows = _phases(weight[:, :, 0], weight[:, :, 1], weight[:, :, 2])  # 2, D, C, 2, 3
    kernel = _phases(rows[..., 0], rows[..., 1], rows[..., 2], stack=-1).transpose(0, 1)  # 2, 2, D, C, 2, 2
    kernel = kernel.flatten(0, 2).contiguous(memory_format=torch.channels_last)
    phases = F.conv2d(x, kernel, bias.repeat(4), padding=padding).view(
        batch, 2, 2, out, height + 1, width + 1
    )
    result = torch.empty(
        (batch, out, 2 * height, 2 * width), dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    )
    for i in (0, 1):
        for j in (0, 1):
            result[:, :, i::2, j::2] = phases[:, i, j, :, i : i + height, j : j + width]
    return result


def _phases(first: Tensor, middle: Tensor, last: Tensor, stack: int = 2) -> Tensor:
    """The two-tap kernels of the even and the odd outputs, from the three taps along one axis."""
    return torch.stack(
        [torch.stack([first, middle + last], stack), torch.stack([first + middle, last], stack)]
    )


class Block(nn.Module):
    """A residual block with one 3x3 and one 1x1 convolution: depth at half the halo of two 3x3."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 3, padding=1)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mix(F.leaky_relu(self.look(x), SLOPE, inplace=True))
        return x + mixed


class Rise(nn.Module):
    """One doubling: nearest, 3x3, noise, and where there is width to spare a second 3x3."""

    def __init__(self, before: int, after: int, *, noise: int, twice: bool) -> None:
        super().__init__()
        self.look = nn.Conv2d(before, after, 3, padding=1)
        self.noise = nn.Conv2d(noise, after, 1, bias=False) if noise else None
        self.again = nn.Conv2d(after, after, 3, padding=1) if twice else None

    def forward(self, x: Tensor, noise: Tensor | None) -> Tensor:
        assert self.look.bias is not None
        x = nearest_conv(x, self.look.weight, self.look.bias)
        if self.noise is not None and noise is not None:
            x = x + self.noise(noise)
        x = F.leaky_relu(x, SLOPE, inplace=True)
        return x if self.again is None else F.leaky_relu(self.again(x), SLOPE, inplace=True)


class UpImager(Network):
    """``(B, 3, h, w)`` in [0, 1] and noise maps to ``(B, 3, s*h, s*w)``, unclamped, for any h and w.

    Args:
        config: sizes; the scale ``s`` is 2 to the number of ``widths``.
    """

    architecture = "upimage"
    configuration = UpImagerConfig
    config: UpImagerConfig

    def __init__(self, config: UpImagerConfig) -> None:
        super().__init__(config)
        widths = (config.width, *config.widths)
        self.stem = nn.Conv2d(3 + NOISE_CHANNELS[0], config.width, 3, padding=1)
        self.trunk = nn.Sequential(*(Block(config.width) for _ in range(config.blocks)))
        last = len(config.widths) - 1
        self.rises = nn.ModuleList(
            Rise(
                widths[i],
                widths[i + 1],
                noise=NOISE_CHANNELS[i + 1] if i < self._noisy_rises else 0,
                twice=i != 1 or last == 1,
            )
            for i in range(len(config.widths))
        )
        self.paint = nn.Conv2d(config.widths[-1], 3, 3, padding=1)

    @property
    def reach(self) -> Reach:
        """What the tile engine must know; a test derives it from the network itself."""
        convolutions = 1 + self.config.blocks + 1 / self.config.scale
        for i, rise in enumerate(self.rises):
            convolutions += (1 if rise.again is None else 2) / 2 ** (i + 1)
        back_projection = 2 * (1 + CLIPPED)
        return Reach(scale=self.config.scale, multiple=1, halo=math.ceil(convolutions) + back_projection)

    def noise_layers(self) -> tuple[tuple[int, int], ...]:
        """``(channels, scale)`` of every noise map that ``forward`` takes, in its order."""
        return tuple((NOISE_CHANNELS[i], 2**i) for i in range(1 + self._noisy_rises))

    @property
    def _noisy_rises(self) -> int:
        return max(1, min(len(self.config.widths) - 1, 2))

    def forward(self, x: Tensor, noise: list[Tensor]) -> Tensor:
        features = self.stem(torch.cat([x * 2 - 1, noise[0]], 1))
        features = self.trunk(features)
        for i, rise in enumerate(self.rises):
            features = rise(features, noise[i + 1] if i + 1 < len(noise) else None)
        residual: Tensor = self.paint(features)
        out = self._anchored(self._enlarged(x) + residual, x)
        if not self.training:
            # Light ends at 0 and 1, and what is cut off there would be missing from the mean: a high contrast
            # would fade from pass to pass.
            for _ in range(CLIPPED):
                out = self._anchored(out.clamp(0, 1), x)
        return out

    def _enlarged(self, x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=self.config.scale, mode="bicubic", align_corners=False)

    def _anchored(self, out: Tensor, x: Tensor) -> Tensor:
        """Back-projection: with what its block means are away from the input added."""
        return out + self._enlarged(x - F.avg_pool2d(out, self.config.scale))
