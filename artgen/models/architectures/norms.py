"""Instance normalisation whose statistics can be fixed from outside, so that tiles of one picture agree.

A tile normalised by itself differs from its neighbour by 0.15 to 0.2, however much context it has. With the
statistics of one pass over the whole picture (over patches of it, where it is large) the network becomes an
ordinary convolutional one of bounded reach, and the tile engine's exact path holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """Every channel of every picture to mean 0 and deviation 1 (Ulyanov et al. 2016, arXiv:1607.08022).

    Args:
        channels: of ``(B, channels, H, W)``.
        affine: learn a scale and a shift.
    """

    def __init__(self, channels: int, *, affine: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.taking = False
        self.fixed: tuple[Tensor, Tensor] | None = None
        """Mean and one over the deviation, ``(1, channels, 1, 1)`` each."""

    def forward(self, x: Tensor) -> Tensor:
        if self.taking:
            variance, mean = torch.var_mean(x, (0, 2, 3), correction=0, keepdim=True)
            self.fixed = mean, (variance + EPSILON).rsqrt()
        if self.fixed is None:
            return F.instance_norm(x, weight=self.weight, bias=self.bias, eps=EPSILON)
        mean, scale = self.fixed
        x = (x - mean) * scale
        if self.weight is None or self.bias is None:
            return x
        return torch.addcmul(self.bias[:, None, None], x, self.weight[:, None, None])


@contextmanager
def fixed_statistics(network: nn.Module, whole: Tensor, *more: Tensor) -> Iterator[None]:
    """Inside, every ``InstanceNorm`` of ``network`` has the statistics it had on ``whole``.

    Args:
        network: in ``eval``.
        whole: one picture ``(1, C, H, W)``, as the network takes it, or patches of one, ``(B, C, h, w)``.
        more: the network's other arguments.
    """
    norms = [module for module in network.modules() if isinstance(module, InstanceNorm)]
    try:
        for norm in norms:
            norm.taking, norm.fixed = True, None
        if norms:
            network(whole, *more)
        for norm in norms:
            norm.taking = False
        yield
    finally:
        for norm in norms:
            norm.taking, norm.fixed = False, None


def norm_layer(kind: str, channels: int) -> nn.Module:
    """``batch`` (running statistics at inference), ``instance`` or ``none``."""
    if kind == "batch":
        return nn.BatchNorm2d(channels)
    return InstanceNorm(channels) if kind == "instance" else nn.Identity()


def published_weights(network: nn.Module) -> None:
    """Weights as pix2pix begins: convolutions N(0, 0.02), batch norm's scale N(1, 0.02), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
            nn.init.zeros_(module.bias)
