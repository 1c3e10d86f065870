"""What optimisation is asked for is looked at before anything is computed."""

from __future__ import annotations

import math
import re

from artgen.errors import ArtgenError
from artgen.models.features.features import Features
from artgen.style.optimise.losses import LOSSES
from artgen.style.optimise.precision import PRECISIONS
from artgen.style.optimise.presets import Settings


def check_settings(settings: Settings, network: Features) -> None:
    """Settings that an artist may have changed.

    A layer that the network lacks is replaced by the nearest one; a name of none at all is a mistake.

    Raises:
        ArtgenError: a name that does not exist, a number out of range.
    """
    _one_of("loss", settings.loss, tuple(LOSSES))
    _one_of("optimiser", settings.optimiser, ("lbfgs", "adam"))
    _one_of("start", settings.start, ("content", "noise", "patch"))
    _at_least("content_weight", settings.content_weight, 0)
    _at_least("tv", settings.tv, 0)
    _at_least("iterations", settings.iterations, 1)
    _at_least("scales", settings.scales, 1)
    for name, weight in settings.style_layers:
        _at_least(f"layer {name}", weight, 0)
    if not settings.style_layers:
        raise ArtgenError("style layers", "none", "at least one, such as relu3_1 = 1.0")
    for name in (settings.content_layer, *(name for name, _ in settings.style_layers)):
        if name not in network.names and not re.fullmatch(r"relu[1-5]_[1-4]", name):
            right = f"did you mean 'relu{name[4:]}'?" if name.startswith("conv") else "relu1_1 to relu5_4"
            raise ArtgenError("style layer", f"'{name}'", right)


def check_work(passes: int, memory: float, precision: str) -> None:
    """How it is to be computed: ``memory`` in GB, ``precision`` one of ``PRECISIONS``.

    Raises:
        ArtgenError: out of range.
    """
    _at_least("passes", passes, 1)
    _at_least("memory", memory, 0.1)
    _one_of("precision", precision, PRECISIONS)


def _one_of(key: str, value: str, right: tuple[str, ...]) -> None:
    if value not in right:
        raise ArtgenError(f"style {key}", f"'{value}'", f"one of {', '.join(right)}")


def _at_least(key: str, number: float, low: float) -> None:
    if not (math.isfinite(number) and number >= low):
        raise ArtgenError(f"style {key}", str(number), f"a number from {low:g} up")
