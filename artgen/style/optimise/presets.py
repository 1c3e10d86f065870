"""Settings of optimisation by name: our own, and defaults as they were published, for comparison.

Weights of losses belong to the scale of a network's features. The published ones were made for particular
files, named beside each; with others they are a place to start from. Imports no torch.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from artgen.errors import ArtgenError
from artgen.style.request import check_choice

if TYPE_CHECKING:
    from artgen.models.features.features import Features

Start = Literal["patch", "content", "noise"]
Loss = Literal["wasserstein", "gram", "gram-mean", "wasserstein-schulz"]
Optimiser = Literal["lbfgs", "adam"]
Precision = Literal["auto", "float32", "bfloat16"]
FIVE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


@dataclass(frozen=True)
class OptimiseSettings:
    """Everything that decides about a picture but the pictures, the network and the request.

    Attributes:
        source: where they come from, and the weights file that they were made for.
        loss: of style, a name in ``losses.LOSSES``.
        style_layers: layers and their weights; a layer that the network lacks is replaced by the nearest.
        content_layer: where content is compared, by the mean of squared differences.
        content_weight: its weight.
        content_halved: half the *sum* of squares in place of their mean, as Gatys et al. 2016 write it.
        relative: style and content distances are taken relative to the size of what is wanted, so that
            weights mean the same with every network.
        tv: weight of the total variation.
        variation: which one, a name in ``losses.VARIATIONS``.
        pooling: of VGG.
        replicates: VGG's first convolution continues the border.
        optimiser: ``lbfgs`` takes fewer iterations, ``adam`` less memory.
        iterations: at each size.
        first_iterations: at the first of several sizes, or None for the same.
        history: steps that L-BFGS remembers.
        rate: of Adam; it keeps to [0, 1] as it goes.
        fade: Adam's last rate over its first; it falls evenly.
        betas: of Adam.
        average: decay of the average over Adam's pictures, which is the result; 0 takes the best picture.
        scales: at how many sizes, each root 2 larger than the last.
        smallest: longer side below which none of them goes, px.
        start: what the first size begins with: the patch method's picture, the content, or noise.
        noise: mean of each colour and deviation of the noise to start from.
        style_scale: longer side of the style over the content's, where the request has none.
        passes: runs, each of them beginning with the last one's picture and taking it for its content.
        memory: GB that may be taken. What does not fit at once is seen in tiles, exactly; L-BFGS then
            remembers fewer steps.
        precision: of convolutions; ``auto`` is bfloat16 where the processor has it. Statistics and losses
            are never less than float32.
    """

    source: str
    loss: Loss = "wasserstein"
    style_layers: tuple[tuple[str, float], ...] = tuple((name, 1.0) for name in FIVE)
    content_layer: str = "relu4_2"
    content_weight: float = 1.0
    content_halved: bool = False
    relative: bool = False
    tv: float = 0.0
    variation: str = "nine-point"
    pooling: Literal["max", "average"] = "max"
    replicates: bool = False
    optimiser: Optimiser = "lbfgs"
    iterations: int = 500
    first_iterations: int | None = None
    history: int = 10
    rate: float = 0.02
    fade: float = 1.0
    betas: tuple[float, float] = (0.9, 0.99)
    average: float = 0.0
    scales: int = 1
    smallest: int = 128
    start: Start = "content"
    noise: tuple[tuple[float, float, float], float] = ((0.5, 0.5, 0.5), 0.25)
    style_scale: float = 1.0
    passes: int = 1
    memory: float = 4.0
    precision: Precision = "auto"


ALL_SCALES = 64

OPTIMISE_PRESETS = {
    "artgen": OptimiseSettings(
        "our own, for CPUs: the patch method's picture, made better in few iterations; any network",
        style_layers=tuple((name, 0.2) for name in FIVE),
        content_layer="relu4_2",
        content_weight=0.2,
        relative=True,
        tv=0.02,
        replicates=True,
        # From a picture that is nearly right Adam with a falling rate comes lower than L-BFGS in as many
        # iterations: it knows the bounds of colours, and bfloat16's noise does not mislead it.
        optimiser="adam",
        rate=0.015,
        fade=0.1,
        iterations=120,
        start="patch",
        style_scale=1.33,
    ),
    "gatys": OptimiseSettings(
        "Gatys et al. 2016, Image Style Transfer Using Convolutional Neural Networks; VGG-19 normalised so "
        "that the mean of every feature is 1. The number of iterations is that of the author's own code",
        loss="gram",
        style_layers=tuple((name, 0.2) for name in FIVE),
        content_weight=1e-3,
        content_halved=True,
        pooling="average",
        iterations=500,
        start="noise",
    ),
    "neural-style": OptimiseSettings(
        "jcjohnson/neural-style, defaults of its command line; Caffe's VGG-19, colours to 256",
        loss="gram-mean",
        style_layers=tuple((name, 100.0) for name in FIVE),
        content_weight=5.0,
        tv=1e-3,
        variation="neighbours",
        iterations=1000,
        history=100,
        start="noise",
        noise=((123.68 / 256, 116.779 / 256, 103.939 / 256), 0.001 / 256),
    ),
    "crowsonkb": OptimiseSettings(
        "crowsonkb/style-transfer-pytorch, defaults of its command line; torchvision's VGG-19",
        loss="wasserstein-schulz",
        style_layers=tuple(zip(FIVE, (256 / 341, 64 / 341, 16 / 341, 4 / 341, 1 / 341), strict=True)),
        content_weight=0.015,
        tv=2.0,
        replicates=True,
        optimiser="adam",
        iterations=500,
        first_iterations=1000,
        average=0.99,
        scales=ALL_SCALES,
    ),
}


def optimise_preset(name: str) -> OptimiseSettings:
    """Return the settings called ``name``.

    Raises:
        ArtgenError: none are called so.
    """
    check_choice("preset", name, OPTIMISE_PRESETS)
    return OPTIMISE_PRESETS[name]


def check_settings(settings: OptimiseSettings, network: Features) -> None:
    """Refuse settings that an artist may have changed and nothing can be painted by.

    A layer that the network lacks is replaced by the nearest one; a name of none at all is a mistake.

    Raises:
        ArtgenError: a name that does not exist, a number out of range.
    """
    check_choice("loss", settings.loss, get_args(Loss))
    check_choice("optimiser", settings.optimiser, get_args(Optimiser))
    check_choice("start", settings.start, get_args(Start))
    check_choice("precision", settings.precision, get_args(Precision))
    _at_least("content_weight", settings.content_weight, 0)
    _at_least("tv", settings.tv, 0)
    _at_least("iterations", settings.iterations, 1)
    _at_least("scales", settings.scales, 1)
    _at_least("passes", settings.passes, 1)
    _at_least("memory", settings.memory, 0.1)
    for name, weight in settings.style_layers:
        _at_least(f"layer {name}", weight, 0)
    if not settings.style_layers:
        raise ArtgenError("style layers", "none", "at least one, such as relu3_1 = 1.0")
    for name in (settings.content_layer, *(name for name, _ in settings.style_layers)):
        if name not in network.names and not re.fullmatch(r"relu[1-5]_[1-4]", name):
            right = f"did you mean 'relu{name[4:]}'?" if name.startswith("conv") else "relu1_1 to relu5_4"
            raise ArtgenError("style layer", f"'{name}'", right)


def _at_least(key: str, number: float, low: float) -> None:
    if not (math.isfinite(number) and number >= low):
        raise ArtgenError(f"style {key}", str(number), f"a number from {low:g} up")
