"""What every step promises, and the small ones in detail."""

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.io.files import write_png
from artgen.steps import SOURCES, STEPS, Step, StepContext
from artgen.steps.crop import CropStep
from artgen.steps.grade import GradeStep
from artgen.steps.grain import GrainStep
from artgen.steps.style import StyleStep
from artgen.steps.upscale import UpscaleStep


def context(folder: Path = Path(), candidate: int = 1, step: str = "step") -> StepContext:
    return StepContext(2017, candidate, step, folder, "cpu", False, lambda fraction: None)


def picture(height: int = 12, width: int = 18) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    "part",
    [*SOURCES.builtin_classes.values(), *STEPS.builtin_classes.values()],
    ids=lambda part: part.__name__,
)
def test_every_field_is_explained(part: Any) -> None:
    assert inspect.getdoc(part)
    assert all(field.description for name, field in part.model_fields.items() if name != "use")


def test_names_agree() -> None:
    for known in (SOURCES.builtin_classes, STEPS.builtin_classes):
        assert all(part.model_fields["use"].default == use for use, part in known.items())


@pytest.mark.parametrize(
    "step",
    [
        GradeStep(contrast=0.5, warmth=-1, stretch=1),
        GrainStep(amount=1),
        CropStep(fraction=0.3),
        GradeStep(),
        GrainStep(amount=0),
    ],
    ids=lambda step: step.use,
)
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (12, 18)])
def test_an_image_in_an_image_out(step: Step, shape: tuple[int, int]) -> None:
    image = picture(*shape)
    before = image.clone()
    out = step.apply(image, context())
    assert out.dtype == torch.float32
    assert out.shape[0] == 3
    assert out.min() >= 0
    assert out.max() <= 1
    assert torch.equal(image, before)


def test_grade_at_its_defaults_changes_nothing() -> None:
    image = picture()
    assert torch.allclose(GradeStep().apply(image, context()), image, atol=1e-6)


def test_grain_follows_its_own_stream() -> None:
    image = torch.full((3, 32, 32), 0.5)
    first = GrainStep().apply(image, context())
    assert torch.equal(first, GrainStep().apply(image, context()))
    for other in (context(candidate=2), context(step="dust"), replace(context(), seed=1)):
        assert not torch.equal(first, GrainStep().apply(image, other))


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({}, (120, 180)),
        ({"fraction": 0.5}, (60, 90)),
        ({"aspect": "1:1"}, (120, 120)),
        ({"aspect": "2:1"}, (90, 180)),
        ({"aspect": "1:3"}, (120, 40)),
        ({"aspect": "3:2"}, (120, 180)),
        ({"aspect": "1:1", "fraction": 0.5}, (60, 60)),
        ({"aspect": "9999:1"}, (1, 180)),
        ({"aspect": "1.5:1"}, (120, 180)),
    ],
)
def test_crop_sizes(fields: dict[str, Any], size: tuple[int, int]) -> None:
    assert CropStep(**fields).apply(picture(120, 180), context()).shape[1:] == size


def test_crop_places() -> None:
    image = picture()
    for x, y, rows, columns in ((0, 0, slice(0, 6), slice(0, 9)), (1, 1, slice(6, 12), slice(9, 18))):
        assert torch.equal(CropStep(fraction=0.5, x=x, y=y).apply(image, context()), image[:, rows, columns])
    assert torch.equal(CropStep(fraction=0.5).apply(image, context()), image[:, 3:9, 4:13])


def test_style_files_and_work(tmp_path: Path) -> None:
    write_png(tmp_path / "own.png", picture(40, 40), {})
    step = StyleStep(style=["own.png", "builtin:great-wave"], preset="dream", side=32)
    assert [path.name for path in step.list_files(tmp_path)].count("own.png") == 1
    assert len(step.list_files(tmp_path)) == 2
    quick = replace(context(tmp_path), preview=True)
    assert StyleStep(style=["own.png"], side=40).apply(picture(), quick).shape == (3, 13, 20)
    assert StyleStep(style=["own.png"]).apply(picture(), quick).shape == (3, 12, 18)
    with pytest.raises(ArtgenError):
        StyleStep(style=["builtin:nobody"]).list_files(tmp_path)


def test_upscale_says_what_its_model_cannot(tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    found = dict(UpscaleStep(model="broken.safetensors", scale=4).validate_files(tmp_path))
    assert "not a safetensors file" in found["model"].problem
    header = b'{"__metadata__": {"architecture": "upimage", "config": "{\\"widths\\": [8, 8]}"}}'
    (tmp_path / "four.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    assert not dict(UpscaleStep(model="four.safetensors", scale=4).validate_files(tmp_path))
    found = dict(UpscaleStep(model="four.safetensors", scale=5).validate_files(tmp_path))
    assert "up to 4 times" in found["scale"].expected
    assert "model" in dict(UpscaleStep(model="nobody").validate_files(tmp_path))
