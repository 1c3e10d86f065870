"""Painting by a network that holds the styles: several of them, beside one another, and what is kept."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance
from artgen.models.architectures.faststyle import FastStyle, FastStyleConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference.translating import translate
from artgen.style.net import stylize_by_network
from artgen.style.progress import Report
from artgen.style.request import StyleRequest

FIRST, SECOND = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two styles that differ, never trained."""
    chance = torch.Generator().manual_seed(2)
    network = FastStyle(FastStyleConfig(width=4, blocks=1, styles=2))
    for parameter in network.parameters():
        nn.init.normal_(parameter, 1.0 if parameter.ndim == 2 else 0.0, 0.3, generator=chance)
    file = tmp_path_factory.mktemp("model") / "two.safetensors"
    save_model(file, network, {"styles": json.dumps([{"name": "a"}, {"name": "b"}])})
    return file


def picture(height: int = 40, width: int = 60, seed: int = 1) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(seed))


def paint(content: Tensor, model: Path, styles: list[list[float]], **request: Any) -> Tensor:
    return stylize_by_network(content, styles, StyleRequest(seed=0, **request), model)


def halves(height: int = 40, width: int = 60) -> Tensor:
    left = torch.zeros(1, height, width)
    left[..., : width // 2] = 1
    return torch.stack([left, 1 - left])


def test_each_style_paints_where_its_mask_is(model: Path) -> None:
    content = picture()
    made = paint(content, model, [FIRST, SECOND], masks=halves())
    first, second = (translate(content, model, styles=style) for style in (FIRST, SECOND))
    assert (first - second).abs().mean() > 0.02
    assert torch.allclose(made[..., :30], first[..., :30], atol=1e-5)
    assert torch.allclose(made[..., 30:], second[..., 30:], atol=1e-5)


def test_masks_that_overlap_blend_and_where_none_is_the_content_stays(model: Path) -> None:
    content, masks = picture(), halves()
    masks[0, :, :10] = 0
    masks[1, :, :10] = 0
    masks[1, :, 30:] = 1
    made = paint(content, model, [FIRST, SECOND], masks=masks, weights=[3, 1])
    first, second = (translate(content, model, styles=style) for style in (FIRST, SECOND))
    assert torch.equal(made[:, :10], content[:, :10])
    wanted = 0.75 * first[:, 30:, :30] + 0.25 * second[:, 30:, :30]
    assert torch.allclose(made[:, 30:, :30], wanted, atol=1e-5)


def test_one_mask_is_for_all_and_weights_mix(model: Path) -> None:
    content = picture()
    mixed = translate(content, model, styles=[0.25, 0.75])
    assert torch.allclose(paint(content, model, [FIRST, SECOND], weights=[1, 3]), mixed, atol=1e-5)
    made = paint(content, model, [FIRST, SECOND], weights=[1, 3], masks=halves()[:1] * 0.5)
    assert torch.allclose(made[..., :30], content[..., :30].lerp(mixed[..., :30], 0.5), atol=1e-5)
    assert torch.equal(made[..., 30:], content[..., 30:])


def test_luminance_is_kept_and_colour_is_not(model: Path) -> None:
    content = picture() * 0.4 + 0.3
    made = paint(content, model, [FIRST], preserve="luminance")
    assert torch.allclose(luminance(made), luminance(content), atol=1e-3)
    assert (made - content).abs().mean() > 0.02


@pytest.mark.slow
def test_faces_stay_as_much_as_asked_for(model: Path) -> None:
    from skimage import data

    content = torch.from_numpy(data.astronaut()[:256, 100:356].copy()).permute(2, 0, 1) / 255
    plain, half, whole = (paint(content, model, [FIRST], faces=faces) for faces in (0, 0.5, 1))
    face = (slice(None), slice(70, 140), slice(100, 150))
    away = [float((made[face] - content[face]).abs().mean()) for made in (plain, half, whole)]
    assert away[1] == pytest.approx(away[0] / 2, rel=0.1)
    assert away[2] < away[0] / 10
    assert torch.allclose(plain[:, 200:, :40], whole[:, 200:, :40], atol=1e-3)


def test_what_was_there_stays_where_it_is_nearly_the_same(model: Path) -> None:
    content = picture()
    painted = paint(content, model, [FIRST])
    flicker = painted + 0.02 * torch.randn(painted.shape, generator=torch.Generator().manual_seed(3))
    changed = flicker.clone()
    changed[..., 40:] = 1 - painted[..., 40:].round()
    made = paint(content, model, [FIRST], start=changed)
    calm = (slice(None), slice(None), slice(0, 30))
    assert (made - changed)[calm].abs().mean() < (painted - changed)[calm].abs().mean() / 3
    assert torch.allclose(made[..., 48:], painted[..., 48:], atol=0.02)


def test_reports_go_on_from_style_to_style_and_show_the_picture(model: Path) -> None:
    told: list[Report] = []
    made = paint(picture(), model, [FIRST, SECOND], masks=halves(), strength=1.5, watch=told.append)
    assert all(a.done <= b.done + 1e-9 for a, b in pairwise(told))
    assert told[-1].done == pytest.approx(1)
    assert {report.stage for report in told} == {"pass 1 of 2", "pass 2 of 2"}
    shown = [report.picture for report in told if report.picture is not None]
    assert len(shown) == 4
    assert shown[-1].shape == made.shape


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"strength": 5}, "strength"),
        ({"weights": [1, -1]}, "weights"),
        ({"masks": torch.ones(3, 1, 4, 4)}, "masks"),
        ({"faces": 2}, "faces"),
        ({"preserve": "tone"}, "preserve"),
    ],
)
def test_what_no_method_could_paint(model: Path, wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ArtgenError, match=says):
        paint(picture(), model, [FIRST, SECOND], **wrong)
