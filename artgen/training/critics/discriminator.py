"""Patch discriminators at one and at two scales, for up-imagers and for distilled fast-style networks.

After PatchGAN (Isola et al. 2017, arXiv:1611.07004) at two scales (Wang et al. 2018, arXiv:1711.11585), with
spectral norm (Miyato et al. 2018, arXiv:1802.05957) in place of batch norm: it needs no double backward pass.
Or without any norm, for gradient penalties. Deviation: the input is the *detail* (image minus condition),
magnified, next to the condition. Under a spectral norm of 1, faint detail could not otherwise move the logits
by the hinge loss's margin.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

CRITIC_DETAIL_GAIN = 8.0


class PatchDiscriminator(nn.Module):
    """A discriminator of overlapping 78 px patches of an image and its condition, ``(B, channels, H, W)``.

    Args:
        width: channels after the first layer.
        channels: channels of image and condition together.
        use_spectral_norm: whether layers are under spectral norm; not where gradient penalties bound them.
    """

    def __init__(self, width: int, channels: int = 6, *, use_spectral_norm: bool = True) -> None:
        super().__init__()
        layers = [
            nn.Conv2d(channels, width, 4, 2, 1),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1),
            nn.Conv2d(4 * width, 4 * width, 3, 1, 1),
        ]
        for layer in layers:
            if use_spectral_norm:
                spectral_norm(layer)
            else:
                assert layer.bias is not None
                nn.init.kaiming_normal_(layer.weight, 0.2)
                nn.init.zeros_(layer.bias)
        self.layers = nn.ModuleList(layers)
        # Gives the logits; checkpoints store it by this name.
        self.judge = nn.Conv2d(4 * width, 1, 3, 1, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return logits of patches, ``(B, 1, H/8, W/8)``, above 0 for real, and all layers' features."""
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.judge(x), features


class TwoScaleDiscriminator(nn.Module):
    """Patch discriminators at full size, for strokes, and at half size, for larger shapes.

    Args:
        width: channels of the first one; the second has two thirds as many.
        use_spectral_norm: as in ``PatchDiscriminator``.
    """

    def __init__(self, width: int, *, use_spectral_norm: bool = True) -> None:
        super().__init__()
        widths = (width, max(8, width * 2 // 3))
        self.scales = nn.ModuleList(
            [PatchDiscriminator(width, use_spectral_norm=use_spectral_norm) for width in widths]
        )

    def forward(self, image: Tensor, condition: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return the logits of real against generated at each scale, and all layers' features.

        Args:
            image: ``(B, 3, H, W)`` in [0, 1].
            condition: the enlarged thumbnail, of the same shape.
        """
        return self.forward_detail((image - condition) * CRITIC_DETAIL_GAIN, condition)

    def forward_detail(self, detail: Tensor, condition: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Return what ``forward`` returns, from the magnified detail in place of the image."""
        x = torch.cat([detail, condition * 2 - 1], 1)
        logits, features = [], []
        for index, discriminator in enumerate(self.scales):
            scale_logits, scale_features = discriminator(F.avg_pool2d(x, 2) if index else x)
            logits.append(scale_logits)
            features += scale_features
        return logits, features
