"""How good an up-imager is, on pictures it never saw: the figures of its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.metrics import coherence, consistency, grid_index, high_power, patch_swd
from artgen.imaging.tiles import Window
from artgen.models.upimage import UpImager
from artgen.models.upscaling import tile_noise
from artgen.training.images import Pixels
from artgen.training.pairs import validation_pairs

INPUT = 32
MOST = 128  # pictures; more would not change the figures but fill the memory


@dataclass(frozen=True)
class Figures:
    """Statistics of inventions against real pictures; see ``imaging/metrics.py``.

    Attributes:
        pictures: how many held-out pictures.
        swd: patch-SWD over bicubic's, mean of three detail levels; 0 is real, 1 is bicubic.
        swd_floor: the same for two halves of the real pictures against each other.
        coherence: of the structure tensor, over real's.
        spectrum: power above half the Nyquist frequency, over real's.
        consistency: dB of the reduced picture against its input.
        diversity: mean absolute difference of two noises' pictures.
        grid: gradient on lines every ``scale`` px over elsewhere.
        drift: largest change of a colour channel's mean over three passes, in 1/255.
    """

    pictures: int
    swd: float
    swd_floor: float
    coherence: float
    spectrum: float
    consistency: float
    diversity: float
    grid: float
    drift: float

    def rounded(self) -> dict[str, float]:
        """The figures as plain numbers, to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def evaluate(network: UpImager, images: Sequence[Pixels], device: str = "cpu") -> Figures:
    """Measure ``network`` on crops of ``images``: inputs of 32 px, pictures ``scale`` times larger."""
    scale = network.config.scale
    inputs, real = validation_pairs(images, count=min(MOST, len(images)), size=INPUT, factor=scale)
    bicubic = F.interpolate(inputs, scale_factor=scale, mode="bicubic", align_corners=False).clamp(0, 1)
    made, other = (imagine(network, inputs, seed=seed, device=device) for seed in (1, 2))
    base = sum(patch_swd(bicubic, real))
    even = len(real) // 2 * 2
    return Figures(
        pictures=len(real),
        swd=sum(patch_swd(made, real)) / base,
        swd_floor=sum(patch_swd(real[0:even:2], real[1:even:2])) / base if even else 0.0,
        coherence=coherence(made) / coherence(real),
        spectrum=high_power(made) / high_power(real),
        consistency=consistency(made, inputs),
        diversity=float((made - other).abs().mean()),
        grid=grid_index(made, scale),
        drift=_drift(network, inputs[:4], device),
    )


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
    """Three passes of the whole picture, each reduced back to the input's size in between."""
    picture = inputs
    for seed in range(3):
        picture = F.avg_pool2d(imagine(network, picture, seed=seed, device=device), network.config.scale)
    return float((picture.mean((2, 3)) - inputs.mean((2, 3))).abs().max() * 255)
