"""Images made from random latents alone, by a trained generator."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from artgen.models.architectures.latent import LatentGenerator
from artgen.models.files.checkpoint import load_cached_model
from artgen.models.inference.latent_walks import interpolate_latents
from artgen.seeds import torch_generator


@torch.inference_mode()
def generate_image(
    model_path: Path,
    latent_seeds: Sequence[int],
    *,
    walk_position: float = 0.0,
    truncation: float = 1.0,
    device: str = "cpu",
) -> Tensor:
    """Generate the image ``(3, side, side)`` of a latent, or of a point on the closed walk through several.

    Args:
        model_path: the file of a DCGAN or R3GAN.
        latent_seeds: a seed for each latent; more than one make a walk.
        walk_position: share of the way around, 0 to 1; of no effect with one latent.
        truncation: factor on the latent; below 1 images are more alike, since the centre is 0.
        device: where the network runs.

    Raises:
        ArtgenError: the file holds no such model.
    """
    network = load_cached_model(model_path, device, LatentGenerator).network
    latent_size = network.config.latent
    latents = torch.stack(
        [torch.randn(latent_size, generator=torch_generator(seed)) for seed in latent_seeds]
    )
    latent = latents[0] if len(latent_seeds) == 1 else interpolate_latents(latents, walk_position)
    image: Tensor = network((latent * truncation)[None].to(device))[0]
    return image.float().cpu().clamp(0, 1)
