import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from artgen.imaging.tiles.noise import anchored_noise

WHOLE = anchored_noise(11, 2, -40, -40, 200, 240)


@given(
    top=st.integers(-40, 120), left=st.integers(-40, 160), height=st.integers(1, 40), width=st.integers(1, 40)
)
@settings(max_examples=60, deadline=None)
def test_any_window_shows_the_same_plane(top: int, left: int, height: int, width: int) -> None:
    window = anchored_noise(11, 2, top, left, height, width)
    assert torch.equal(window, WHOLE[:, top + 40 : top + 40 + height, left + 40 : left + 40 + width])


def test_it_is_standard_normal_and_uncorrelated() -> None:
    noise = anchored_noise(5, 2, 0, 0, 512, 512).double()
    assert abs(float(noise.mean())) < 0.005
    assert abs(float(noise.std()) - 1) < 0.005
    assert abs(float((noise**4).mean()) - 3) < 0.06
    first, second = noise
    for a, b in ((first[:, 1:], first[:, :-1]), (first[1:], first[:-1]), (first, second)):
        assert abs(float((a * b).mean())) < 0.008


def test_keys_are_independent() -> None:
    a, b = anchored_noise(1, 1, 0, 0, 256, 256), anchored_noise(2, 1, 0, 0, 256, 256)
    assert abs(float((a * b).mean())) < 0.015
