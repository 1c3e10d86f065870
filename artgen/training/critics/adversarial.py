"""What families with a critic share: what a verdict costs, Adam, how the rate falls, where tensors lie."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def cost(verdicts: Tensor, real: bool, gan: Literal["vanilla", "lsgan"]) -> Tensor:
    """Mean cost of a critic's logits ``(B, 1, h, w)`` where the truth is ``real``.

    ``vanilla`` is cross-entropy (Goodfellow et al. 2014), ``lsgan`` the squared distance to 1 or 0 (Mao et
    al. 2017, arXiv:1611.04076).
    """
    verdicts = verdicts.float()  # bf16 would round the mean
    if gan == "lsgan":
        return (verdicts - float(real)).square().mean()
    return F.softplus(-verdicts if real else verdicts).mean()


def falling(done: float, decay: float) -> float:
    """1, then in a straight line to 0 over the last ``decay`` of the training."""
    return min(1.0, (1 - done) / decay) if decay else 1.0


def layout(device: torch.device) -> torch.memory_format:
    """The memory format that U-Nets and ResNets train fastest in.

    Channels last on a GPU. On a CPU it makes a step of a U-Net 4 to 11 % slower.
    """
    return torch.channels_last if device.type == "cuda" else torch.contiguous_format


def settle(
    networks: Iterable[nn.Module], device: torch.device, form: torch.memory_format | None = None
) -> None:
    """Bring networks to ``device``, in the memory format ``form``; by default that of ``layout``."""
    for network in networks:
        network.to(device=device, memory_format=form or layout(device))  # type: ignore[call-overload]


def moved(batch: Tensor, device: torch.device, form: torch.memory_format | None = None) -> Tensor:
    """``(B, C, H, W)`` where networks that have settled take it."""
    return batch.to(device=device, memory_format=form or layout(device))


def adam(networks: list[nn.Module], rate: float, beta1: float) -> torch.optim.Adam:
    """Adam over all weights of ``networks``.

    Fused: one pass over the weights in place of ten. A U-Net of 54 million spends a seventh of its step on
    the CPU in the unfused one.
    """
    weights = [weight for network in networks for weight in network.parameters()]
    return torch.optim.Adam(weights, rate, (beta1, 0.999), fused=True)
