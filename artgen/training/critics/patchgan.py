"""PatchGAN: judges overlapping patches, not the picture.

After Isola et al. 2017 (arXiv:1611.07004) as ``NLayerDiscriminator`` of junyanz/pytorch-CycleGAN-and-pix2pix:
4x4 convolutions, leaky ReLU 0.2, norm in all but the first and last. Three layers see 70 px.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from artgen.models.architectures.norms import norm_layer, published_weights


class PatchGAN(nn.Module):
    """``(B, channels, H, W)`` in [0, 1] to logits, 30 x 30 of them for 256 px at three layers; real is high.

    Args:
        channels: of the picture, and of its condition where there is one.
        width: channels after the first layer.
        layers: halvings; 3 sees patches of 70 px.
        norm: ``batch``, ``instance`` or ``none``.
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 3, norm: str = "batch") -> None:
        super().__init__()
        sizes = [width * min(8, 2**layer) for layer in range(layers + 1)]
        self.layers, self.norms = nn.ModuleList(), nn.ModuleList()
        for number, size in enumerate(sizes):
            before = sizes[number - 1] if number else channels
            bias = number == 0 or norm != "batch"
            self.layers.append(nn.Conv2d(before, size, 4, 2 if number < layers else 1, 1, bias=bias))
            self.norms.append(norm_layer(norm if number else "none", size))
        self.judge = nn.Conv2d(sizes[-1], 1, 4, 1, 1)
        published_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2 - 1
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.leaky_relu(norm(layer(x)), 0.2, inplace=True)
        verdicts: Tensor = self.judge(x)
        return verdicts
