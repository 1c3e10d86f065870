"""Adversarial losses, Adam and learning rate decay, shared by families with a critic."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def adversarial_loss(logits: Tensor, is_real: bool, gan: Literal["vanilla", "lsgan"]) -> Tensor:
    """Return the GAN loss of a critic's logits for images that are all real or all generated.

    ``vanilla`` is cross-entropy (Goodfellow et al. 2014), ``lsgan`` the squared distance to 1 or 0 (Mao et
    al. 2017, arXiv:1611.04076).

    Args:
        logits: ``(B, 1, h, w)``.
        is_real: the target of every logit.
        gan: which loss.
    """
    logits = logits.float()  # bf16 would round the mean
    if gan == "lsgan":
        return (logits - float(is_real)).square().mean()
    return F.softplus(-logits if is_real else logits).mean()


def linear_decay(progress: float, decay_share: float) -> float:
    """Return the factor of the learning rate: 1, falling linearly to 0 over the last ``decay_share``.

    Args:
        progress: share of the training that is done, 0 to 1.
        decay_share: share of the training over which the factor falls, 0 to 1.
    """
    return min(1.0, (1 - progress) / decay_share) if decay_share else 1.0


def create_adam(networks: list[nn.Module], learning_rate: float, beta1: float) -> torch.optim.Adam:
    """Create one Adam optimiser for training all weights of ``networks``.

    It is fused, one pass over the weights in place of ten: for a U-Net of 54 million weights, the unfused
    one takes a seventh of a step on the CPU.
    """
    weights = [weight for network in networks for weight in network.parameters()]
    return torch.optim.Adam(weights, learning_rate, (beta1, 0.999), fused=True)
