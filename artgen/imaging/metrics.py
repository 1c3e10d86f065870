"""Figures for invented pictures, where no pixel has a right value: statistics against real ones.

All take images as ``(B, 3, H, W)`` float32 in ``[0, 1]`` unless said otherwise and return floats.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from skimage.feature import structure_tensor, structure_tensor_eigenvalues
from torch import Tensor

from artgen.imaging.image import area_down, luminance

PATCH = 7
PATCHES_PER_IMAGE = 512
DIRECTIONS = 512


def patch_swd(images: Tensor, reference: Tensor, *, levels: int = 3, seed: int = 0) -> list[float]:
    """Sliced Wasserstein distance of Laplacian-pyramid patches, one figure a detail level, finest first.

    Karras et al. 2018 (Progressive Growing of GANs, arXiv:1710.10196, section 5): 7x7 patches of each level,
    512 random directions, mean absolute difference of the sorted projections. Deviation: both sets are
    normalised by the *reference's* channel means and deviations, not each by its own, so that detail of the
    right shape but too little contrast is still counted as far away.

    Args:
        images: what was made.
        reference: real images of the same shape.
        levels: how many detail levels, each half the size of the one before.
        seed: of the patches and directions; the same for both sets.
    """
    distances = []
    pairs = zip(_laplacian(images, levels), _laplacian(reference, levels), strict=True)
    for level, (made, real) in enumerate(pairs):
        mean, deviation = real.mean((0, 2, 3), keepdim=True), real.std((0, 2, 3), keepdim=True) + 1e-8
        projected = [_projected((each - mean) / deviation, seed * 1000 + level) for each in (made, real)]
        distances.append(float(np.abs(projected[0] - projected[1]).mean()))
    return distances


def coherence(images: Tensor, *, sigma: float = 1.5) -> float:
    """Gradient-weighted mean coherence of the structure tensor, 0 (speckle) to 1 (stripes).

    ``(l1 - l2) / (l1 + l2)`` of scikit-image's eigenvalues on luma, weighted by ``l1 + l2``: strokes and
    edges have a direction, noise has none.
    """
    top, bottom = 0.0, 0.0
    for image in luminance(images)[:, 0].double().numpy():
        first, second = structure_tensor_eigenvalues(structure_tensor(image, sigma=sigma, order="rc"))
        top += float((first - second).sum())
        bottom += float((first + second).sum())
    return top / max(bottom, 1e-12)


def high_power(images: Tensor) -> float:
    """Mean power of luma above half the Nyquist frequency (Hann window)."""
    luma = luminance(images)[:, 0].double()
    height, width = luma.shape[-2:]
    window = torch.hann_window(height, dtype=luma.dtype)[:, None] * torch.hann_window(width, dtype=luma.dtype)
    power = torch.fft.fft2((luma - luma.mean((1, 2), keepdim=True)) * window).abs().square()
    radius = torch.fft.fftfreq(height)[:, None].square() + torch.fft.fftfreq(width).square()
    return float(power[:, radius > 0.25**2].mean())


def consistency(images: Tensor, inputs: Tensor) -> float:
    """PSNR in dB of the images, reduced by area to the inputs' size, against the inputs."""
    factor = images.shape[-1] // inputs.shape[-1]
    error = float((area_down(images, factor) - inputs).square().mean())
    return 10 * math.log10(1 / max(error, 1e-12))


def correlation(images: Tensor, others: Tensor) -> float:
    """How alike light and dark lie: mean correlation of luma at an eighth of the size, -1 to 1."""
    seen = []
    for each in (images, others):
        luma = area_down(luminance(each), 8).flatten(1).double()
        seen.append(F.normalize(luma - luma.mean(1, keepdim=True), dim=1))
    return float((seen[0] * seen[1]).sum(1).mean())


def grid_index(images: Tensor, period: int) -> float:
    """Mean gradient across lines every ``period`` px over the mean gradient elsewhere: 1 is no grid."""
    luma = luminance(images)[:, 0]
    ratios = []
    for axis in (1, 2):
        steps = luma.diff(dim=axis).abs().mean(dim=[d for d in (0, 1, 2) if d != axis]).numpy()
        on = np.arange(1, len(steps) + 1) % period == 0
        ratios.append(float(steps[on].mean() / max(float(steps[~on].mean()), 1e-12)))
    return sum(ratios) / 2


def _laplacian(images: Tensor, levels: int) -> list[Tensor]:
    pyramid = []
    for _ in range(levels):
        small = _halved(images)
        back = F.interpolate(small, size=images.shape[-2:], mode="bilinear", align_corners=False)
        pyramid.append(images - back)
        images = small
    return pyramid


def _halved(images: Tensor) -> Tensor:
    """Every second px of the picture blurred by the 5-tap binomial of Burt and Adelson."""
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    # One channel at a time and only what is kept: a tenth of the time of blurring all three at once.
    flat = F.pad(images, (2, 2, 2, 2), mode="reflect").flatten(0, 1)[:, None]
    small = F.conv2d(flat, (taps[:, None] * taps)[None, None], stride=2)
    return small.view(*images.shape[:2], *small.shape[2:])


def _projected(level: Tensor, seed: int) -> npt.NDArray[np.float32]:
    """Patches of a level on every direction, ``(512, N)``, each row sorted; equal seeds see equal places."""
    random = torch.Generator().manual_seed(seed)
    patches = _patches(level, random)
    directions = F.normalize(torch.randn(patches.shape[1], DIRECTIONS, generator=random), dim=0)
    projected: npt.NDArray[np.float32] = (directions.T @ patches.T).numpy()
    return np.sort(projected, axis=1)  # numpy's is several times faster than torch's


def _patches(level: Tensor, random: torch.Generator) -> Tensor:
    """Random patches of every image, ``(N, 3 * 7 * 7)``; equal generators pick equal places."""
    count, _, height, width = level.shape
    windows = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
    rows = torch.randint(height - PATCH + 1, (count, PATCHES_PER_IMAGE), generator=random)
    columns = torch.randint(width - PATCH + 1, (count, PATCHES_PER_IMAGE), generator=random)
    index = torch.arange(count)[:, None]
    return windows.permute(0, 2, 3, 1, 4, 5)[index, rows, columns].flatten(0, 1).flatten(1)
