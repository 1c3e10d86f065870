"""DCGAN: transposed convolutions out of a latent, strided ones back to a verdict.

Radford, Metz and Chintala 2015 (Unsupervised Representation Learning with Deep Convolutional Generative
Adversarial Networks, arXiv:1511.06434): no pooling, no fully connected layers, batch norm everywhere but at
the generator's output and the discriminator's input, ReLU up and leaky ReLU 0.2 down, tanh, weights of
deviation 0.02. Deviations:

- Kernels of 4 px instead of 5, as in the authors' later Torch code: at stride 2 they cover every pixel
  equally often, which makes fewer checkerboards.
- Normally distributed latents instead of uniform ones: they have no corners, so that a walk can go anywhere.
- 64 px as published; 128 and 256 px by further layers of the same kind, at most ``8 * width`` channels wide.

Batch norm in use: while it learns, each picture is normalised by the batch that it is made in. A model in
use normalises by fixed statistics instead, or a picture would depend on its neighbours. ``settle`` measures
them over many latents for the weights that ship, because those are averages of the ones that learned, which
no running mean of the training fits.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from pydantic import Field
from torch import Tensor, nn

from artgen.models.architectures.latent import LatentConfig, LatentGenerator

CHUNK = 32
WIDEST = 8


class DCGANConfig(LatentConfig):
    """Sizes: ``width`` is the number of channels at half the picture's side."""

    latent: int = Field(100, ge=1, le=4096)
    width: int = Field(64, ge=4, le=512)

    def widths(self) -> list[int]:
        """Channels at 4 x 4, 8 x 8, ... up to half the picture's side."""
        return [min(2**level, WIDEST) * self.width for level in reversed(range(self.doublings))]


class DCGenerator(LatentGenerator):
    """``(B, latent)`` to ``(B, 3, side, side)`` in [0, 1].

    Args:
        config: sizes.
    """

    architecture = "dcgan"
    configuration = DCGANConfig
    config: DCGANConfig

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__(config)
        widths = config.widths()
        layers = [
            nn.ConvTranspose2d(config.latent, widths[0], 4, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for before, after in pairwise(widths):
            layers.append(nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False))
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1), nn.Tanh()]
        self.layers = nn.Sequential(*layers)
        self.apply(_first_weights)

    def forward(self, z: Tensor) -> Tensor:
        picture: Tensor = self.layers(z[:, :, None, None])
        return picture * 0.5 + 0.5

    @torch.no_grad()
    def settle(self, latents: Tensor) -> None:
        """Measure the batch norms' statistics anew, over ``latents`` in chunks of 32.

        "Precise batch norm": Wu and Johnson 2021 (Rethinking "Batch" in BatchNorm, arXiv:2105.07576).
        """
        norms = [module for module in self.modules() if isinstance(module, nn.BatchNorm2d)]
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean over all chunks
        training = self.training
        self.train()
        for chunk in latents.split(CHUNK):
            self(chunk)
        self.train(training)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


class DCDiscriminator(nn.Module):
    """Judges ``(B, 3, side, side)`` in [0, 1]: logits ``(B,)``, above 0 for real.

    Args:
        config: the generator's; ``width`` may differ.
    """

    def __init__(self, config: DCGANConfig) -> None:
        super().__init__()
        widths = config.widths()[::-1]
        layers: list[nn.Module] = [nn.Conv2d(3, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for before, after in pairwise(widths):
            layers += [
                nn.Conv2d(before, after, 4, 2, 1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4))
        self.apply(_first_weights)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.layers(x * 2 - 1)
        return logits.flatten()


def _first_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)
