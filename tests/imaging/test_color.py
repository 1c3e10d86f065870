import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from artgen.imaging import color

PRIMARIES = torch.tensor(
    [[0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1], [0.5, 0.5, 0.5]]
).T.reshape(3, 3, 3)


def pictures(seed: int) -> Tensor:
    noise = torch.rand(3, 7, 9, generator=torch.Generator().manual_seed(seed))
    return torch.cat([noise.flatten(1), PRIMARIES.flatten(1)], 1)[:, None]


def hue(linear: Tensor) -> Tensor:
    lab = color.to_oklab(linear)
    return torch.atan2(lab[2], lab[1])


def test_srgb_there_and_back() -> None:
    levels = (torch.arange(256) / 255).expand(3, 1, 256)
    linear = color.to_linear(levels)
    assert linear[0, 0, 128] == pytest.approx(0.21586, abs=1e-5)
    assert torch.allclose(color.to_srgb(linear), levels, atol=1e-6)


def test_oklab_of_known_colours() -> None:
    lab = color.to_oklab(PRIMARIES)
    assert torch.allclose(lab[:, 0, 1], torch.tensor([1.0, 0, 0]), atol=1e-4)
    assert torch.allclose(lab[:, 0, 2], torch.tensor([0.62796, 0.22486, 0.12585]), atol=1e-4)
    assert torch.allclose(color.from_oklab(lab), PRIMARIES, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    stops=st.floats(-3, 3),
    warmth=st.floats(-1, 1),
    contrast=st.floats(-1, 1),
    saturation=st.floats(0, 2),
    ends=st.tuples(st.floats(0, 0.4), st.floats(0.6, 1), st.floats(0, 1)),
)
def test_the_darkroom_stays_in_the_gamut(
    seed: int, stops: float, warmth: float, contrast: float, saturation: float, ends: tuple
) -> None:
    linear = color.adjust_exposure(color.to_linear(pictures(seed)), stops)
    linear = color.adjust_levels(color.adjust_warmth(linear, warmth), *ends)
    linear = color.desaturate_into_gamut(
        color.adjust_saturation(color.adjust_contrast(linear, contrast), saturation)
    )
    assert torch.isfinite(linear).all()
    assert linear.min() >= -1e-4
    assert linear.max() <= 1 + 1e-4


def test_defaults_change_nothing() -> None:
    image = color.to_linear(pictures(1))
    for same in (
        color.adjust_exposure(image, 0),
        color.adjust_warmth(image, 0),
        color.adjust_levels(image, 0, 1, 0),
        color.adjust_contrast(image, 0),
        color.adjust_saturation(image, 1),
        color.desaturate_into_gamut(image),
    ):
        assert torch.allclose(same, image, atol=1e-6)


def test_saturation_keeps_light_and_hue_and_spares_strong_colours() -> None:
    image = color.to_linear(pictures(2))
    for amount in (0.3, 2.0):
        changed = color.adjust_saturation(image, amount)
        assert torch.allclose(color.relative_luminance(changed), color.relative_luminance(image), atol=1e-5)
    pale = torch.tensor([0.5, 0.45, 0.42]).view(3, 1, 1)
    strong = torch.tensor([0.5, 0.02, 0.01]).view(3, 1, 1)
    gains = [float(color.adjust_saturation(c, 2).std() / c.std()) for c in (pale, strong)]
    assert gains[0] > 1.6
    assert gains[1] < 1.1
    assert float(color.adjust_saturation(pale, 0).std()) < 1e-6


def test_contrast_keeps_black_white_and_middle_grey() -> None:
    greys = torch.tensor([0.0, 0.05, 0.18, 0.6, 1.0]).expand(3, 1, 5)
    stronger = color.adjust_contrast(greys, 0.8)[0, 0]
    assert torch.allclose(stronger[[0, 2, 4]], greys[0, 0, [0, 2, 4]], atol=1e-3)
    assert stronger[1] < 0.05
    assert stronger[3] > 0.6
    matte = color.adjust_contrast(greys, -0.8)[0, 0]
    assert matte[0] > 0.005
    assert matte[4] < 0.9
    ramp = torch.linspace(0, 1, 500).expand(3, 1, 500)
    for amount in (-1.0, -0.3, 0.3, 1.0):
        assert (color.adjust_contrast(ramp, amount)[0, 0].diff() > -1e-5).all()


def test_warmth_moves_white_to_amber_or_blue_at_the_same_light() -> None:
    grey = torch.full((3, 1, 1), 0.4)
    red, _, blue = color.adjust_warmth(grey, 1).flatten()
    assert red > 0.43
    assert blue < 0.32
    red, _, blue = color.adjust_warmth(grey, -1).flatten()
    assert red < 0.38
    assert blue > 0.47
    for amount in (-1.0, 1.0):
        assert float(color.relative_luminance(color.adjust_warmth(grey, amount))) == pytest.approx(
            0.4, abs=1e-5
        )


def test_levels_and_stretch() -> None:
    flat = color.to_linear(torch.linspace(0.3, 0.7, 1000).expand(3, 1, 1000))
    assert float(color.adjust_levels(flat, 0.4, 1, 0).min()) == 0
    assert float(color.adjust_levels(flat, 0, 0.6, 0).max()) == pytest.approx(1)
    stretched = color.to_srgb(color.adjust_levels(flat, 0, 1, 1))
    assert float(stretched.min()) < 0.03
    assert float(stretched.max()) > 0.99


def test_match_palette_gives_the_mean_and_covariance_asked_for() -> None:
    image = torch.rand(3, 20, 20, generator=torch.Generator().manual_seed(3))
    other = torch.rand(3, 30, 10, generator=torch.Generator().manual_seed(4)) * torch.tensor(
        [1.0, 0.3, 0.1]
    ).view(3, 1, 1)
    mean, covariance = color.colour_statistics(
        color.match_colour_statistics(image, *color.colour_statistics(other))
    )
    wanted_mean, wanted_covariance = color.colour_statistics(other)
    assert torch.allclose(mean, wanted_mean, atol=1e-4)
    assert torch.allclose(covariance, wanted_covariance, atol=1e-4)
    assert torch.allclose(
        color.match_colour_statistics(image, *color.colour_statistics(image)), image, atol=1e-3
    )


def test_functions_leave_their_argument_alone() -> None:
    image = pictures(5)
    before = image.clone()
    color.adjust_exposure(image, 1)
    color.adjust_warmth(image, 1)
    color.adjust_levels(image, 0.1, 0.9, 1)
    color.adjust_contrast(image, 1)
    color.adjust_saturation(image, 2)
    assert torch.equal(image, before)
