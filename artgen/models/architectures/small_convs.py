"""The U-Net's 4x4 convolutions that halve and double the size, faster where only a few pixels are left.

Deep in a U-Net a layer has millions of weights and a handful of pixels: reading the weights is the work.
oneDNN rearranges them for every call, forwards and backwards; a matrix product takes them as they are stored.
For one image of 256 px on a CPU the inner four levels take a third to two thirds of the time, and a training
step a tenth less. The sums are the same but for their order.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

# In the whole batch, at the smaller side of a layer; for more pixels oneDNN is faster.
MAX_MATMUL_PIXELS = 64


class HalvingConv(nn.Conv2d):
    """The U-Net's convolution from ``(B, C, H, W)`` to ``(B, C', H/2, W/2)``.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        bias: whether each output channel has an offset.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool) -> None:
        super().__init__(in_channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        if not uses_matmul(x, batch * height * width // 4):
            return super().forward(x)
        patches = F.unfold(x, 4, stride=2, padding=1).transpose(1, 2)
        output = F.linear(patches, self.weight.flatten(1), self.bias)
        return output.transpose(1, 2).reshape(batch, -1, height // 2, width // 2)


class DoublingConv(nn.ConvTranspose2d):
    """The U-Net's transposed convolution from ``(B, C, H, W)`` to ``(B, C', 2H, 2W)``.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        bias: whether each output channel has an offset.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool) -> None:
        super().__init__(in_channels, out_channels, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        batch, _, height, width = x.shape
        if output_size is not None or not uses_matmul(x, batch * height * width):
            return super().forward(x, output_size)
        patches = x.flatten(2).transpose(1, 2) @ self.weight.flatten(1)
        size = (2 * height, 2 * width)
        output = F.fold(patches.transpose(1, 2), size, 4, stride=2, padding=1)
        return output if self.bias is None else output + self.bias.view(-1, 1, 1)


def uses_matmul(x: Tensor, pixels: int) -> bool:
    """Return whether a convolution over ``pixels`` pixels of ``x`` is faster as a matrix product."""
    return x.device.type == "cpu" and pixels <= MAX_MATMUL_PIXELS
