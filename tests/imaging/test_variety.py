import pytest
import torch

from artgen.imaging.variety import diversity, novelty


def pictures(seed: int, count: int = 40) -> torch.Tensor:
    small = torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(small, scale_factor=2)


def test_as_different_as_real_ones() -> None:
    assert diversity(pictures(1), pictures(2)) == pytest.approx(1, abs=0.05)
    assert novelty(pictures(1), pictures(2)) == pytest.approx(1, abs=0.05)


def test_mode_collapse() -> None:
    one = pictures(1, 1).repeat(40, 1, 1, 1)
    assert diversity(one + pictures(2) * 0.01, pictures(3)) < 0.02


def test_copies_and_mirrored_copies() -> None:
    real = pictures(1)
    assert novelty(real[:10], real) < 0.01
    assert novelty(real[:10].flip(3), real) < 0.01
    assert novelty(real[:10] * 0.9, real) < 0.3


def test_one_picture_is_no_reason_to_fail() -> None:
    assert diversity(pictures(1, 1), pictures(2, 1)) >= 0
    assert novelty(pictures(1, 1), pictures(2, 1)) >= 0
