"""Instance normalisation whose statistics can be fixed from outside, so that tiles of one image agree.

A tile normalised by itself differs from its neighbour by 0.15 to 0.2, however much context it has. With the
statistics of one pass over the whole image (over patches of it, where it is large) the network becomes an
ordinary convolutional one with a bounded receptive field, and the tile engine's exact path is possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPSILON = 1e-5
BATCH_COUNT = "num_batches_tracked"
RUNNING_STATISTICS = ("running_mean", "running_var", BATCH_COUNT)  # of batch norm, in state dicts


class InstanceNorm(nn.Module):
    """Instance norm layer: every channel of every image to mean 0 and deviation 1.

    Ulyanov et al. 2016 (arXiv:1607.08022).

    Args:
        channels: of ``(B, channels, H, W)``.
        affine: learn a scale and a shift.
    """

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.measuring = False
        """Whether ``forward`` measures and keeps the statistics of its input."""
        self.statistics: tuple[Tensor, Tensor] | None = None
        """Fixed mean and one over the deviation, ``(1, channels, 1, 1)`` each; None: those of each input."""

    def forward(self, x: Tensor) -> Tensor:
        if self.measuring:
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
            self.statistics = mean, (variance + NORM_EPSILON).rsqrt()
        if self.statistics is None:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=NORM_EPSILON)
        mean, inverse_deviation = self.statistics
        x = (x - mean) * inverse_deviation
        if self.weight is None or self.bias is None:
            return x
        return torch.addcmul(self.bias[:, None, None], x, self.weight[:, None, None])


@contextmanager
def fixed_norm_statistics(network: nn.Module, images: Tensor, *other_inputs: Tensor) -> Iterator[None]:
    """Fix the statistics of every ``InstanceNorm`` to those on ``images``, inside the ``with`` block.

    Args:
        network: in ``eval``.
        images: one image ``(1, C, H, W)``, as the network takes it, or patches of one, ``(B, C, h, w)``.
        other_inputs: the network's other arguments.

    Yields:
        Nothing; afterwards the norms normalise each image by itself again.
    """
    norms = [module for module in network.modules() if isinstance(module, InstanceNorm)]
    try:
        for norm in norms:
            norm.measuring, norm.statistics = True, None
        if norms:
            network(images, *other_inputs)
        for norm in norms:
            norm.measuring = False
        yield
    finally:
        for norm in norms:
            norm.measuring, norm.statistics = False, None


def build_norm(kind: str, channels: int) -> nn.Module:
    """Return a norm layer: ``batch`` (running statistics at inference), ``instance`` or ``none``."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return InstanceNorm(channels) if kind == "instance" else nn.Identity()


def init_dcgan_weights(network: nn.Module) -> None:
    """Initialise a network's weights as DCGAN and pix2pix do.

    Convolutions N(0, 0.02), batch norm's scale N(1, 0.02), biases 0.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
