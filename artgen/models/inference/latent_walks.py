"""Closed walks through a latent space, for films that end where they begin."""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLES_PER_LATENT = 128  # points of the curve from one latent to the next, by which its length is measured


def interpolate_latents(latents: Tensor, position: float) -> Tensor:
    """Return a point of a smooth closed walk through latents, at constant speed, for a generator's film.

    Straight lines between latents pass through the middle of the space, where a generator was never trained
    and its images are grey. Trigonometric interpolation does not: through normal latents it is a stationary
    process, each of its points as likely as any latent. Its norm is corrected all the same: it goes smoothly
    from one latent's norm to the next one's.

    Args:
        latents: ``(K, latent)``, two or more, none of them zero; passed in this order. With two, there and
            back.
        position: 0 to 1; 0 and 1 are the first latent.

    Returns:
        ``(latent,)``.
    """
    norms = latents.norm(dim=1, keepdim=True)
    directions = _interpolate_periodically(latents / norms)
    curve = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-8) * _ease_between(norms)
    arc_lengths = torch.cat([curve.new_zeros(1), (curve[1:] - curve[:-1]).norm(dim=1).cumsum(0)])
    distance = position % 1.0 * arc_lengths[-1]
    end = int(torch.searchsorted(arc_lengths, distance, right=True).clamp(1, len(arc_lengths) - 1))
    start = end - 1
    fraction = (distance - arc_lengths[start]) / (arc_lengths[end] - arc_lengths[start]).clamp_min(1e-12)
    return torch.lerp(curve[start], curve[end], fraction)


def _interpolate_periodically(values: Tensor) -> Tensor:
    """Return the smoothest closed curve through latents, as many points of it.

    Args:
        values: ``(K, D)``.

    Returns:
        ``(K * SAMPLES_PER_LATENT + 1, D)``; the last sample is the first one.
    """
    count = len(values)
    spectrum = torch.fft.rfft(values, dim=0)
    if count % 2 == 0:
        spectrum[-1] /= 2  # the highest frequency comes twice in a longer spectrum
    samples = torch.fft.irfft(spectrum, n=count * SAMPLES_PER_LATENT, dim=0) * SAMPLES_PER_LATENT
    return torch.cat([samples, samples[:1]])


def _ease_between(values: Tensor) -> Tensor:
    """Return a closed curve that eases from each latent to the next, without overshoot.

    Args:
        values: ``(K, 1)``.

    Returns:
        ``(K * SAMPLES_PER_LATENT + 1, 1)``.
    """
    phase = torch.linspace(0, torch.pi, SAMPLES_PER_LATENT + 1, dtype=values.dtype)[:-1]
    fraction = (1 - torch.cos(phase)) / 2
    samples = torch.lerp(values, values.roll(-1, 0), fraction)  # (K, SAMPLES_PER_LATENT)
    return torch.cat([samples.flatten(), values[0]])[:, None]
