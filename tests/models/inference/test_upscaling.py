from pathlib import Path

import pytest
import torch
from skimage import data

from artgen.errors import ArtgenError
from artgen.imaging.image import area_down, enlarge
from artgen.imaging.metrics import consistency
from artgen.models.files import catalog
from artgen.models.inference.upscaling import upscale

MODEL = catalog.resolve("abstract-8x", Path())


def thumbnail(side: int = 32) -> torch.Tensor:
    picture = torch.from_numpy(data.coffee()[:384, :384].copy()).permute(2, 0, 1).float() / 255
    return area_down(picture, 384 // side)


@pytest.mark.parametrize("scale", [None, 1, 2.5, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (13, 22)])
def test_the_size_asked_for_is_the_size_made(scale: float | None, size: tuple[int, int]) -> None:
    made = upscale(torch.rand(3, *size), MODEL, scale=scale, seed=1)
    wanted = 8 if scale is None else scale
    assert made.shape == (3, max(1, round(size[0] * wanted)), max(1, round(size[1] * wanted)))
    assert 0 <= float(made.min()) <= float(made.max()) <= 1


def test_more_than_the_model_can_do_is_a_clear_message() -> None:
    with pytest.raises(ArtgenError, match="two upscale steps"):
        upscale(thumbnail(), MODEL, scale=9)


def test_the_same_seed_is_the_same_picture_and_another_is_not() -> None:
    first, again, other = (upscale(thumbnail(), MODEL, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().mean() > 0.01


def test_it_invents_detail_and_keeps_colour() -> None:
    small = thumbnail()
    made = upscale(small, MODEL, seed=1)
    plain = enlarge(small, (256, 256))
    assert (made - plain).abs().mean() > 0.01
    assert consistency(made[None], small[None]) >= 37
    assert (made.mean((1, 2)) - small.mean((1, 2))).abs().max() < 1 / 255


def test_colour_does_not_drift_over_passes() -> None:
    small = thumbnail()
    picture = small
    for seed in range(3):
        picture = upscale(picture, MODEL, scale=2, seed=seed)
    assert (picture.mean((1, 2)) - small.mean((1, 2))).abs().max() < 2 / 255


def test_the_callers_image_is_left_alone() -> None:
    small = thumbnail()
    before = small.clone()
    upscale(small, MODEL, scale=4, seed=1)
    assert torch.equal(small, before)
