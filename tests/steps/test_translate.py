"""The step ``translate``: what it checks, and that its fields reach the network."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from artgen.errors import ValidationErrors
from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference.translating import translate_image
from artgen.recipe import load_recipe
from artgen.steps import StepContext
from artgen.steps.translate import TranslateStep


@pytest.fixture
def place(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_model(tmp_path / "unet.safetensors", UNet(UNetConfig(levels=4, width=4)), {})
    styles = FastStyleNet(FastStyleNetConfig(width=4, blocks=1, styles=2))
    with torch.no_grad():
        for name, weight in styles.named_parameters():
            if name.endswith("shift"):
                weight[1] += 1
    said = {"styles": json.dumps([{"name": "wave"}, {"name": "kiss"}])}
    save_model(tmp_path / "styles.safetensors", styles, said)
    return tmp_path


def context(place: Path, preview: bool = False) -> StepContext:
    return StepContext(
        seed=1,
        candidate=1,
        step_id="translate",
        folder=place,
        device="cpu",
        preview=preview,
        on_progress=lambda _: None,
    )


def test_amount_mixes_the_result_with_the_image(place: Path) -> None:
    image = torch.rand(3, 20, 30)
    before = image.clone()
    step = TranslateStep(model="unet.safetensors")
    whole = step.apply(image, context(place))
    assert torch.equal(whole, translate_image(image, place / "unet.safetensors"))
    half = step.model_copy(update={"amount": 0.5}).apply(image, context(place))
    assert torch.allclose(half, (image + whole) / 2, atol=1e-6)
    assert torch.equal(step.model_copy(update={"amount": 0.0}).apply(image, context(place)), image)
    assert torch.equal(image, before)


def test_a_preview_of_a_given_side_is_half_as_large(place: Path) -> None:
    step = TranslateStep(model="unet.safetensors", side=64, amount=0.5)
    image = torch.rand(3, 10, 20)
    assert step.apply(image, context(place)).shape == (3, 32, 64)
    assert step.apply(image, context(place, preview=True)).shape == (3, 16, 32)


def test_styles_by_name_or_as_shares(place: Path) -> None:
    image = torch.rand(3, 24, 24)

    def painted(style: str | list[float] | None) -> torch.Tensor:
        step = TranslateStep(model="styles.safetensors", style=style)
        assert not dict(step.validate_files(place))
        return step.apply(image, context(place))

    assert torch.equal(painted(None), painted("wave"))
    assert torch.equal(painted("kiss"), painted([0, 3]))
    assert not torch.allclose(painted("kiss"), painted("wave"), atol=1e-2)
    assert not torch.allclose(painted([1, 1]), painted("wave"), atol=1e-3)


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        ({"model": "nobody"}, "model", "no model 'nobody'"),
        ({"model": "abstract-8x"}, "model", "upimage is for the step `upscale`"),
        ({"model": "unet.safetensors", "style": "wave"}, "style", "unet has no styles"),
        ({"model": "styles.safetensors", "style": "sea"}, "style", "one of wave, kiss"),
        ({"model": "styles.safetensors", "style": [1.0]}, "style", "a number for each of wave, kiss"),
        ({"model": "styles.safetensors", "style": [0.0, 0.0]}, "style", "not all of them 0"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(
    place: Path, fields: dict[str, object], where: str, says: str
) -> None:
    ((field, error),) = TranslateStep.model_validate(fields).validate_files(place)
    assert field == where
    assert says in f"{error.problem}; {error.expected}"


@pytest.mark.parametrize("style", ["3", '["wave", 1]', "{ choice = [[1, 2], true] }"])
def test_what_is_neither_name_nor_shares_is_one_problem(place: Path, style: str) -> None:
    file = place / "r.toml"
    step = f'[[steps]]\nuse = "translate"\nmodel = "styles.safetensors"\nstyle = {style}\n'
    file.write_text('[source]\nuse = "photos"\n' + step, "utf-8")
    with pytest.raises(ValidationErrors) as wrong:
        load_recipe(file)
    (problem,) = wrong.value.errors
    assert problem.where.startswith(f"{file}:6: steps.translate.style")
    assert problem.expected.startswith("must be a name in quotes, or a list of numbers")


def test_every_style_that_may_be_drawn_is_checked(place: Path) -> None:
    step = TranslateStep.model_validate(
        {"model": "styles.safetensors", "style": {"choice": ["wave", "sea", [0.5, 0.5], [1]]}}
    )
    assert [error.problem for _, error in step.validate_files(place)] == ["'sea'", "[1.0]"]


def test_chance_counts_where_a_model_makes_texture_of_noise(place: Path) -> None:
    """So a stage is kept for one candidate where it must be, and for all where it can be."""
    network = UNet(UNetConfig(levels=3, width=4, inputs=1))
    table = json.dumps({"use": "learning-to-see", "factor": 4, "grey": True, "grain": 0.2})
    save_model(place / "sea.safetensors", network, {"inputs": table})
    image = torch.rand(3, 16, 16)

    def painted(model: str, candidate: int, noise: float = 1.0) -> torch.Tensor:
        step = TranslateStep(model=model, noise=noise)
        return step.apply(image, dataclasses.replace(context(place), candidate=candidate))

    assert TranslateStep(model="sea.safetensors").depends_on_chance(place)
    assert not torch.equal(painted("sea.safetensors", 1), painted("sea.safetensors", 2))
    assert torch.equal(painted("sea.safetensors", 1), painted("sea.safetensors", 1))
    assert not TranslateStep(model="sea.safetensors", noise=0.0).depends_on_chance(place)
    assert torch.equal(painted("sea.safetensors", 1, 0.0), painted("sea.safetensors", 2, 0.0))
    assert not TranslateStep(model="unet.safetensors").depends_on_chance(place)
    assert torch.equal(painted("unet.safetensors", 1), painted("unet.safetensors", 2))
