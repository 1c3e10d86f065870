"""Style transfer by a network: several styles, masks, and what is preserved."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from artgen.errors import ArtgenError
from artgen.imaging.image import luminance
from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference.translating import translate_image
from artgen.style.net import stylize_by_network
from artgen.style.progress import StyleProgress
from artgen.style.request import StyleRequest

FIRST, SECOND = [1.0, 0.0], [0.0, 1.0]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two styles that differ, never trained."""
    generator = torch.Generator().manual_seed(2)
    network = FastStyleNet(FastStyleNetConfig(width=4, blocks=1, styles=2))
    for parameter in network.parameters():
        nn.init.normal_(parameter, 1.0 if parameter.ndim == 2 else 0.0, 0.3, generator=generator)
    model_file = tmp_path_factory.mktemp("model") / "two.safetensors"
    save_model(model_file, network, {"styles": json.dumps([{"name": "a"}, {"name": "b"}])})
    return model_file


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
    painted = paint(content, model, [FIRST, SECOND], masks=halves())
    first, second = (translate_image(content, model, style_shares=style) for style in (FIRST, SECOND))
    assert (first - second).abs().mean() > 0.02
    assert torch.allclose(painted[..., :30], first[..., :30], atol=1e-5)
    assert torch.allclose(painted[..., 30:], second[..., 30:], atol=1e-5)


def test_masks_that_overlap_blend_and_where_none_is_the_content_stays(model: Path) -> None:
    content, masks = picture(), halves()
    masks[0, :, :10] = 0
    masks[1, :, :10] = 0
    masks[1, :, 30:] = 1
    painted = paint(content, model, [FIRST, SECOND], masks=masks, style_weights=[3, 1])
    first, second = (translate_image(content, model, style_shares=style) for style in (FIRST, SECOND))
    assert torch.equal(painted[:, :10], content[:, :10])
    expected = 0.75 * first[:, 30:, :30] + 0.25 * second[:, 30:, :30]
    assert torch.allclose(painted[:, 30:, :30], expected, atol=1e-5)


def test_one_mask_is_for_all_and_weights_mix(model: Path) -> None:
    content = picture()
    mixed = translate_image(content, model, style_shares=[0.25, 0.75])
    assert torch.allclose(paint(content, model, [FIRST, SECOND], style_weights=[1, 3]), mixed, atol=1e-5)
    painted = paint(content, model, [FIRST, SECOND], style_weights=[1, 3], masks=halves()[:1] * 0.5)
    assert torch.allclose(painted[..., :30], content[..., :30].lerp(mixed[..., :30], 0.5), atol=1e-5)
    assert torch.equal(painted[..., 30:], content[..., 30:])


def test_luminance_is_kept_and_colour_is_not(model: Path) -> None:
    content = picture() * 0.4 + 0.3
    painted = paint(content, model, [FIRST], preserve="luminance")
    assert torch.allclose(luminance(painted), luminance(content), atol=1e-3)
    assert (painted - content).abs().mean() > 0.02


@pytest.mark.slow
def test_faces_stay_as_much_as_asked_for(model: Path) -> None:
    from skimage import data

    content = torch.from_numpy(data.astronaut()[:256, 100:356].copy()).permute(2, 0, 1) / 255
    plain, half, full = (paint(content, model, [FIRST], face_protection=faces) for faces in (0, 0.5, 1))
    face = (slice(None), slice(70, 140), slice(100, 150))
    differences = [float((painted[face] - content[face]).abs().mean()) for painted in (plain, half, full)]
    assert differences[1] == pytest.approx(differences[0] / 2, rel=0.1)
    assert differences[2] < differences[0] / 10
    assert torch.allclose(plain[:, 200:, :40], full[:, 200:, :40], atol=1e-3)


def test_what_was_there_stays_where_it_is_nearly_the_same(model: Path) -> None:
    content = picture()
    painted = paint(content, model, [FIRST])
    flicker = painted + 0.02 * torch.randn(painted.shape, generator=torch.Generator().manual_seed(3))
    changed = flicker.clone()
    changed[..., 40:] = 1 - painted[..., 40:].round()
    result = paint(content, model, [FIRST], start_image=changed)
    unchanged_area = (slice(None), slice(None), slice(0, 30))
    assert (result - changed)[unchanged_area].abs().mean() < (painted - changed)[
        unchanged_area
    ].abs().mean() / 3
    assert torch.allclose(result[..., 48:], painted[..., 48:], atol=0.02)


def test_reports_go_on_from_style_to_style_and_show_the_picture(model: Path) -> None:
    reports: list[StyleProgress] = []
    painted = paint(
        picture(), model, [FIRST, SECOND], masks=halves(), strength=1.5, on_progress=reports.append
    )
    assert all(a.fraction <= b.fraction + 1e-9 for a, b in pairwise(reports))
    assert reports[-1].fraction == pytest.approx(1)
    assert {report.stage for report in reports} == {"pass 1 of 2", "pass 2 of 2"}
    images = [report.image for report in reports if report.image is not None]
    assert len(images) == 4
    assert images[-1].shape == painted.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"strength": 5}, "strength"),
        ({"style_weights": [1, -1]}, "weights"),
        ({"masks": torch.ones(3, 1, 4, 4)}, "masks"),
        ({"face_protection": 2}, "faces"),
        ({"preserve": "tone"}, "preserve"),
    ],
)
def test_what_no_method_could_paint(model: Path, arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArtgenError, match=message):
        paint(picture(), model, [FIRST, SECOND], **arguments)
