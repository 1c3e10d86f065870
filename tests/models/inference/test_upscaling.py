from pathlib import Path

import pytest
import torch
from skimage import data

from artgen.errors import ArtgenError
from artgen.imaging.image import block_means, enlarge
from artgen.imaging.metrics import downscaled_psnr
from artgen.models.files import catalog
from artgen.models.inference.upscaling import upscale_image

MODEL = catalog.find_model_file("abstract-8x", Path())


def thumbnail(side: int = 32) -> torch.Tensor:
    picture = torch.from_numpy(data.coffee()[:384, :384].copy()).permute(2, 0, 1).float() / 255
    return block_means(picture, 384 // side)


@pytest.mark.parametrize("scale", [None, 1, 2.5, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (13, 22)])
def test_the_size_asked_for_is_the_size_made(scale: float | None, size: tuple[int, int]) -> None:
    result = upscale_image(torch.rand(3, *size), MODEL, scale=scale, seed=1)
    expected_scale = 8 if scale is None else scale
    assert result.shape == (
        3,
        max(1, round(size[0] * expected_scale)),
        max(1, round(size[1] * expected_scale)),
    )
    assert 0 <= float(result.min()) <= float(result.max()) <= 1


def test_more_than_the_model_can_do_is_a_clear_message() -> None:
    with pytest.raises(ArtgenError, match="two upscale steps"):
        upscale_image(thumbnail(), MODEL, scale=9)


def test_the_same_seed_is_the_same_picture_and_another_is_not() -> None:
    first, repeated, other = (upscale_image(thumbnail(), MODEL, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first, repeated)
    assert (first - other).abs().mean() > 0.01


def test_it_invents_detail_and_keeps_colour() -> None:
    image = thumbnail()
    result = upscale_image(image, MODEL, seed=1)
    bicubic = enlarge(image, (256, 256))
    assert (result - bicubic).abs().mean() > 0.01
    assert downscaled_psnr(result[None], image[None]) >= 37
    assert (result.mean((1, 2)) - image.mean((1, 2))).abs().max() < 1 / 255


def test_colour_does_not_drift_over_passes() -> None:
    image = thumbnail()
    picture = image
    for seed in range(3):
        picture = upscale_image(picture, MODEL, scale=2, seed=seed)
    assert (picture.mean((1, 2)) - image.mean((1, 2))).abs().max() < 2 / 255


def test_the_callers_image_is_left_alone() -> None:
    image = thumbnail()
    before = image.clone()
    upscale_image(image, MODEL, scale=4, seed=1)
    assert torch.equal(image, before)
