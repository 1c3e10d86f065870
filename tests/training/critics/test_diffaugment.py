"""DiffAugment: what it changes and how often, independence of rows, and gradients through it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from artgen.training.critics.diffaugment import (
    NO_AUGMENTATION_VALUES,
    apply_diffaugment,
    draw_diffaugment_values,
)


def pictures(count: int = 4, side: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def draw_values(count: int = 4, share: float = 1.0) -> torch.Tensor:
    return draw_diffaugment_values(np.random.default_rng(2), count, share)


def only_changing(**changes: float) -> torch.Tensor:
    """Return values of one image that apply the named changes only."""
    columns = {"shift": [3, 4], "hole": [5, 6], "saturation": [1]}
    values = torch.from_numpy(NO_AUGMENTATION_VALUES.copy())
    for name, value in changes.items():
        values[columns[name]] = value
    return values[None]


def test_a_share_of_the_pictures_is_changed() -> None:
    assert torch.allclose(apply_diffaugment(pictures(), draw_values(share=0.0)), pictures(), atol=1e-6)
    many = draw_values(4000, 0.3)
    for first in (0, 3, 5):
        changed = (many[:, first] != NO_AUGMENTATION_VALUES[first]).float().mean()
        assert float(changed) == pytest.approx(0.3, abs=0.03)
    assert (draw_values(4000)[:, 5:] < 1).all()


def test_each_row_has_its_own_chance_and_the_same_chance_gives_the_same() -> None:
    augmented = apply_diffaugment(pictures(), draw_values())
    for row in range(4):
        assert torch.allclose(
            apply_diffaugment(pictures()[[row]], draw_values()[[row]])[0], augmented[row], atol=1e-6
        )
    assert not torch.allclose(augmented, pictures(), atol=0.1)


def test_without_saturation_pictures_are_grey() -> None:
    grey = apply_diffaugment(pictures(1), only_changing(saturation=0.0))
    assert torch.allclose(grey[:, :1].expand_as(grey), grey, atol=1e-6)
    assert torch.allclose(grey[:, 0], pictures(1).mean(1), atol=1e-6)


def test_translation_moves_by_whole_pixels_up_to_an_eighth_and_leaves_grey() -> None:
    image = pictures(1)
    moved = apply_diffaugment(image, only_changing(shift=0.0))
    assert torch.allclose(moved[0, :, 2:, 2:], image[0, :, :-2, :-2], atol=1e-6)
    assert torch.equal(moved[0, :, :2], torch.full((3, 2, 16), 0.5))
    other = apply_diffaugment(image, only_changing(shift=0.999))
    assert torch.allclose(other[0, :, :-2, :-2], image[0, :, 2:, 2:], atol=1e-6)


def test_a_hole_is_half_the_sides_and_grey() -> None:
    image = pictures(1)
    changed = (apply_diffaugment(image, only_changing(hole=0.5)) - image).abs().amax(1)[0] > 1e-6
    assert changed.sum() == 64
    assert changed[4:12, 4:12].all()
    corner = apply_diffaugment(image, only_changing(hole=0.0))
    assert torch.equal(corner[0, :, :4, :4], torch.full((3, 4, 4), 0.5))
    assert torch.allclose(corner[0, :, 4:], image[0, :, 4:], atol=1e-6)


def test_a_generator_learns_through_it() -> None:
    image = pictures(2, 8).double().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda x: apply_diffaugment(x, draw_values(2)), (image,))
