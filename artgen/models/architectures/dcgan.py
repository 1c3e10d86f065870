"""DCGAN: transposed convolutions from a latent to an image, strided ones from an image to a logit.

Radford, Metz and Chintala 2015 (Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks, arXiv:1511.06434): no pooling, no fully connected layers, batch norm everywhere but at
the generator's output and the discriminator's input, ReLU in the generator and leaky ReLU 0.2 in the
discriminator, tanh, weights with a standard deviation of 0.02. Deviations:

- Kernels of 4 px instead of 5, as in the authors' later Torch code: at stride 2 they cover every pixel
  equally often, which makes fewer checkerboards.
- Normally distributed latents instead of uniform ones: they have no corners, so that a latent walk can go
  anywhere.
- 64 px as published; 128 and 256 px by further layers of the same kind, at most ``8 * width`` channels wide.

Batch norm at inference: during training each image is normalised by the batch that it is made in. Afterwards
the network normalises by fixed statistics, or an image would depend on the others in its batch.
``fix_batch_statistics`` measures them over many latents for the EMA weights that are saved, because the
running means of the training belong to other weights.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.latent import LatentConfig, LatentGenerator, channels_per_level
from artgen.models.architectures.norms import init_dcgan_weights

LATENTS_PER_STATISTICS_CHUNK = 32  # latents


class DCGANConfig(LatentConfig):
    """Sizes of a DCGAN network: ``width`` is the number of channels at half the image's side."""

    latent: int = Field(100, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)

    def level_widths(self) -> list[int]:
        """Return the DCGAN's channels at 4 x 4, 8 x 8, ... up to half the image's side."""
        return channels_per_level(self.width, self.doublings)


class DCGenerator(LatentGenerator):
    """DCGAN's generator, from ``(B, latent)`` to ``(B, 3, side, side)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "dcgan"
    config_class = DCGANConfig
    config: DCGANConfig

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        widths = config.level_widths()
        layers = [
            nn.ConvTranspose2d(config.latent, widths[0], 4, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for in_channels, out_channels in pairwise(widths):
            layers.append(nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(out_channels), nn.ReLU()]
        layers += [nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        init_dcgan_weights(self)

    def forward(self, latents: Tensor) -> Tensor:
        images: Tensor = self.layers(latents[:, :, None, None])
        return images * 0.5 + 0.5

    @torch.no_grad()
    def fix_batch_statistics(self, latents: Tensor) -> None:
        """Measure the generator's batch norm statistics again, over ``latents`` in chunks of 32.

        "Precise batch norm": Wu and Johnson 2021 (Rethinking "Batch" in BatchNorm, arXiv:2105.07576).
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        old_momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all chunks
        was_training = self.training
        self.train()
        for chunk in latents.split(LATENTS_PER_STATISTICS_CHUNK):
            self(chunk)
        self.train(was_training)
        for norm, momentum in zip(norms, old_momenta, strict=True):
            norm.momentum = momentum


class DCDiscriminator(nn.Module):
    """DCGAN's discriminator, from ``(B, 3, side, side)`` in [0, 1] to logits ``(B,)``, above 0 for real.

    Args:
        config: the generator's; ``width`` may differ.
    """

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        widths = config.level_widths()[::-1]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for in_channels, out_channels in pairwise(widths):
            layers += [
                nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(out_channels),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4))
        init_dcgan_weights(self)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.layers(images * 2 - 1)
        return logits.flatten()
