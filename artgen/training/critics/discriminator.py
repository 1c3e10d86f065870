"""The patch discriminator that teaches an up-imager.

After PatchGAN (Isola et al. 2017, arXiv:1611.07004) at two scales (Wang et al. 2018, arXiv:1711.11585), with
spectral norm (Miyato et al. 2018, arXiv:1802.05957) in place of batch norm: it needs no double backward. Or
without any norm, for gradient penalties. Deviation: it sees the *detail* (image minus condition), magnified,
beside the condition. Under a spectral norm of 1 faint detail could not otherwise move the verdict by the
hinge's margin.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

DETAIL = 8.0


class PatchDiscriminator(nn.Module):
    """Judges overlapping 78 px patches of a picture and what it depends on, ``(B, channels, H, W)``.

    Args:
        width: channels after the first layer.
        channels: of both together.
        spectral: whether no layer may magnify; one that is held by gradient penalties instead may.
    """

    def __init__(self, width: int, channels: int = 6, *, spectral: bool = True) -> None:
        super().__init__()
        layers = [
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.Conv2d(4 * width, 4 * width, 3, 1, 1),
        ]
        for layer in layers:
            if spectral:
                spectral_norm(layer)
            else:
                assert layer.bias is not None
                nn.init.kaiming_normal_(layer.weight, 0.2)
                nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)
        self.judge = nn.Conv2d(4 * width, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The verdicts ``(B, 1, H/8, W/8)``, above 0 for real, and every layer's features."""
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.judge(x), features


class Critic(nn.Module):
    """Patch discriminators at full and at half size: one for strokes, one for what strokes build.

    Args:
        width: channels of the first; the second has two thirds.
        spectral: as in ``PatchDiscriminator``.
    """

    def __init__(self, width: int, *, spectral: bool = True) -> None:
        super().__init__()
        widths = (width, max(8, width * 2 // 3))
        self.scales = nn.ModuleList([PatchDiscriminator(w, spectral=spectral) for w in widths])

    def forward(self, image: Tensor, condition: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Verdicts of each scale, and the features of all, for ``(B, 3, H, W)`` in [0, 1] each."""
        return self.judge((image - condition) * DETAIL, condition)

    def judge(self, detail: Tensor, condition: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """As ``forward``, of magnified detail."""
        x = torch.cat([detail, condition * 2 - 1], 1)
        verdicts, features = [], []
        for i, scale in enumerate(self.scales):
            verdict, seen = scale(F.avg_pool2d(x, 2) if i else x)
            verdicts.append(verdict)
            features += seen
        return verdicts, features
