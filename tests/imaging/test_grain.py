import pytest
import torch

from artgen.imaging.grain import add_grain
from artgen.seeds import torch_generator


def grey(tone: float, side: int = 256) -> torch.Tensor:
    return torch.full((3, side, side), tone)


def test_most_in_the_middle_none_in_black_and_white() -> None:
    spread = {
        t: float(add_grain(grey(t), 1, 1.2, 0, torch_generator(1)).std()) for t in (0, 0.1, 0.45, 0.9, 1)
    }
    assert spread[0] == spread[1] == 0
    assert spread[0.45] == pytest.approx(0.1, rel=0.1)
    assert spread[0.1] < spread[0.45] > spread[0.9] > 0.03


def test_amount_and_mean() -> None:
    for amount in (0.1, 0.5):
        image = add_grain(grey(0.5), amount, 1.5, 0.3, torch_generator(2))
        assert float(image.std()) == pytest.approx(0.1 * amount, rel=0.12)
        assert float(image.mean()) == pytest.approx(0.5, abs=0.005)


def test_grains_have_a_size_and_no_direction() -> None:
    def neighbours(size: float, axis: int) -> float:
        image = add_grain(grey(0.5), 0.5, size, 0, torch_generator(3))[0] - 0.5
        return float((image * image.roll(1, axis)).mean() / (image * image).mean())

    assert neighbours(0.5, 0) < 0.6 < neighbours(3, 0)
    assert neighbours(1.2, 0) == pytest.approx(neighbours(1.2, 1), abs=0.03)


def test_colour_of_the_grain() -> None:
    silver = add_grain(grey(0.5), 0.5, 1.2, 0, torch_generator(4))
    assert torch.equal(silver[0], silver[1])
    dyes = add_grain(grey(0.5), 0.5, 1.2, 1, torch_generator(4)).flatten(1)
    assert float(torch.corrcoef(dyes)[0, 1].abs()) < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (5, 400)])
def test_any_shape_and_the_same_stream_again(shape: tuple[int, int]) -> None:
    image = torch.full((3, *shape), 0.4)
    first, again = (add_grain(image, 1, 16, 0.5, torch_generator(5)) for _ in range(2))
    assert torch.equal(first, again)
    assert first.shape == image.shape
    assert torch.isfinite(first).all()
    assert torch.equal(add_grain(image, 0, 1, 0.5, torch_generator(5)), image)
