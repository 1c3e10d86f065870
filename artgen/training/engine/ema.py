"""The exponential moving average of a network's weights: what ships."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from artgen.models.architectures.network import Network

# Moved every few steps by the decay of as many: the same average, at an eighth of the memory traffic, which
# for a U-Net of 54 million weights was a tenth of the step on a CPU.
EVERY = 8


class Average:
    """An averaged copy of ``network``, ramped up so that early steps are forgotten.

    Args:
        network: in training.
        decay: of one step.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self.decay = decay

    def after(self, step: int, network: Network, *, last: bool) -> None:
        """Take note of ``network`` after ``step`` steps (from 1); every eighth counts, and the last."""
        if step % EVERY and not last:
            return
        keep = min(self.decay, (1 + step) / (10 + step)) ** (step % EVERY or EVERY)
        means: list[Tensor] = list(self.network.parameters())
        values: list[Tensor] = list(network.parameters())
        with torch.no_grad():
            torch._foreach_lerp_(means, values, 1 - keep)
            # Running statistics are averages already.
            for mean, value in zip(self.network.buffers(), network.buffers(), strict=True):
                mean.copy_(value)
