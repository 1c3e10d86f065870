"""DiffAugment: what it changes, that it is one row's own affair, that a generator can learn through it."""

from __future__ import annotations

import torch

from artgen.models.augment import CHANCES, augment

KINDS = ("colour", "translation", "cutout")


def pictures(count: int = 4, side: int = 16) -> torch.Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(1))


def chances(count: int = 4) -> torch.Tensor:
    return torch.rand(count, CHANCES, generator=torch.Generator().manual_seed(2))


def test_without_kinds_nothing_changes() -> None:
    assert torch.allclose(augment(pictures(), chances(), ()), pictures(), atol=1e-6)


def test_each_row_has_its_own_chance_and_the_same_chance_gives_the_same() -> None:
    whole = augment(pictures(), chances(), KINDS)
    for row in range(4):
        assert torch.allclose(augment(pictures()[[row]], chances()[[row]], KINDS)[0], whole[row], atol=1e-6)
    assert not torch.allclose(whole, pictures(), atol=0.1)


def test_colours_in_the_middle_of_chance_stay() -> None:
    assert torch.allclose(
        augment(pictures(), torch.full((4, CHANCES), 0.5), ["colour"]), pictures(), atol=1e-6
    )


def test_translation_moves_by_whole_pixels_up_to_an_eighth_and_leaves_grey() -> None:
    image = pictures(1)
    chance = torch.zeros(1, CHANCES)
    moved = augment(image, chance, ["translation"])
    assert torch.allclose(moved[0, :, 2:, 2:], image[0, :, :-2, :-2], atol=1e-6)
    assert torch.equal(moved[0, :, :2], torch.full((3, 2, 16), 0.5))
    other = augment(image, chance + 0.999, ["translation"])
    assert torch.allclose(other[0, :, :-2, :-2], image[0, :, 2:, 2:], atol=1e-6)


def test_a_hole_is_half_the_sides_and_grey() -> None:
    image = pictures(1)
    chance = torch.full((1, CHANCES), 0.5)
    changed = (augment(image, chance, ["cutout"]) - image).abs().amax(1)[0] > 1e-6
    assert changed.sum() == 64
    assert changed[4:12, 4:12].all()
    corner = augment(image, torch.zeros(1, CHANCES), ["cutout"])
    assert torch.equal(corner[0, :, :4, :4], torch.full((3, 4, 4), 0.5))
    assert torch.allclose(corner[0, :, 4:], image[0, :, 4:], atol=1e-6)


def test_a_generator_learns_through_it() -> None:
    image = pictures(2, 8).double().requires_grad_(True)
    chance = chances(2)
    assert torch.autograd.gradcheck(lambda x: augment(x, chance, KINDS), (image,))
