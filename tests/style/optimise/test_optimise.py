"""Style transfer by optimisation, with small networks of random weights."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.models.features.features import FeatureNetwork
from artgen.models.features.vgg import VGG
from artgen.style.optimise.objective import StyleObjective
from artgen.style.optimise.optimise import stylize_by_optimising
from artgen.style.optimise.optimisers import LBFGS, Adam, RunningAverage, build_optimiser
from artgen.style.optimise.precision import find_dtype
from artgen.style.optimise.presets import OPTIMISE_PRESETS, OptimiseSettings, optimise_preset
from artgen.style.progress import StyleProgress
from artgen.style.request import StyleRequest
from tests.style.optimise.random_networks import random_squeezenet, random_vgg, scene

STYLE_LAYERS = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]
REQUEST_FIELDS = {field.name for field in fields(StyleRequest)}


def small(
    content: Tensor,
    styles: Sequence[Tensor | Sequence[Tensor]],
    *,
    preset: str = "artgen",
    network: FeatureNetwork | None = None,
    style_layers: Mapping[str, float] | None = None,
    start_image: Tensor | None = None,
    **more: Any,
) -> Tensor:
    """Few iterations of a small network; ``more`` are fields of the request, or of the settings."""
    style_images = [[style] if isinstance(style, Tensor) else style for style in styles]
    layers = {"relu1_1": 0.5, "relu2_1": 0.5} if style_layers is None else style_layers
    request = StyleRequest(
        start_image=start_image, **{"seed": 1} | {name: more[name] for name in more.keys() & REQUEST_FIELDS}
    )
    settings = {"content_layer": "relu2_1", "precision": "float32", "start": "content", "iterations": 4}
    settings |= {name: more[name] for name in more.keys() - REQUEST_FIELDS} | {
        "style_layers": tuple(layers.items())
    }
    changed = replace(optimise_preset(preset), **settings)
    return stylize_by_optimising(content, style_images, request, changed, network or random_vgg("relu2_1"))


def test_published_defaults_by_name() -> None:
    gatys, neural, crowson = (optimise_preset(name) for name in ("gatys", "neural-style", "crowsonkb"))
    for settings in (gatys, neural, crowson):
        assert [name for name, _ in settings.style_layers] == STYLE_LAYERS
        assert settings.content_layer == "relu4_2"
        assert settings.style_scale == 1
    assert (gatys.loss, gatys.pooling, gatys.optimiser, gatys.start) == ("gram", "average", "lbfgs", "noise")
    assert [weight for _, weight in gatys.style_layers] == [0.2] * 5
    assert (gatys.content_weight, gatys.halve_content_sum, gatys.tv) == (1e-3, True, 0)
    assert (neural.loss, neural.pooling, neural.optimiser, neural.start) == (
        "gram-mean",
        "max",
        "lbfgs",
        "noise",
    )
    assert [weight for _, weight in neural.style_layers] == [100] * 5
    assert (neural.content_weight, neural.tv, neural.tv_kind) == (5, 1e-3, "neighbours")
    assert (neural.iterations, neural.scales) == (1000, 1)
    assert (crowson.loss, crowson.pooling, crowson.replicate_border) == ("wasserstein-schulz", "max", True)
    weights = [weight for _, weight in crowson.style_layers]
    assert [weight / weights[-1] for weight in weights] == pytest.approx([256, 64, 16, 4, 1])
    assert sum(weights) == pytest.approx(1)
    assert (crowson.content_weight, crowson.tv, crowson.tv_kind) == (0.015, 2, "nine-point")
    assert (
        crowson.optimiser,
        crowson.adam_learning_rate,
        crowson.adam_betas,
        crowson.adam_average_decay,
    ) == (
        "adam",
        0.02,
        (0.9, 0.99),
        0.99,
    )
    assert (crowson.iterations, crowson.first_iterations, crowson.min_side) == (500, 1000, 128)
    with pytest.raises(ArtgenError, match=r"gatys"):
        optimise_preset("gaty")


def test_our_own_default_starts_from_patches() -> None:
    own = optimise_preset("artgen")
    assert (own.start, own.optimiser, own.adam_final_rate_factor) == ("patch", "adam", 0.1)
    assert 100 <= own.iterations <= 150
    assert own.relative_losses


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_the_loss_falls(optimiser: str) -> None:
    reports: list[StyleProgress] = []
    content, style = scene(48, 40), scene(60, 44, 1)
    before = content.clone()
    result = small(content, [style], iterations=12, optimiser=optimiser, on_progress=reports.append)
    losses = [report.loss for report in reports if report.loss is not None]
    assert len(losses) == 12
    assert losses[-1] < 0.7 * losses[0]
    assert result.shape == content.shape
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
    assert torch.equal(content, before)
    assert [report.fraction for report in reports] == sorted(report.fraction for report in reports)
    assert reports[-1].fraction == pytest.approx(1)
    assert reports[0].image is not None
    assert reports[0].stage == "48 px"


def test_the_same_seed_gives_the_same_picture() -> None:
    content, style = scene(40, 40), scene(40, 40, 1)
    state = torch.get_rng_state()
    one, two = (small(content, [style], start="noise") for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, small(content, [style], start="noise", seed=2))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (33, 61), (7, 40)])
@pytest.mark.parametrize("kind", ["vgg", "squeezenet"])
def test_any_size(size: tuple[int, int], kind: str) -> None:
    network = random_vgg("relu2_1") if kind == "vgg" else random_squeezenet()
    result = small(scene(*size), [scene(9, 21, 1)], network=network, iterations=2)
    assert result.shape == (3, *size)
    assert bool(torch.isfinite(result).all())


def test_grey_and_flat_pictures() -> None:
    grey = scene(40, 44).mean(0, keepdim=True).expand(3, -1, -1).contiguous()
    flat = torch.full((3, 40, 44), 0.5)
    for content, style in ((grey, flat), (flat, grey), (flat, flat)):
        for loss in ("wasserstein", "gram"):
            assert bool(torch.isfinite(small(content, [style], loss=loss)).all())


@pytest.mark.parametrize("start", ["content", "noise", "patch", "picture"])
def test_starts(start: str) -> None:
    content, style = scene(40, 56), scene(64, 64, 1)
    start_image = scene(20, 28, 9)
    reports: list[StyleProgress] = []
    options = {"start_image": start_image} if start == "picture" else {"start": start}
    small(content, [style], **options, iterations=1, on_progress=reports.append)
    first = next(report.image for report in reports if report.stage == "56 px")
    assert first is not None
    if start == "content":
        assert torch.equal(first, content)
    elif start == "picture":
        assert (
            float(
                (torch.nn.functional.interpolate(first[None], (20, 28), mode="area") - start_image)
                .abs()
                .mean()
            )
            < 0.1
        )
    else:
        assert float((first - content).abs().mean()) > 0.02


def test_several_sizes() -> None:
    reports: list[StyleProgress] = []
    content = scene(200, 260)
    small(content, [scene(100, 100, 1)], optimiser="adam", scales=9, iterations=1, on_progress=reports.append)
    assert [report.stage for report in reports] == ["130 px", "184 px", "260 px"]


def test_moments_of_adam_are_enlarged() -> None:
    adam = Adam(0.02, (0.9, 0.99))
    picture = scene(20, 30)
    adam.step(picture, torch.rand(3, 20, 30))
    larger = adam.resized((28, 42))
    assert larger.step_count == 1
    assert adam.moments is not None
    assert larger.moments is not None
    first, second = larger.moments
    assert first.shape == second.shape == (3, 28, 42)
    assert float(second.min()) >= 0
    assert first.mean() == pytest.approx(float(adam.moments[0].mean()), rel=0.05)


def test_adam_and_lbfgs_are_torchs() -> None:
    matrix = torch.rand(12, 12, generator=torch.Generator().manual_seed(0))
    matrix = matrix @ matrix.T + torch.eye(12)
    for settings in (OPTIMISE_PRESETS["crowsonkb"], OPTIMISE_PRESETS["gatys"]):
        ours, theirs = torch.full((3, 2, 2), 0.5), torch.full((3, 2, 2), 0.5, requires_grad=True)
        descent = build_optimiser(settings)
        reference: torch.optim.Optimizer = torch.optim.Adam([theirs], lr=0.02, betas=(0.9, 0.99))
        if isinstance(descent, LBFGS):
            reference = torch.optim.LBFGS([theirs], max_iter=1, history_size=10)

        def closure(x: Tensor = theirs) -> Tensor:
            x.grad = None
            value = x.flatten() @ matrix @ x.flatten() / 2
            value.backward()
            return value

        for _ in range(8):
            ours = descent.step(ours, (matrix @ ours.flatten()).view(3, 2, 2))
            reference.step(closure)  # type: ignore[arg-type]
        assert torch.allclose(ours, theirs.detach(), atol=1e-5)


def test_the_average_is_not_drawn_to_its_beginning() -> None:
    average = RunningAverage(torch.zeros(3, 1, 1), 0.9)
    for _ in range(200):
        average.add(torch.ones(3, 1, 1))
    assert float(average.image.mean()) == pytest.approx(1, abs=1e-6)
    assert torch.allclose(RunningAverage(torch.full((3, 1, 1), 0.4), 0.9).image, torch.tensor(0.4))


class Faulty(VGG):
    """Real features, but not a number at some calls that compute gradients."""

    bad: tuple[int, ...] = ()
    calls: list[int]

    def forward(self, pictures: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        features = super().forward(pictures, wanted)
        if pictures.requires_grad:
            self.calls.append(1)
            if len(self.calls) in self.bad:
                return {name: each * torch.nan for name, each in features.items()}
        return features


def faulty(*bad: int) -> Faulty:
    network = copy.copy(random_vgg("relu2_1"))
    network.__class__ = Faulty
    assert isinstance(network, Faulty)
    network.bad, network.calls = bad, []
    return network


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
@pytest.mark.parametrize("loss", ["wasserstein", "gram"])
def test_goes_on_from_the_best_picture_after_nan(optimiser: str, loss: str) -> None:
    reports: list[StyleProgress] = []
    options = {"optimiser": optimiser, "loss": loss, "iterations": 14, "on_progress": reports.append}
    result = small(scene(40, 40), [scene(40, 40, 1)], network=faulty(6, 7), **options)
    losses = [report.loss for report in reports if report.loss is not None]
    assert [number for number, value in enumerate(losses, 1) if value != value] == [6, 7]
    assert losses[7] == pytest.approx(min(losses[:5]), rel=1e-4)
    assert losses[-1] < losses[7]
    assert bool(torch.isfinite(result).all())


def test_nan_that_stays_is_told_clearly() -> None:
    with pytest.raises(ArtgenError, match=r"style loss: not a number .* method = \"patch\""):
        small(scene(40, 40), [scene(40, 40, 1)], network=faulty(*range(3, 99)), iterations=20)


def test_masks() -> None:
    content, styles = scene(48, 48), [scene(48, 48, 1), 1 - scene(48, 48, 1)]
    left = torch.zeros(1, 1, 48, 48)
    left[..., :24] = 1
    outside = small(content, styles[:1], masks=left, iterations=6)
    assert torch.equal(outside[..., 26:], content[..., 26:])
    assert float((outside - content)[..., :22].abs().mean()) > 0.01
    both = small(content, styles, masks=torch.cat([left, 1 - left]), iterations=12)
    ways = [small(content, [style], iterations=12) for style in styles]
    for number, part in enumerate((slice(0, 20), slice(28, 48))):
        near, far = (
            float((both - way)[..., part].square().mean()) for way in (ways[number], ways[1 - number])
        )
        assert near < far


def test_weights_mix_styles() -> None:
    content, one, two = scene(40, 40), scene(40, 40, 1), 1 - scene(40, 40, 1)
    alone = small(content, [one], iterations=8)
    mixed = small(content, [one, two], style_weights=[1.0, 0.0], iterations=8)
    assert float((alone - mixed).abs().max()) < 1e-3
    assert (
        float((alone - small(content, [one, two], style_weights=[1.0, 1.0], iterations=8)).abs().mean())
        > 1e-3
    )
    together = small(content, [[one, two]], iterations=8)
    assert torch.allclose(together, small(content, [one, two], iterations=8), atol=1e-4)


def test_strength_lets_go_of_the_content() -> None:
    content, style = scene(48, 48), scene(48, 48, 1)
    assert torch.equal(small(content, [style], strength=0), content)
    weak, strong = (
        small(content, [style], strength=s, iterations=20, content_weight=1.0) for s in (0.2, 4.0)
    )
    assert float((weak - content).square().mean()) < float((strong - content).square().mean())


def test_a_place_held_firmly_changes_less() -> None:
    content, style, picture = scene(48, 48), scene(48, 48, 1), scene(48, 48, 2)
    hold = torch.ones(1, 48, 48)
    hold[..., :24] = 20
    network = random_vgg("relu2_1").with_options()
    settings = replace(
        OPTIMISE_PRESETS["artgen"], content_layer="relu1_1", style_layers=(("relu1_1", 0.0),), tv=0.0
    )
    plain = StyleObjective(network, settings, content, [[style]], [1.0])(picture)[1]
    held = StyleObjective(network, settings, content, [[style]], [1.0], content_weight_map=hold)(picture)[1]
    torch.testing.assert_close(held[..., 30:], plain[..., 30:])
    torch.testing.assert_close(held[..., :18], 20 * plain[..., :18])


def test_colour_or_luminance_is_kept() -> None:
    content, style = scene(40, 40), scene(40, 40, 1)
    grey = torch.tensor([0.2126, 0.7152, 0.0722]).view(3, 1, 1)
    painted = small(content, [style], preserve="luminance")
    assert float(((painted - content) * grey).sum(0).abs().mean()) < 0.02
    assert small(content, [style], preserve="colour").shape == content.shape


def test_passes_go_on_from_the_last() -> None:
    reports: list[StyleProgress] = []
    content, style = scene(40, 40), scene(40, 40, 1)
    thrice = small(content, [style], passes=3, on_progress=reports.append)
    assert [report.stage for report in reports][::4] == [f"pass {number} of 3, 40 px" for number in (1, 2, 3)]
    assert reports[-1].fraction == pytest.approx(1)
    once = small(content, [style])
    assert float((thrice - content).abs().mean()) > float((once - content).abs().mean())


@pytest.mark.slow
def test_little_memory_takes_longer_for_the_same_picture() -> None:
    content, style = scene(160, 300), scene(60, 60, 1)
    # From the content itself some gradients are nearly nil, and Adam, which divides by their own size, turns
    # the rounding of one processor or another into a step of a pixel. From noise none are.
    whole, tiled = (
        small(content, [style], iterations=2, memory=memory, start="noise") for memory in (4.0, 0.1)
    )
    assert float((whole - tiled).abs().max()) < 1e-3


def test_bfloat16_sees_nearly_the_same() -> None:
    content, style = scene(48, 48), scene(48, 48, 1)
    losses: list[list[float]] = []
    for precision in ("float32", "bfloat16"):
        reports: list[StyleProgress] = []
        small(content, [style], iterations=15, precision=precision, on_progress=reports.append)
        losses.append([report.loss for report in reports if report.loss is not None])
    assert losses[1][0] == pytest.approx(losses[0][0], rel=0.01)
    assert losses[1][-1] == pytest.approx(losses[0][-1], rel=0.1)
    assert find_dtype("auto", "cpu") in (torch.float32, torch.bfloat16)
    assert find_dtype("bfloat16", "cpu") is torch.bfloat16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"loss": "grams"}, "one of wasserstein, gram, gram-mean, wasserstein-schulz"),
        ({"optimiser": "sgd"}, "one of lbfgs, adam"),
        ({"start": "white"}, "one of patch, content, noise"),
        ({"iterations": 0}, "a number from 1 up"),
        ({"tv": float("nan")}, "a number from 0 up"),
        ({"memory": 0.0}, "a number from 0.1 up"),
        ({"style_layers": {}}, "at least one"),
        ({"style_layers": {"relu1_1": -1.0}}, "a number from 0 up"),
        ({"preset": "gates"}, "one of artgen, gatys"),
    ],
)
def test_what_is_wrong_is_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArtgenError, match=message):
        small(scene(40, 40), [scene(40, 40, 1)], **arguments)


def test_settings_are_plain() -> None:
    assert isinstance(OPTIMISE_PRESETS["artgen"], OptimiseSettings)
    assert hash(OPTIMISE_PRESETS["artgen"]) != hash(OPTIMISE_PRESETS["gatys"])
