import torch
from skimage import data

from artgen.imaging.image import block_means, enlarge
from artgen.imaging.metrics import (
    downscaled_psnr,
    grid_gradient_ratio,
    high_frequency_power,
    luma_correlation,
    sliced_wasserstein_distances,
    structure_coherence,
)


def photographs() -> torch.Tensor:
    pictures = [data.astronaut(), data.coffee(), data.chelsea(), data.rocket()]
    crops = [torch.from_numpy(p[40:296, 60:316].copy()).permute(2, 0, 1).float() / 255 for p in pictures]
    return torch.stack(crops)


def test_distance_is_zero_to_itself_and_grows_with_blur() -> None:
    real = photographs()
    slight = enlarge(block_means(real, 2), (256, 256))
    strong = enlarge(block_means(real, 8), (256, 256))
    assert max(sliced_wasserstein_distances(real, real)) == 0
    assert sum(sliced_wasserstein_distances(slight, real)) < sum(sliced_wasserstein_distances(strong, real))


def test_missing_contrast_counts_as_distance() -> None:
    real = photographs()
    pale = 0.5 + 0.5 * (real - 0.5)
    assert min(sliced_wasserstein_distances(pale, real)) > 0.1


def test_speckle_does_not_pass_for_structure() -> None:
    real = photographs()
    noisy = real + 0.05 * torch.randn(real.shape, generator=torch.Generator().manual_seed(0))
    smooth = enlarge(block_means(real, 8), (256, 256))
    assert structure_coherence(noisy) < structure_coherence(real) < structure_coherence(smooth)
    assert high_frequency_power(noisy) > high_frequency_power(real) > high_frequency_power(smooth)


def test_consistency_is_in_decibels() -> None:
    real = photographs()
    inputs = block_means(real, 8)
    assert downscaled_psnr(real, inputs) > 100
    assert abs(downscaled_psnr(real + 0.1, inputs) - 20) < 0.01


def test_grid_index_finds_a_grid() -> None:
    real = photographs()
    blocks = torch.nn.functional.interpolate(block_means(real, 8), size=(256, 256))
    assert 0.9 < grid_gradient_ratio(real, 8) < 1.1
    assert grid_gradient_ratio(blocks + 0.01 * real, 8) > 5


def test_correlation_sees_where_light_and_dark_lie() -> None:
    real = photographs()
    assert abs(luma_correlation(real, real) - 1) < 1e-6
    assert abs(luma_correlation(1 - real, real) + 1) < 1e-6
    assert luma_correlation(0.2 + 0.5 * real, real) > 0.999
    assert abs(luma_correlation(real.flip(0), real)) < 0.8


def test_a_seam_is_a_grid_of_the_tiles_size() -> None:
    real = photographs()
    seamed = real.clone()
    seamed[:, :, :, 128:] += 0.1
    assert grid_gradient_ratio(seamed, 128) > 1.02 * grid_gradient_ratio(real, 128)
