from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import enlarge, luminance, resize
from artgen.imaging.inputs import INPUT_KINDS, draw_outlines, prepare_input, reduced_size, resize_by_area

TABLES: dict[str, dict[str, Any]] = {
    "pixelate": {"use": "pixelate", "factor": 8},
    "learning-to-see": {"use": "learning-to-see", "factor": 24, "grey": True},
    "edges": {"use": "edges", "sigma": [1.0, 2.0], "thickness": [1.0, 3.0], "detail": 0.4},
    "blend": {"use": "blend", "factor": 8},
    "folders": {"use": "folders", "grey": False},
}


def picture(height: int, width: int, seed: int = 1) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=120, deadline=None)
@given(
    kind=st.sampled_from(INPUT_KINDS),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    factor=st.integers(2, 64),
    grey=st.booleans(),
    size=st.none() | st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_any_picture_at_any_size(
    kind: str, height: int, width: int, factor: int, grey: bool, size: tuple[int, int] | None
) -> None:
    image = picture(height, width)
    table = TABLES[kind] | {"factor": factor, "grey": grey}
    network_input = prepare_input(image, table, size)
    single = kind == "edges" or (kind in ("learning-to-see", "folders") and grey)
    assert network_input.shape == (1 if single else 3, *(size or (height, width)))
    assert network_input.dtype == torch.float32
    assert network_input.min() >= 0
    assert network_input.max() <= 1
    assert torch.equal(image, picture(height, width))
    assert torch.equal(network_input, prepare_input(image, table, size))


def test_pixels_are_means_of_whole_blocks() -> None:
    image = picture(64, 48)
    network_input = prepare_input(image, {"use": "pixelate", "factor": 8})
    for row, column in ((0, 0), (24, 40), (56, 16)):
        block = network_input[:, row : row + 8, column : column + 8]
        assert torch.allclose(block, block[:, :1, :1].expand(3, 8, 8))
        block_mean = image[:, row : row + 8, column : column + 8].mean((1, 2))
        assert torch.allclose(block[:, 0, 0], block_mean, atol=1e-6)


@pytest.mark.parametrize("kind", ["pixelate", "blend"])
def test_a_thumbnail_is_not_reduced_again(kind: str) -> None:
    thumbnail = picture(32, 32)
    large = prepare_input(thumbnail, TABLES[kind], (256, 256))
    if kind == "pixelate":
        assert torch.equal(large[:, 4::8, 4::8], thumbnail)
    else:
        assert torch.equal(large, enlarge(thumbnail, (256, 256)))


def test_learning_to_see_is_one_true_channel_out_of_focus() -> None:
    image = picture(240, 240)
    blurred = prepare_input(image, TABLES["learning-to-see"])
    assert torch.allclose(
        resize_by_area(blurred, (10, 10)), resize_by_area(luminance(image), (10, 10)), atol=0.01
    )
    assert float(blurred.diff(dim=-1).abs().max()) < 0.02  # nothing is sharp
    grey = image.mean(0, keepdim=True).expand(3, -1, -1)
    assert torch.allclose(prepare_input(grey, TABLES["learning-to-see"])[0], pixelated_back(grey), atol=1e-5)
    colour = prepare_input(image, TABLES["learning-to-see"] | {"grey": False})
    assert torch.allclose(luminance(colour), blurred, atol=1e-5)


def pixelated_back(image: Tensor) -> Tensor:
    return prepare_input(image, TABLES["learning-to-see"] | {"grey": False})[0]


def test_outlines_are_dark_lines_of_the_wanted_width() -> None:
    halves = torch.zeros(3, 40, 40)
    halves[:, :, 20] = 0.5
    halves[:, :, 21:] = 1
    thin, middle, thick = (draw_outlines(halves, 1.0, width, 0.5) for width in (1.0, 2.0, 5.0))
    ink = [float((1 - lines[0, 20]).sum()) for lines in (thin, middle, thick)]
    assert ink == pytest.approx([1, 2, 5])
    assert thin[0, 20].argmin() == 20
    assert (thin[:, :, :15] == 1).all()
    assert draw_outlines(torch.full((3, 9, 9), 0.5), 1.0, 1.0, 1.0).min() == 1


def test_detail_and_blur_change_the_amount_of_ink() -> None:
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    image = (0.5 + 0.2 * torch.sin(x / 9) + 0.1 * torch.sin(y / 2)).clamp(0, 1).expand(3, -1, -1)
    image = (image + 0.3 * ((x - 48) ** 2 + (y - 48) ** 2 < 900)).clamp(0, 1).contiguous()

    def ink(sigma: float, detail: float) -> float:
        return float((1 - draw_outlines(image, sigma, 1.0, detail)).mean())

    assert 0 < ink(1.0, 0.2) < ink(1.0, 0.9)
    assert ink(4.0, 0.9) < ink(1.0, 0.9)


def test_cells_round_and_never_vanish() -> None:
    assert reduced_size((256, 256), 24) == (11, 11)
    assert reduced_size((3, 600), 64) == (1, 9)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "inputs.use: None; one of pixelate"),
        ({"use": "pixelatte"}, "inputs.use: 'pixelatte'"),
        ({"use": ["x" * 500]}, "inputs.use"),
        ({"use": "pixelate"}, "inputs.factor: None; the model's file should say a number from 2 to 64"),
        ({"use": "pixelate", "factor": 1}, "inputs.factor: 1;"),
        ({"use": "pixelate", "factor": True}, "inputs.factor: True;"),
        ({"use": "pixelate", "factor": 2.5}, "inputs.factor: 2.5; the model's file should say a whole"),
        ({"use": "pixelate", "factor": float("nan")}, "inputs.factor: nan"),
        ({"use": "blend", "factor": "8"}, "inputs.factor: '8'"),
        ({"use": "blend", "factor": 10**400}, "inputs.factor: 1000"),
        ({"use": "learning-to-see", "factor": 24}, "inputs.grey: None; the model's file should say true"),
        ({"use": "folders", "grey": 1}, "inputs.grey: 1"),
        (TABLES["edges"] | {"sigma": 2.0}, "inputs.sigma: 2.0; the model's file should say two numbers"),
        (TABLES["edges"] | {"sigma": [1.0, 900.0]}, "inputs.sigma: 900.0"),
        (TABLES["edges"] | {"thickness": [1.0, None]}, "inputs.thickness: None"),
        (TABLES["edges"] | {"detail": -1}, "inputs.detail: -1"),
    ],
    ids=str,
)
def test_a_description_from_anywhere_is_checked(table: dict[str, Any], message: str) -> None:
    with pytest.raises(ArtgenError) as caught:
        prepare_input(picture(16, 16), table)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("sigma", "thickness"), [(0.5, 1.0), (1.5, 2.0), (6.0, 7.5)])
def test_outlines_of_a_large_picture_are_found_by_strips(sigma: float, thickness: float) -> None:
    image = resize(picture(24, 20), (230, 170)).clamp(0, 1)
    untiled = draw_outlines(image, sigma, thickness, 0.6)
    assert 0.01 < float((1 - untiled).mean()) < 0.8
    assert torch.equal(draw_outlines(image, sigma, thickness, 0.6, max_strip_pixels=170 * 31), untiled)
