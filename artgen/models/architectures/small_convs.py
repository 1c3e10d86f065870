"""The 4x4 convolutions with which a U-Net halves and doubles, quick where hardly any pixels are left.

Deep in a U-Net a layer has millions of weights and a handful of pixels: reading the weights is the work.
oneDNN rearranges them for every call, forwards and backwards; a matrix product takes them as they lie. For
one picture of 256 px on a CPU the inner four levels take a third to two thirds of the time, and a training
step a tenth less. The sums are the same but for their order.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

FEW = 64  # pixels at the smaller side of the layer, in the whole batch; above that oneDNN is quicker


class Halve(nn.Conv2d):
    """``(B, C, H, W)`` to ``(B, C', H/2, W/2)``.

    Args:
        inputs: channels.
        outputs: channels.
        bias: whether each output channel has an offset.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__(inputs, outputs, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        batch, _, height, width = x.shape
        if not few(x, batch * height * width // 4):
            return super().forward(x)
        patches = F.unfold(x, 4, stride=2, padding=1).transpose(1, 2)
        made = F.linear(patches, self.weight.flatten(1), self.bias)
        return made.transpose(1, 2).reshape(batch, -1, height // 2, width // 2)


class Double(nn.ConvTranspose2d):
    """``(B, C, H, W)`` to ``(B, C', 2H, 2W)``.

    Args:
        inputs: channels.
        outputs: channels.
        bias: whether each output channel has an offset.
    """

    def __init__(self, inputs: int, outputs: int, *, bias: bool) -> None:
        super().__init__(inputs, outputs, 4, 2, 1, bias=bias)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        batch, _, height, width = x.shape
        if output_size is not None or not few(x, batch * height * width):
            return super().forward(x, output_size)
        patches = x.flatten(2).transpose(1, 2) @ self.weight.flatten(1)
        size = (2 * height, 2 * width)
        made = F.fold(patches.transpose(1, 2), size, 4, stride=2, padding=1)
        return made if self.bias is None else made + self.bias.view(-1, 1, 1)


def few(x: Tensor, pixels: int) -> bool:
    """Whether a layer that computes ``pixels`` of ``x`` is one of those."""
    return x.device.type == "cpu" and pixels <= FEW
