"""Style transfer by a network that has learned the styles (``fast-style``): one pass paints a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import luminance, resize
from artgen.models.inference.fitting import resized
from artgen.models.inference.translating import translate
from artgen.style.preserve import face_map, finished
from artgen.style.progress import Report, Watch
from artgen.style.request import SCALE, StyleRequest, check_request

# Of `start`: how much stays where it agrees with what is painted, and how far (of full tone, over so many px)
# two pictures may be apart to agree.
STAYS, APART, AROUND = 0.85, 0.12, 7


def stylize_by_network(
    content: Tensor, styles: Sequence[Sequence[float]], request: StyleRequest, model: Path
) -> Tensor:
    """Paint ``content`` in the styles that a network knows.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``.
        styles: one or several; each is how much of each of the network's own styles.
        request: how much of them goes where. Where masks overlap, paintings blend. A ``scale`` of ``SCALE``
            paints at the content's size. Twice that paints it at half the size, too: from there come strokes
            twice as large, from its own size what is finer than they are. A network begins from nothing, but
            where what it paints is nearly the ``start``, that stays, and nothing flickers.
        model: the file of a fast-style network, or of a transformer net.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: a request that no method could paint by; or as ``translate``.
    """
    # The styles are in the network: there are no pictures to be checked.
    shares = check_request(request, content, [[content]] * len(styles))
    if request.strength == 0:
        return content.clone()
    apart = request.masks is not None and len(request.masks) > 1
    rows = list(styles) if apart else [_mixed(styles, shares)]
    painted = [
        _painted(
            content, row, replace(request, watch=partial(_tell, request.watch, number, len(rows))), model
        )
        for number, row in enumerate(rows)
    ]
    picture = painted[0] if request.masks is None or not apart else _beside(painted, request.masks, shares)
    if request.start is not None:
        picture = _settled(picture, request.start)
    picture = finished(content, picture, request)
    return picture.lerp(content, request.faces * face_map(content)) if request.faces else picture


def _mixed(styles: Sequence[Sequence[float]], shares: Sequence[float]) -> list[float]:
    """One way to paint: the mean of several, each of which is a distribution over the network's styles."""
    wholes = [sum(style) or 1.0 for style in styles]
    columns = zip(*styles, strict=True)
    return [sum(s * x / w for s, x, w in zip(shares, column, wholes, strict=True)) for column in columns]


def _painted(content: Tensor, style: Sequence[float], request: StyleRequest, model: Path) -> Tensor:
    """As often as ``strength`` says, each time over what the last has painted."""
    height, width = content.shape[-2:]
    longest = max(height, width)
    side = max(1, round(longest * SCALE / (request.scale or SCALE)))
    sides = [side] if side >= longest else [side, longest]
    passes = math.ceil(request.strength)
    picture = content.clone()
    for number in range(passes):
        stage = f"pass {number + 1} of {passes}" if passes > 1 else ""
        layers = []
        for done, each in enumerate(sides):
            before = (number + done / len(sides)) / passes
            tell = partial(_share, request.watch, before, 1 / (passes * len(sides)), stage)
            layers.append(
                translate(picture, model, side=each, styles=style, device=request.device, progress=tell)
            )
        picture = picture.lerp(_together(layers, (height, width)), min(1.0, request.strength - number))
        request.watch(Report((number + 1) / passes, picture, stage=stage))
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


def _beside(painted: Sequence[Tensor], masks: Tensor, shares: Sequence[float]) -> Tensor:
    """Each painting where its mask is; where several are, by their weights; elsewhere it does not matter."""
    size = (painted[0].shape[-2], painted[0].shape[-1])
    covers = resize(masks, size).clamp(0, 1)
    parts = [max(share, 1e-6) * cover for share, cover in zip(shares, covers, strict=True)]
    whole = torch.stack(parts).sum(0).clamp_min(1e-9)
    return torch.stack([p / whole * picture for p, picture in zip(parts, painted, strict=True)]).sum(0)


def _settled(picture: Tensor, start: Tensor) -> Tensor:
    """``start`` where the two are nearly the same, ``picture`` where something new has come into it."""
    away = luminance((picture - start).abs())[None]
    around = F.avg_pool2d(away, AROUND, 1, AROUND // 2, count_include_pad=False)[0]
    return picture.lerp(start, STAYS * (-((around / APART) ** 2)).exp())


def _share(watch: Watch, before: float, part: float, stage: str, done: float) -> None:
    watch(Report(before + part * done, stage=stage))


def _tell(watch: Watch, number: int, total: int, report: Report) -> None:
    watch(Report((number + report.done) / total, report.picture, stage=report.stage))
