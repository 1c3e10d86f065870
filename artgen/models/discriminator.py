"""The patch discriminator that teaches an up-imager.

After PatchGAN (Isola et al. 2017, arXiv:1611.07004), with spectral norm (Miyato et al. 2018,
arXiv:1802.05957) in place of batch norm: it needs neither gradient penalties nor double backward.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchDiscriminator(nn.Module):
    """Judges overlapping 70 px patches of ``(image, condition)``, each ``(B, 3, H, W)`` in [0, 1].

    Args:
        width: channels after the first layer; 96 % of the cost is in the later ones.
    """

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [
                spectral_norm(nn.Conv2d(6, width, 4, 2, 1)),
                spectral_norm(nn.Conv2d(width, 2 * width, 4, 2, 1)),
                spectral_norm(nn.Conv2d(2 * width, 4 * width, 4, 2, 1)),
                spectral_norm(nn.Conv2d(4 * width, 4 * width, 3, 1, 1)),
            ]
        )
        self.judge = spectral_norm(nn.Conv2d(4 * width, 1, 3, 1, 1))

    def forward(self, image: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The verdicts ``(B, 1, H/8, W/8)``, above 0 for real, and every layer's features."""
        x = torch.cat([image, condition], 1) * 2 - 1
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.judge(x), features
