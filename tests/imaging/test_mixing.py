import random

import pytest
import torch

from artgen.imaging import color, mixing
from artgen.seeds import torch_generator


@pytest.mark.parametrize("shape", [(40, 60), (3, 200), (1, 1)])
def test_a_window_of_any_image(shape: tuple[int, int]) -> None:
    image = torch.rand(3, *shape)
    for seed in range(5):
        assert mixing.random_crop(image, 16, (0.1, 1.0), random.Random(seed)).shape == (3, 16, 16)


def test_bold_masses_outweigh_busy_detail() -> None:
    halves = torch.zeros(3, 32, 32)
    halves[:, :, 16:] = 1
    busy = torch.rand(3, 32, 32, generator=torch_generator(1))
    assert mixing.measure_boldness(halves) > 0.3 > 0 > mixing.measure_boldness(busy)
    assert mixing.measure_boldness(torch.full((3, 8, 8), 0.5)) == pytest.approx(0, abs=1e-3)


def test_masks_cover_half_and_are_smooth() -> None:
    for seed in range(10):
        mask = mixing.random_soft_mask(32, torch_generator(seed), 2, 0.2)
        assert mask.shape == (1, 32, 32)
        assert 0.3 < float(mask.mean()) < 0.7
        assert float(mask.diff(dim=-1).abs().max()) < 0.75
    hard = mixing.random_soft_mask(32, torch_generator(1), 2, 0)
    assert ((hard < 0.01) | (hard > 0.99)).float().mean() > 0.95


def test_recolouring_moves_towards_the_palette_and_stays_an_image() -> None:
    image = torch.rand(3, 16, 16, generator=torch_generator(2))
    mean, covariance = mixing.random_palette(random.Random(1))
    moved = [mixing.recolour(image, mean, covariance, amount) for amount in (0.0, 0.5, 1.0)]
    gaps = [
        float((color.colour_statistics(color.to_oklab(color.to_linear(m)))[0] - mean).norm()) for m in moved
    ]
    assert gaps[0] > gaps[1] > gaps[2]
    assert all(m.min() >= 0 and m.max() <= 1 for m in moved)


def test_stretch_makes_a_pale_picture_bold() -> None:
    pale = 0.5 + 0.05 * torch.rand(3, 16, 16, generator=torch_generator(3))
    bold = mixing.raise_contrast(pale, 0.2)
    assert float(bold.std()) > 3 * float(pale.std())
    black = mixing.raise_contrast(torch.zeros(3, 8, 8), 0.2)
    assert torch.isfinite(black).all()


def test_pictures_agree_about_colours() -> None:
    red, blue = torch.zeros(3, 16, 16), torch.zeros(3, 16, 16)
    red[0], blue[2] = (0.4 + 0.4 * torch.rand(16, 16, generator=torch_generator(k)) for k in (1, 2))
    both, weights = torch.stack([red, blue]), torch.tensor([0.7, 0.3])
    gaps = []
    for amount in (0.0, 0.5, 1.0):
        one, other = mixing.harmonise_colours(both, weights, amount)
        gaps.append(float((one.mean((1, 2)) - other.mean((1, 2))).norm()))
        assert one.min() >= 0
        assert one.max() <= 1
    assert gaps[0] > gaps[1] > 4 * gaps[2]
    assert torch.equal(mixing.harmonise_colours(both, weights, 0.0), both)
    assert torch.equal(mixing.harmonise_colours(both[:1], torch.ones(1), 1.0), both[:1])
