"""Quality measures of generated images: their statistics, and comparisons with real images or with inputs.

All take images as ``(B, 3, H, W)`` float32 in ``[0, 1]`` and return floats.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from skimage.feature import structure_tensor, structure_tensor_eigenvalues
from torch import Tensor

from artgen.imaging.image import block_means, luminance

SWD_PATCH_SIDE = 7
SWD_PATCHES = 512
SWD_DIRECTIONS = 512


def sliced_wasserstein_distances(
    images: Tensor, reference: Tensor, *, levels: int = 3, seed: int = 0
) -> list[float]:
    """Return the sliced Wasserstein distances of Laplacian-pyramid patches, one per level, finest first.

    Karras et al. 2018 (Progressive Growing of GANs, arXiv:1710.10196, section 5): 7x7 patches of each level,
    512 random directions, mean absolute difference of the sorted projections. Deviation: both sets are
    normalised by the *reference's* channel means and deviations, not each by its own, so that detail with
    too little contrast still counts as different.

    Args:
        images: generated images.
        reference: real images of the same shape.
        levels: number of detail levels, each half the size of the one before.
        seed: draws the patches and directions, the same for both sets.
    """
    distances = []
    pairs = zip(_laplacian_pyramid(images, levels), _laplacian_pyramid(reference, levels), strict=True)
    for level, (generated, real) in enumerate(pairs):
        mean, deviation = real.mean((0, 2, 3), keepdim=True), real.std((0, 2, 3), keepdim=True) + 1e-8
        projected = [
            _project_patches((details - mean) / deviation, seed * 1000 + level)
            for details in (generated, real)
        ]
        distances.append(float(np.abs(projected[0] - projected[1]).mean()))
    return distances


def structure_coherence(images: Tensor, *, sigma: float = 1.5) -> float:
    """Return the gradient-weighted mean coherence of the structure tensor, 0 (speckle) to 1 (stripes).

    It is ``(l1 - l2) / (l1 + l2)`` of the eigenvalues on luma, weighted by ``l1 + l2``: strokes and edges
    have a direction, noise has none.

    Args:
        images: ``(B, 3, H, W)``.
        sigma: width in px of the Gaussian that averages the tensor.
    """
    weighted_sum, weight_sum = 0.0, 0.0
    for image in luminance(images)[:, 0].double().numpy():
        first, second = structure_tensor_eigenvalues(structure_tensor(image, sigma=sigma, order="rc"))
        weighted_sum += float((first - second).sum())
        weight_sum += float((first + second).sum())
    return weighted_sum / max(weight_sum, 1e-12)


def high_frequency_power(images: Tensor) -> float:
    """Return the mean power of luma above half the Nyquist frequency (with a Hann window)."""
    luma = luminance(images)[:, 0].double()
    height, width = luma.shape[-2:]
    window = torch.hann_window(height, dtype=luma.dtype)[:, None] * torch.hann_window(width, dtype=luma.dtype)
    power = torch.fft.fft2((luma - luma.mean((1, 2), keepdim=True)) * window).abs().square()
    squared_frequency = torch.fft.fftfreq(height)[:, None].square() + torch.fft.fftfreq(width).square()
    return float(power[:, squared_frequency > 0.25**2].mean())


def downscaled_psnr(images: Tensor, inputs: Tensor) -> float:
    """Return the PSNR in dB of the images, reduced by area to the inputs' size, against the inputs."""
    factor = images.shape[-1] // inputs.shape[-1]
    error = float((block_means(images, factor) - inputs).square().mean())
    return 10 * math.log10(1 / max(error, 1e-12))


def luma_correlation(images: Tensor, others: Tensor) -> float:
    """Return the mean correlation of two sets' luma at an eighth of the size, -1 to 1, image by image."""
    normalised = []
    for batch in (images, others):
        luma = block_means(luminance(batch), 8).flatten(1).double()
        normalised.append(F.normalize(luma - luma.mean(1, keepdim=True), dim=1))
    return float((normalised[0] * normalised[1]).sum(1).mean())


def grid_gradient_ratio(images: Tensor, period: int) -> float:
    """Return the mean gradient across grid lines every ``period`` px over that elsewhere; 1 is no grid."""
    luma = luminance(images)[:, 0]
    ratios = []
    for axis in (1, 2):
        gradients = luma.diff(dim=axis).abs().mean(dim=[d for d in (0, 1, 2) if d != axis]).numpy()
        on_line = np.arange(1, len(gradients) + 1) % period == 0
        ratios.append(float(gradients[on_line].mean() / max(float(gradients[~on_line].mean()), 1e-12)))
    return sum(ratios) / 2


def _laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    pyramid = []
    for _ in range(levels):
        half = _blur_and_halve(images)
        enlarged = F.interpolate(half, size=images.shape[-2:], mode="bilinear", align_corners=False)
        pyramid.append(images - enlarged)
        images = half
    return pyramid


def _blur_and_halve(images: Tensor) -> Tensor:
    """Blur images by the 5-tap binomial filter of Burt and Adelson, and keep every second px."""
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    # One channel at a time and only the px that are kept: a tenth of the time of blurring all three at once.
    channels = F.pad(images, (2, 2, 2, 2), mode="reflect").flatten(0, 1)[:, None]
    half = F.conv2d(channels, (taps[:, None] * taps)[None, None], stride=2)
    return half.view(*images.shape[:2], *half.shape[2:])


def _project_patches(level: Tensor, seed: int) -> npt.NDArray[np.float32]:
    """Project random patches of a pyramid level on random directions: ``(512, N)``, each row sorted.

    Equal seeds give equal positions and directions.
    """
    generator = torch.Generator().manual_seed(seed)
    patches = _draw_patches(level, generator)
    directions = F.normalize(torch.randn(patches.shape[1], SWD_DIRECTIONS, generator=generator), dim=0)
    projected: npt.NDArray[np.float32] = (directions.T @ patches.T).numpy()
    return np.sort(projected, axis=1)  # numpy's is several times faster than torch's


def _draw_patches(level: Tensor, generator: torch.Generator) -> Tensor:
    """Draw patches of every image for the Wasserstein distance, ``(N, 3 * 7 * 7)``, at random positions."""
    count, _, height, width = level.shape
    windows = level.unfold(2, SWD_PATCH_SIDE, 1).unfold(3, SWD_PATCH_SIDE, 1)
    rows = torch.randint(height - SWD_PATCH_SIDE + 1, (count, SWD_PATCHES), generator=generator)
    columns = torch.randint(width - SWD_PATCH_SIDE + 1, (count, SWD_PATCHES), generator=generator)
    image_index = torch.arange(count)[:, None]
    return windows.permute(0, 2, 3, 1, 4, 5)[image_index, rows, columns].flatten(0, 1).flatten(1)
