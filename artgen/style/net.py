"""Style transfer by a network that has learned the styles (``fast-style``): one pass paints a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Literal

from torch import Tensor

from artgen.imaging.image import luminance
from artgen.models.fitting import resized
from artgen.models.translating import translate
from artgen.style.palette import replace_luminance

AS_LEARNED = 1.33  # patch EM's usual scale of the painting, at which networks are taught


def stylize(
    content: Tensor,
    model: Path,
    shares: Sequence[float],
    *,
    strength: float = 1.0,
    preserve: Literal["none", "colour"] = "none",
    style_scale: float = AS_LEARNED,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda fraction: None,
) -> Tensor:
    """Paint ``content`` in the styles that a network knows. Nothing is left to chance.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``.
        model: the file of a fast-style network.
        shares: how much of each of its styles.
        strength: 0 leaves the content, 1 is painted once; between, the two are blended. Above 1 what is
            painted is painted again: 2.5 is half-way from twice to thrice.
        preserve: ``colour`` keeps the content's colours and takes the painting's luminance.
        style_scale: ``AS_LEARNED`` paints at the content's size. Twice that paints it at half the size, too:
            from there come strokes twice as large, from its own size what is finer than they are.
        device: where the network runs.
        progress: told the share done.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: as ``translate``.
    """
    height, width = content.shape[-2:]
    longest = max(height, width)
    side = max(1, round(longest * AS_LEARNED / style_scale))
    sides = [side] if side >= longest else [side, longest]
    passes = math.ceil(strength)
    picture = content.clone()
    for number in range(passes):
        layers = [
            translate(
                picture,
                model,
                side=each,
                styles=shares,
                device=device,
                progress=partial(_report, progress, number * len(sides) + done, passes * len(sides)),
            )
            for done, each in enumerate(sides)
        ]
        picture = picture.lerp(_together(layers, (height, width)), min(1.0, strength - number))
    if preserve == "colour" and passes:
        picture = replace_luminance(content, luminance(picture))
    return picture


def _together(layers: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    """The first layer at ``size``, sharp by the detail that the others have beyond its own size."""
    first, *others = layers
    picture = resized(first, size)
    for other in others:
        whole = resized(other, size)
        coarse = resized(resized(whole, (first.shape[-2], first.shape[-1])), size)
        picture = (picture + whole - coarse).clamp(0, 1)
    return picture


def _report(progress: Callable[[float], None], before: int, total: int, done: float) -> None:
    progress((before + done) / total)
