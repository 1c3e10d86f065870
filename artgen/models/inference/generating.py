"""Pictures out of random numbers alone, by a trained generator."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from artgen.models.architectures.latent import LatentGenerator
from artgen.models.files.checkpoint import load_model
from artgen.models.inference.latent_walks import walk
from artgen.seeds import generator


@torch.inference_mode()
def generate(
    model: Path, keys: Sequence[int], *, at: float = 0.0, truncation: float = 1.0, device: str = "cpu"
) -> Tensor:
    """The picture ``(3, side, side)`` of a latent, or of a point of the closed walk through several.

    Args:
        model: the file of a DCGAN or R3GAN.
        keys: of the random streams that the latents come from.
        at: share of the way around, 0 to 1; of no effect with one key.
        truncation: factor on the latent: a normal latent lies about the centre, where pictures are alike.
        device: where the network runs.

    Raises:
        ArtgenError: the file holds no such model.
    """
    network = _network(model, model.stat().st_mtime_ns, device)
    size = network.config.latent
    latents = torch.stack([torch.randn(size, generator=generator(key)) for key in keys])
    latent = latents[0] if len(keys) == 1 else walk(latents, at)
    picture: Tensor = network((latent * truncation)[None].to(device))[0]
    return picture.float().cpu().clamp(0, 1)


@functools.lru_cache(maxsize=2)
def _network(path: Path, changed: int, device: str) -> LatentGenerator:
    """One copy a process; ``changed`` (modification time) makes a replaced file a new entry."""
    return load_model(path, device, LatentGenerator).network
