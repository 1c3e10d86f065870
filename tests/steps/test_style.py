"""The step ``style``: what all its methods share, and what only some of them have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from artgen.errors import ArtgenError, ValidationErrors
from artgen.imaging.image import luminance, resize_longer_side
from artgen.imaging.io.files import read_image, write_png
from artgen.recipe import load_recipe
from artgen.steps.base import StepContext
from artgen.steps.style import StyleStep
from artgen.style.library import painting_credit


@pytest.fixture(autouse=True)
def _no_weights_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARTGEN_MODELS", str(tmp_path / "models"))


def context(folder: Path, preview: bool = True) -> StepContext:
    return StepContext(1, 1, "style", folder, "cpu", preview, lambda fraction: None)


def picture(seed: int, height: int = 60, width: int = 80) -> Tensor:
    coarse = torch.rand(3, 5, 6, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse[None], (height, width), mode="bicubic")[0].clamp(0, 1)


def load_errors(folder: Path, lines: str) -> str:
    recipe = folder / "recipe.toml"
    recipe.write_text(
        'title = "T"\nseed = 1\ncandidates = 1\n[source]\nuse = "photos"\nimages = "builtin:textures"\n'
        f'[[steps]]\nuse = "style"\n{lines}\n'
    )
    try:
        load_recipe(recipe)
    except ValidationErrors as found:
        return "\n".join(str(problem) for problem in found.errors)
    return ""


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('method = "vgg"', "artgen models pull vgg19"),
        ('method = "vgg"\nfeatures = "vgg91"', "did you mean 'vgg19'"),
        ("iterations = 10", 'only method = "vgg" has `iterations`'),
        ('method = "net"\nstyle = "great-wave"\nloss = "gram"', 'only method = "vgg" has `loss`'),
        ('method = { choice = ["patch", "vgg"] }\npreset = "bold"', "no preset of method"),
        ('preset = "crowsonkb"', "one of bold, balanced, faithful, dream"),
        ('preset = "ballanced"', "balanced"),
        ('weights = [1]\nstyle = ["builtin:great-wave", "builtin:the-kiss"]', "2 numbers"),
        ("weights = [0]", "not all of them 0"),
        ('mask = ["a.png", "b.png"]', "mask"),
        ('style = "nothing/"', "no file"),
        ("faces = 2", "faces"),
    ],
)
def test_mistakes_are_told_before_anything_runs(tmp_path: Path, lines: str, says: str) -> None:
    assert says in load_errors(tmp_path, lines)


def test_what_is_right_is_right(tmp_path: Path) -> None:
    write_png(tmp_path / "mask.png", picture(0), {})
    weights = tmp_path / "own.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}, weights)
    assert not load_errors(
        tmp_path, 'style = ["builtin:the-kiss", "builtin:paintings"]\nmask = "mask.png"\nweights = [2, 1]'
    )
    assert not load_errors(
        tmp_path, 'method = "vgg"\nfeatures = "own.pth"\npreset = "gatys"\nstyle_layers = { relu1_1 = 1 }'
    )
    assert not load_errors(tmp_path, 'method = { choice = ["patch", "net"] }\npreset = "bold"')


def test_a_folder_is_one_style(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for number in range(3):
        write_png(tmp_path / "mine" / f"{number}.png", picture(number), {})
    step = StyleStep(style=["mine", "builtin:great-wave"], weights=[3.0, 1.0])
    names = {file.name for file in step.list_files(tmp_path)}
    assert names == {"great-wave.jpg", "0.png", "1.png", "2.png"}
    assert step.apply(picture(7), context(tmp_path)).shape == (3, 60, 80)


def test_a_mask_of_any_size_says_where(tmp_path: Path) -> None:
    mask = torch.zeros(3, 10, 14)
    mask[..., 7:] = 1
    write_png(tmp_path / "mask.png", mask, {})
    content = picture(3)
    painted = StyleStep(mask=["mask.png"]).apply(content, context(tmp_path))
    assert torch.equal(painted[..., :30], content[..., :30])
    assert float((painted[..., 50:] - content[..., 50:]).abs().mean()) > 0.05


@pytest.mark.parametrize("method", ["patch", "net"])
def test_luminance_is_kept(tmp_path: Path, method: str) -> None:
    content = 0.2 + 0.6 * picture(3)
    step = StyleStep.model_validate({"method": method, "preserve": "luminance"})
    painted = step.apply(content, context(tmp_path))
    assert torch.allclose(luminance(painted), luminance(content), atol=3e-3)


def write_vgg_weights(path: Path) -> Path:
    """VGG-19's first three layers, of random weights."""
    stream = torch.Generator().manual_seed(1)
    state: dict[str, Any] = {}
    for number, (inputs, outputs) in {0: (3, 64), 2: (64, 64), 5: (64, 128)}.items():
        deviation = (2 / (9 * inputs)) ** 0.5
        state[f"features.{number}.weight"] = torch.randn(outputs, inputs, 3, 3, generator=stream) * deviation
        state[f"features.{number}.bias"] = torch.zeros(outputs)
    torch.save(state, path)
    return path


def test_vgg_by_a_file_of_weights(tmp_path: Path) -> None:
    write_vgg_weights(tmp_path / "own.pth")
    step = StyleStep(
        method="vgg", features="own.pth", start="content", iterations=12, style=["builtin:the-scream"]
    )
    assert {file.name for file in step.list_files(tmp_path)} == {"own.pth", "the-scream.jpg"}
    told: list[float | None] = []
    content = resize_longer_side(picture(3), 64)
    quiet = context(tmp_path)
    painted = step.apply(
        content, StepContext(**{**vars(quiet), "on_report": lambda report: told.append(report.loss)})
    )
    losses = [loss for loss in told if loss is not None]
    assert losses[-1] < losses[0]
    wanted = read_image(painting_credit("the-scream").file).mean((1, 2))
    assert float((painted.mean((1, 2)) - wanted).norm()) < float((content.mean((1, 2)) - wanted).norm())


def test_vgg_takes_a_folder_where_each_style_has_a_mask(tmp_path: Path) -> None:
    write_vgg_weights(tmp_path / "own.pth")
    write_png(tmp_path / "mask.png", picture(0), {})
    step = StyleStep(
        method="vgg",
        features="own.pth",
        iterations=2,
        start="content",
        style=["builtin:paintings", "builtin:the-kiss"],
        mask=["mask.png", "mask.png"],
    )
    assert step.apply(resize_longer_side(picture(1), 40), context(tmp_path)).shape == (3, 30, 40)


def test_black_masks_leave_the_picture(tmp_path: Path) -> None:
    write_vgg_weights(tmp_path / "own.pth")
    write_png(tmp_path / "black.png", torch.zeros(3, 8, 8), {})
    content = resize_longer_side(picture(1), 40)
    for fields in ({"method": "patch"}, {"method": "net"}, {"method": "vgg", "iterations": 2}):
        step = StyleStep.model_validate({"mask": "black.png", **fields} | VGG[fields["method"]])
        assert torch.equal(step.apply(content, context(tmp_path)), content)


VGG: dict[Any, dict[str, str]] = {
    "patch": {},
    "net": {},
    "vgg": {"features": "own.pth", "start": "content"},
}


def test_a_layer_of_no_network_is_a_mistake(tmp_path: Path) -> None:
    write_vgg_weights(tmp_path / "own.pth")
    step = StyleStep(method="vgg", features="own.pth", start="content", content_layer="conv4_2")
    with pytest.raises(ArtgenError, match="did you mean 'relu4_2'"):
        step.apply(picture(1), context(tmp_path))
