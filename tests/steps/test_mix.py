from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from artgen.imaging.io.files import write_png
from artgen.steps import StepContext
from artgen.steps.mix import MixStep


def context(folder: Path, candidate: int = 1, step: str = "mix") -> StepContext:
    return StepContext(2017, candidate, step, folder, "cpu", False, lambda fraction: None)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    for name, value in (("dark", 0.1), ("light", 0.9)):
        write_png(tmp_path / f"{name}.png", torch.full((3, 30, 50), value), {})
    return tmp_path


def picture(height: int, width: int) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mode", ["blend", "regions", "halves"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (64, 48), (33, 200)])
def test_an_image_stays_its_size(
    others: Path, mode: Literal["blend", "regions", "halves"], shape: tuple[int, int]
) -> None:
    image = picture(*shape)
    before = image.clone()
    step = MixStep(images=["*.png"], mode=mode, colours=0.5)
    out = step.apply(image, context(others))
    assert out.shape == image.shape
    assert out.dtype == torch.float32
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(image, before)
    assert torch.equal(out, step.apply(image, context(others)))


@pytest.mark.parametrize("mode", ["blend", "regions", "halves"])
def test_the_amount_is_the_others_share(others: Path, mode: Literal["blend", "regions", "halves"]) -> None:
    image = torch.zeros(3, 60, 80)
    for amount in (0.0, 0.25, 0.7, 1.0):
        out = MixStep(images=["light.png"], mode=mode, amount=amount).apply(image, context(others))
        assert float(out.mean()) == pytest.approx(0.9 * amount, abs=0.03)
    assert torch.equal(
        MixStep(images=["light.png"], mode=mode, amount=0.0).apply(image, context(others)), image
    )


def test_each_candidate_and_each_step_draws_its_own(others: Path) -> None:
    image = picture(24, 24)
    step = MixStep(images=["*.png"])
    made = [step.apply(image, context(others, candidate)) for candidate in range(1, 9)]
    assert len({float(out.mean()) > 0.5 for out in made}) == 2  # now the dark one, now the light one
    assert not torch.equal(made[0], step.apply(image, context(others, step="again")))
    assert not torch.equal(made[0], step.apply(image, replace(context(others), seed=3)))


def test_the_other_is_cut_not_bent(tmp_path: Path) -> None:
    wide = torch.zeros(3, 20, 60)
    wide[0, :, 20:40] = 1.0
    write_png(tmp_path / "wide.png", wide, {})
    out = MixStep(images=["wide.png"], amount=1.0).apply(picture(20, 20), context(tmp_path))
    assert float(out[0].mean()) == pytest.approx(1.0, abs=0.01)


def test_the_other_takes_on_the_colours(others: Path) -> None:
    red = torch.zeros(3, 16, 16)
    red[0] = 0.3 + 0.3 * picture(16, 16)[0]
    grey = MixStep(images=["light.png"], amount=1.0).apply(red, context(others))
    taken = MixStep(images=["light.png"], amount=1.0, colours=1.0).apply(red, context(others))
    assert float((grey[0] - grey[1]).mean()) == pytest.approx(0, abs=0.01)
    assert float((taken[0] - taken[1]).mean()) > 0.2
