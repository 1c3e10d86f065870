"""How good a model is, on pictures it never saw: the figures of its card."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.metrics import coherence, consistency, grid_index, high_power, patch_swd
from artgen.imaging.tiles import Window
from artgen.models.upimage import UpImager
from artgen.models.upscaling import tile_noise
from artgen.training.family import Figure, Measured
from artgen.training.material import Material
from artgen.training.pairs import PairMaker

INPUT = 32
MOST = 128  # pictures; more would not change the figures but fill the memory
HALVES = 4  # different pictures that two halves to be compared are made of, at least


def likeness(made: Tensor, real: Tensor, base: Tensor, base_name: str) -> list[Figure]:
    """Statistics of inventions against real pictures, ``(B, 3, H, W)`` each; see ``imaging/metrics.py``.

    Of fewer than 4 different real pictures no halves are compared; and where the base is already what it
    should look like, nothing is relative to it.

    Args:
        made: by the model.
        real: what it should look like.
        base: the plain picture that patch-SWD is relative to.
        base_name: its name, e.g. ``bicubic``.
    """
    unit = sum(patch_swd(base, real))
    distances: list[Figure] = []
    if unit > 0:
        label = f"patch-SWD over that of {base_name} (0 is real)"
        distances.append(Figure("swd", label, sum(patch_swd(made, real)) / unit))
    if unit > 0 and len({picture.numpy().tobytes() for picture in real}) >= HALVES:
        even = len(real) // 2 * 2
        floor = sum(patch_swd(real[0:even:2], real[1:even:2])) / unit
        distances.append(Figure("swd_floor", "the same between two halves of the real pictures", floor))
    return [
        *distances,
        Figure(
            "coherence",
            "structure-tensor coherence over real's",
            coherence(made) / max(coherence(real), 1e-12),
        ),
        Figure(
            "spectrum",
            "power above half Nyquist over real's",
            high_power(made) / max(high_power(real), 1e-12),
            ".2f",
        ),
    ]


def seen(count: int, thing: str, held_out: bool, sizes: str) -> str:
    """What was measured on, for the card: ``8 held-out pictures, 256 px``."""
    things = f"{count} {'held-out ' if held_out else ''}{thing}{'' if count == 1 else 's'}"
    return f"{things}{'' if held_out else ' it was trained on'}, {sizes}"


def evaluate(network: UpImager, pairs: PairMaker, material: Material, device: str = "cpu") -> Measured:
    """Measure an up-imager: inputs of 32 px, pictures ``scale`` times larger."""
    scale = network.config.scale
    count = min(MOST, len(material.validation.pixels))
    inputs, real = pairs.validation(count, INPUT * scale, enlarged=False)
    bicubic = F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False).clamp(0, 1)
    made, other = (imagine(network, inputs, seed=seed, device=device) for seed in (1, 2))
    drift = _drift(network, inputs[:4], device)
    figures = [
        *likeness(made, real, bicubic, "bicubic"),
        Figure("consistency", "reduced picture against input, dB", consistency(made, inputs), ".1f"),
        Figure("diversity", "mean difference of two noises", float((made - other).abs().mean())),
        Figure("grid", f"gradient on the {scale} px grid over elsewhere", grid_index(made, scale)),
        Figure("drift", "colour drift over three passes, 1/255", drift, ".2f"),
    ]
    sizes = f"{INPUT} px to {INPUT * scale} px"
    return Measured(seen(count, "picture", material.held_out, sizes), figures)


@torch.inference_mode()
def imagine(network: UpImager, inputs: Tensor, *, seed: int, device: str = "cpu") -> Tensor:
    """Pictures ``(B, 3, s*h, s*w)`` of ``(B, 3, h, w)``, each with noise of its own, clamped to [0, 1]."""
    pictures = []
    for i, thumbnail in enumerate(inputs):
        window = Window(0, 0, thumbnail.shape[-2], thumbnail.shape[-1])
        noise = tile_noise(network, [window], noise=1.0, seed=seed * 100_003 + i)
        batch = thumbnail[None].to(device=device, memory_format=torch.channels_last)
        made = network(batch, [n.to(device) for n in noise])
        pictures.append(made.clamp(0, 1).cpu())
    return torch.cat(pictures)


def _drift(network: UpImager, inputs: Tensor, device: str) -> float:
    """Three passes of the whole picture, each reduced back to the input's size in between; in 1/255."""
    picture = inputs
    for seed in range(3):
        picture = F.avg_pool2d(imagine(network, picture, seed=seed, device=device), network.config.scale)
    return float((picture.mean((2, 3)) - inputs.mean((2, 3))).abs().max() * 255)
