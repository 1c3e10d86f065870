"""Adversarial losses, Adam, learning rate decay and memory formats, shared by families with a critic."""

from __future__ import annotations

from collections.abc import Iterable
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


def preferred_memory_format(device: torch.device) -> torch.memory_format:
    """Return the torch memory format in which U-Nets and ResNets train fastest on ``device``.

    Channels last on a GPU. On a CPU it makes a step of a U-Net 4 to 11 % slower.
    """
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def move_networks(
    networks: Iterable[nn.Module], device: torch.device, memory_format: torch.memory_format | None = None
) -> None:
    """Move networks to the training's ``device``, by default in ``preferred_memory_format``."""
    for network in networks:
        network.to(  # type: ignore[call-overload]
            device=device, memory_format=memory_format or preferred_memory_format(device)
        )


def move_batch(
    batch: Tensor, device: torch.device, memory_format: torch.memory_format | None = None
) -> Tensor:
    """Move a batch ``(B, C, H, W)`` to the device and memory format of ``move_networks``."""
    return batch.to(device=device, memory_format=memory_format or preferred_memory_format(device))


def create_adam(networks: list[nn.Module], learning_rate: float, beta1: float) -> torch.optim.Adam:
    """Create one Adam optimiser for training all weights of ``networks``.

    It is fused, one pass over the weights in place of ten: for a U-Net of 54 million weights, the unfused
    one takes a seventh of a step on the CPU.
    """
    weights = [weight for network in networks for weight in network.parameters()]
    return torch.optim.Adam(weights, learning_rate, (beta1, 0.999), fused=True)
