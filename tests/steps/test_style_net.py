"""The step ``style`` by a trained network: what it checks, and that its fields reach the pixels."""

import json
import math
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from artgen.errors import ValidationErrors
from artgen.imaging.image import luminance, resize
from artgen.imaging.io.files import write_png
from artgen.models.architectures.faststyle import FastStyleNet, FastStyleNetConfig
from artgen.models.architectures.unet import UNet, UNetConfig
from artgen.models.files.checkpoint import save_model
from artgen.models.inference.translating import translate_image
from artgen.recipe import load_recipe
from artgen.steps import StepContext
from artgen.steps.style import StyleStep

NAMES = ("great-wave", "the-kiss", "own")
MODEL = "painter.safetensors"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a network of three styles, which was never trained, and a U-Net."""
    folder = tmp_path_factory.mktemp("style")
    torch.manual_seed(0)
    network = FastStyleNet(FastStyleNetConfig(width=4, blocks=1, styles=len(NAMES)))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith(("scale", "shift")):
                weight += 0.5 * torch.randn(weight.shape)
    said = {"styles": json.dumps([{"name": name} for name in NAMES])}
    save_model(folder / MODEL, network, said)
    save_model(folder / "unet.safetensors", UNet(UNetConfig(levels=4, width=4)), {})
    write_png(folder / "own.png", torch.rand(3, 24, 24), {})
    return folder


def context(place: Path) -> StepContext:
    return StepContext(1, 1, "style", place, "cpu", False, lambda fraction: None)


def picture(height: int = 24, width: int = 36) -> Tensor:
    return torch.rand(3, height, width, generator=torch.Generator().manual_seed(1))


def painted(place: Path, image: Tensor, **fields: Any) -> Tensor:
    step = StyleStep.model_validate({"method": "net", "model": MODEL, "style": "the-kiss", **fields})
    assert not list(step.validate_files(place))
    before = image.clone()
    result = step.apply(image, context(place))
    assert torch.equal(image, before)
    return result


def load_errors(place: Path, text: str) -> list[str]:
    file = place / "recipe.toml"
    file.write_text('[source]\nuse = "crops"\n[[steps]]\nuse = "style"\n' + text, "utf-8")
    try:
        load_recipe(file)
    except ValidationErrors as found:
        return [str(problem) for problem in found.errors]
    return []


def test_a_style_by_name_by_builtin_or_by_the_file_it_was_learned_from(place: Path) -> None:
    image = picture()
    kiss = painted(place, image)
    assert torch.equal(kiss, translate_image(image, place / MODEL, style_shares=[0, 1, 0]))
    assert torch.equal(kiss, painted(place, image, style="builtin:the-kiss"))
    assert (painted(place, image, style="own.png") - kiss).abs().mean() > 0.01
    assert torch.equal(painted(place, image, style="own.png"), painted(place, image, style=["own"]))


def test_several_styles_have_equal_shares(place: Path) -> None:
    image = picture()
    both = painted(place, image, style=["own", "builtin:the-kiss"])
    assert torch.equal(both, translate_image(image, place / MODEL, style_shares=[0, 1, 1]))
    twice = painted(place, image, style=["own", "the-kiss", "own"])
    assert torch.allclose(twice, translate_image(image, place / MODEL, style_shares=[0, 1, 2]), atol=1e-6)


@settings(max_examples=8, deadline=None)
@given(strength=st.floats(0, 4))
def test_strength_blends_within_one_pass_and_paints_again_beyond(place: Path, strength: float) -> None:
    image = picture()
    passes = [image]
    for _ in range(4):
        passes.append(translate_image(passes[-1], place / MODEL, style_shares=[0, 1, 0]))
    below = min(3, math.floor(strength))
    wanted = passes[below].lerp(passes[below + 1], strength - below)
    assert torch.allclose(painted(place, image, strength=strength), wanted, atol=1e-6)


def test_colour_is_kept_and_brightness_is_not(place: Path) -> None:
    image = picture() * 0.4 + 0.3
    plain, kept = painted(place, image), painted(place, image, preserve="colour")
    assert torch.allclose(luminance(kept), luminance(plain), atol=1e-3)
    chroma = [each - luminance(each) for each in (image, plain, kept)]
    alike = [torch.cosine_similarity(chroma[0], each, dim=0).mean() for each in chroma[1:]]
    assert alike[1] > 0.99 > alike[0]


@settings(max_examples=10, deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    scale=st.floats(0.5, 4),
    preserve=st.sampled_from(["none", "colour"]),
)
def test_any_picture_keeps_its_size(
    place: Path, height: int, width: int, scale: float, preserve: str
) -> None:
    out = painted(place, picture(height, width), style_scale=scale, preserve=preserve)
    assert out.shape == (3, height, width)
    assert out.dtype == torch.float32
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


def test_a_larger_scale_has_the_strokes_of_the_reduced_picture_and_the_detail_of_the_whole(
    place: Path,
) -> None:
    def reduced(image: Tensor) -> Tensor:
        return resize(image, (32, 48))

    def detail(image: Tensor) -> Tensor:
        return image - resize(reduced(image), (64, 96))

    def apart(a: Tensor, b: Tensor) -> float:
        return float((a - b).abs().mean())

    image = picture(64, 96)
    whole, larger = painted(place, image), painted(place, image, style_scale=2.66)
    half = translate_image(reduced(image), place / MODEL, style_shares=[0, 1, 0])
    assert apart(reduced(larger), half) < apart(reduced(whole), half) / 2
    assert apart(detail(larger), detail(whole)) < apart(detail(resize(half, (64, 96))), detail(whole)) / 2


def test_side_and_preview(place: Path) -> None:
    step = StyleStep(method="net", model=MODEL, style=["own"], side=64)
    assert step.apply(picture(), context(place)).shape == (3, 43, 64)
    assert step.apply(picture(), replace(context(place), preview=True)).shape == (3, 21, 32)


def test_progress_runs_from_pass_to_pass(place: Path) -> None:
    told: list[float] = []
    step = StyleStep(method="net", model=MODEL, style=["own"], strength=2.5)
    step.apply(picture(), replace(context(place), on_progress=told.append))
    assert all(before <= after for before, after in pairwise(told))
    assert [round(3 * each) for each in told][-1] == 3
    assert len({math.ceil(3 * each - 1e-9) for each in told}) == 3


def test_only_the_files_of_the_method_decide_the_pixels(place: Path) -> None:
    def names(**fields: Any) -> set[str]:
        return {file.name for file in StyleStep.model_validate(fields).list_files(place)}

    assert names(style="own.png", model="nobody") == {"own.png"}
    assert names(style="own", model=MODEL, method="net") == {MODEL}
    drawn = {"choice": ["patch", "net"]}
    assert names(style="own.png", model=MODEL, method=drawn) == {"own.png", MODEL}


@pytest.mark.parametrize(
    ("fields", "where", "says"),
    [
        (
            {"style": "builtin:the-scream"},
            "style",
            "one of great-wave, the-kiss, own, which painter contains",
        ),
        ({"style": ["own", "sea.png"]}, "style", "'sea.png'"),
        ({"style": {"choice": ["own", "sea"]}}, "style", "'sea'"),
        ({"model": "nobody"}, "model", "no model 'nobody'"),
        ({"model": "unet.safetensors"}, "model", "unet is for the step `translate`"),
        ({"method": {"choice": ["patch", "net"]}, "style": "own"}, "style", "no file"),
        ({"weights": [1.0, 2.0], "style": "own"}, "weights", "1 numbers"),
        ({"mask": ["own.png", "own.png"], "style": "own"}, "mask", "2 masks"),
        ({"mask": "none.png", "style": "own"}, "mask", "no file"),
        ({"method": {"choice": ["patch", "net"]}, "model": "nobody", "style": "own.png"}, "model", "nobody"),
    ],
)
def test_what_cannot_be_is_said_before_anything_runs(
    place: Path, fields: dict[str, Any], where: str, says: str
) -> None:
    step = StyleStep.model_validate({"method": "net", "model": MODEL, "style": "own"} | fields)
    ((field, error),) = step.validate_files(place)
    assert field == where
    assert says in f"{error.problem}; {error.expected}"


def test_a_network_has_no_presets(place: Path) -> None:
    net = f'method = "net"\nmodel = "{MODEL}"\nstyle = "own"\n'
    assert not load_errors(place, net)
    (problem,) = load_errors(place, net + 'preset = "dream"\n')
    assert ":8: steps.style.preset: " in problem
    assert 'only method = "patch" or "vgg" has `preset`' in problem
    drawn = net.replace('"net"', '{ choice = ["patch", "net"] }').replace('"own"', '"own.png"')
    assert not load_errors(place, drawn + 'preset = "bold"\n')


def test_what_was_drawn_is_as_right_as_what_was_written(place: Path) -> None:
    fields = {"method": {"choice": ["patch", "net"]}, "preset": "bold", "style": "own.png", "model": MODEL}
    step = StyleStep.model_validate(fields)
    methods = set()
    for seed in range(8):
        drawn, _ = step.resolve_draws(lambda name, seed=seed: random.Random(f"{seed} {name}"))
        assert not list(drawn.validate_files(place))
        methods.add(drawn.method)
    assert methods == {"patch", "net"}


def test_patch_asks_for_no_model(place: Path) -> None:
    assert not load_errors(place, 'style = "own.png"\nmodel = "nobody"\n')
