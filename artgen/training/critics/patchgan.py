"""PatchGAN: a discriminator of overlapping patches in place of whole images.

After Isola et al. 2017 (arXiv:1611.07004) as ``NLayerDiscriminator`` of junyanz/pytorch-CycleGAN-and-pix2pix:
4x4 convolutions, leaky ReLU 0.2, norm in all layers but the first and last. Three layers see 70 px.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from artgen.models.architectures.norms import build_norm, init_dcgan_weights


class PatchGAN(nn.Module):
    """The discriminator of pix2pix and CycleGAN, which judges overlapping patches of an image.

    It maps ``(B, channels, H, W)`` in [0, 1] to logits ``(B, 1, h, w)``, high for real: 30 x 30 for 256 px
    and three layers.

    Args:
        channels: channels of the image and of its condition, if any.
        width: channels after the first layer.
        layers: number of halvings; with 3, patches are 70 px.
        norm: ``batch``, ``instance`` or ``none``.
    """

    def __init__(self, channels: int, width: int = 64, layers: int = 3, norm: str = "batch") -> None:
        super().__init__()
        widths = [width * min(8, 2**layer) for layer in range(layers + 1)]
        self.layers, self.norms = nn.ModuleList(), nn.ModuleList()
        for index, out_channels in enumerate(widths):
            in_channels = widths[index - 1] if index else channels
            stride = 2 if index < layers else 1
            bias = index == 0 or norm != "batch"
            self.layers.append(nn.Conv2d(in_channels, out_channels, 4, stride, 1, bias=bias))
            self.norms.append(build_norm(norm if index else "none", out_channels))
        # Gives the logits; checkpoints store it by this name.
        self.judge = nn.Conv2d(widths[-1], 1, 4, 1, 1)
        init_dcgan_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        x = x * 2 - 1
        for layer, norm in zip(self.layers, self.norms, strict=True):
            x = F.leaky_relu(norm(layer(x)), 0.2, inplace=True)
        logits: Tensor = self.judge(x)
        return logits
