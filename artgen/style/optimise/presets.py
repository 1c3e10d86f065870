"""Presets of style transfer by optimisation: our own, and published defaults for comparison.

Loss weights depend on the scale of a network's features. The published ones are for particular weights files,
which are named with each; for other files they are a starting point. Imports no torch.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from artgen.errors import ArtgenError
from artgen.style.request import check_choice

if TYPE_CHECKING:
    from artgen.models.features.features import FeatureNetwork

StartKind = Literal["patch", "content", "noise"]
LossName = Literal["wasserstein", "gram", "gram-mean", "wasserstein-schulz"]
OptimiserName = Literal["lbfgs", "adam"]
PrecisionName = Literal["auto", "float32", "bfloat16"]
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@dataclass(frozen=True)
class OptimiseSettings:
    """Settings of style transfer by optimisation; with images, network and request they fix the result.

    Attributes:
        published_in: source of the settings, and the weights file that they are for.
        loss: style loss, a name in ``losses.STYLE_LOSSES``.
        style_layers: layers and their weights; a layer that the network lacks is replaced by the nearest.
        content_layer: layer whose features are compared by their mean squared difference.
        content_weight: weight of the content loss.
        halve_content_sum: use half the *sum* of squares instead of the mean, as in Gatys et al. 2016.
        relative_losses: divide style and content losses by the magnitude of the target, so that weights mean
            the same for every network.
        tv: weight of the total variation.
        tv_kind: form of the total variation, a name in ``losses.TOTAL_VARIATIONS``.
        pooling: pooling of VGG.
        replicate_border: repeat border pixels in VGG's first convolution, instead of zeros.
        optimiser: ``lbfgs`` needs fewer iterations, ``adam`` less memory.
        iterations: number of iterations at each size.
        first_iterations: number of iterations at the first of several sizes; None for ``iterations``.
        lbfgs_history: number of steps that L-BFGS stores.
        adam_learning_rate: learning rate of Adam.
        adam_final_rate_factor: Adam's last learning rate relative to its first; it falls linearly.
        adam_betas: decay of Adam's moments.
        adam_average_decay: decay of the moving average of Adam's images, which is the result; with 0 the
            result is the image with the lowest loss.
        scales: number of sizes, each larger than the last by the square root of 2.
        min_side: longer side of the smallest of these sizes, at least, px.
        start: start image of the first size: painted by the patch method, the content, or noise.
        start_noise: mean of each colour and standard deviation of the noise.
        style_scale: longer side of the style relative to the content's, if the request has none.
        passes: number of runs; each starts from the result of the last and uses it as its content.
        memory: memory limit in GB. Larger images are processed in tiles, with the same result; L-BFGS then
            stores fewer steps.
        precision: of convolutions; ``auto`` is bfloat16 if the processor supports it. Statistics and losses
            are at least float32.
    """

    published_in: str
    loss: LossName = "wasserstein"
    style_layers: tuple[tuple[str, float], ...] = tuple((name, 1.0) for name in STYLE_LAYERS)
    content_layer: str = "relu4_2"
    content_weight: float = 1.0
    halve_content_sum: bool = False
    relative_losses: bool = False
    tv: float = 0.0
    tv_kind: str = "nine-point"
    pooling: Literal["max", "average"] = "max"
    replicate_border: bool = False
    optimiser: OptimiserName = "lbfgs"
    iterations: int = 500
    first_iterations: int | None = None
    lbfgs_history: int = 10
    adam_learning_rate: float = 0.02
    adam_final_rate_factor: float = 1.0
    adam_betas: tuple[float, float] = (0.9, 0.99)
    adam_average_decay: float = 0.0
    scales: int = 1
    min_side: int = 128
    start: StartKind = "content"
    start_noise: tuple[tuple[float, float, float], float] = ((0.5, 0.5, 0.5), 0.25)
    style_scale: float = 1.0
    passes: int = 1
    memory: float = 4.0
    precision: PrecisionName = "auto"


MAX_IMAGE_SIZES = 64

OPTIMISE_PRESETS = {
    "artgen": OptimiseSettings(
        "our own, for CPUs: the patch method's picture, improved in few iterations; any network",
        style_layers=tuple((name, 0.2) for name in STYLE_LAYERS),
        content_layer="relu4_2",
        content_weight=0.2,
        relative_losses=True,
        tv=0.02,
        replicate_border=True,
        # From a good start Adam with a falling learning rate reaches a lower loss than L-BFGS in as many
        # iterations: it respects the bounds of colours, and the noise of bfloat16 does not mislead it.
        optimiser="adam",
        adam_learning_rate=0.015,
        adam_final_rate_factor=0.1,
        iterations=120,
        start="patch",
        style_scale=1.33,
    ),
    "gatys": OptimiseSettings(
        "Gatys et al. 2016, Image Style Transfer Using Convolutional Neural Networks; VGG-19 normalised so "
        "that the mean of every feature is 1. The number of iterations is that of the author's own code",
        loss="gram",
        style_layers=tuple((name, 0.2) for name in STYLE_LAYERS),
        content_weight=1e-3,
        halve_content_sum=True,
        pooling="average",
        iterations=500,
        start="noise",
    ),
    "neural-style": OptimiseSettings(
        "jcjohnson/neural-style, defaults of its command line; Caffe's VGG-19, colours to 256",
        loss="gram-mean",
        style_layers=tuple((name, 100.0) for name in STYLE_LAYERS),
        content_weight=5.0,
        tv=1e-3,
        tv_kind="neighbours",
        iterations=1000,
        lbfgs_history=100,
        start="noise",
        start_noise=((123.68 / 256, 116.779 / 256, 103.939 / 256), 0.001 / 256),
    ),
    "crowsonkb": OptimiseSettings(
        "crowsonkb/style-transfer-pytorch, defaults of its command line; torchvision's VGG-19",
        loss="wasserstein-schulz",
        style_layers=tuple(zip(STYLE_LAYERS, (256 / 341, 64 / 341, 16 / 341, 4 / 341, 1 / 341), strict=True)),
        content_weight=0.015,
        tv=2.0,
        replicate_border=True,
        optimiser="adam",
        iterations=500,
        first_iterations=1000,
        adam_average_decay=0.99,
        scales=MAX_IMAGE_SIZES,
    ),
}


def optimise_preset(name: str) -> OptimiseSettings:
    """Return the optimisation settings of the preset ``name``.

    Raises:
        ArtgenError: there is no such preset.
    """
    check_choice("preset", name, OPTIMISE_PRESETS)
    return OPTIMISE_PRESETS[name]


def check_settings(settings: OptimiseSettings, network: FeatureNetwork) -> None:
    """Check the optimisation settings that an artist may have changed.

    Layers that the network lacks are replaced by the nearest ones later, but their names must exist.

    Raises:
        ArtgenError: a name does not exist, or a number is out of range.
    """
    check_choice("loss", settings.loss, get_args(LossName))
    check_choice("optimiser", settings.optimiser, get_args(OptimiserName))
    check_choice("start", settings.start, get_args(StartKind))
    check_choice("precision", settings.precision, get_args(PrecisionName))
    _check_minimum("content_weight", settings.content_weight, 0)
    _check_minimum("tv", settings.tv, 0)
    _check_minimum("iterations", settings.iterations, 1)
    _check_minimum("scales", settings.scales, 1)
    _check_minimum("passes", settings.passes, 1)
    _check_minimum("memory", settings.memory, 0.1)
    for name, layer_weight in settings.style_layers:
        _check_minimum(f"layer {name}", layer_weight, 0)
    if not settings.style_layers:
        raise ArtgenError("style layers", "none", "at least one, such as relu3_1 = 1.0")
    for name in (settings.content_layer, *(name for name, _ in settings.style_layers)):
        if name not in network.layer_names and not re.fullmatch(r"relu[1-5]_[1-4]", name):
            expected = f"did you mean 'relu{name[4:]}'?" if name.startswith("conv") else "relu1_1 to relu5_4"
            raise ArtgenError("style layer", f"'{name}'", expected)


def _check_minimum(setting: str, number: float, minimum: float) -> None:
    if not (math.isfinite(number) and number >= minimum):
        raise ArtgenError(f"style {setting}", str(number), f"a number from {minimum:g} up")
