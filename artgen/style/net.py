"""Style transfer by a network that has learned the styles (``fast-style``): one pass paints a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.imaging.image import luminance, resize
from artgen.models.inference.fitting import resized
from artgen.models.inference.translating import translate
from artgen.style.preserve import Preserve, check_manner, face_map, finished
from artgen.style.progress import Report, Watch, unwatched

AS_LEARNED = 1.33  # patch EM's usual scale of the painting, at which networks are taught
# Of `start`: how much stays where it agrees with what is painted, and how far (of full tone, over so many px)
# two pictures may be apart to agree.
STAYS, APART, AROUND = 0.85, 0.12, 7


def stylize(
    content: Tensor,
    model: Path,
    styles: Sequence[Sequence[float]],
    *,
    strength: float = 1.0,
    weights: Sequence[float] | None = None,
    masks: Tensor | None = None,
    preserve: Preserve = "none",
    style_scale: float = AS_LEARNED,
    faces: float = 0.0,
    seed: int = 0,
    start: Tensor | None = None,
    watch: Watch = unwatched,
    device: str = "cpu",
) -> Tensor:
    """Paint ``content`` in the styles that a network knows.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``.
        model: the file of a fast-style network, or of a transformer net.
        styles: one or several; each is how much of each of the network's own styles.
        strength: 0 leaves the content, 1 is painted once; between, the two are blended. Above 1 what is
            painted is painted again: 2.5 is half-way from twice to thrice.
        weights: how much of each of ``styles``; equal by default.
        masks: ``(k, 1, h, w)`` in [0, 1]: one for all styles, or one for each, which then paint beside one
            another and blend where masks overlap. Where none is, the content stays.
        preserve: ``colour`` keeps the content's colours and takes the painting's luminance, ``luminance`` the
            other way round.
        style_scale: ``AS_LEARNED`` paints at the content's size. Twice that paints it at half the size, too:
            from there come strokes twice as large, from its own size what is finer than they are.
        faces: 0 to 1, how much of the content stays where faces are.
        seed: nothing is left to chance; it is taken so that every method is called alike.
        start: ``(3, H, W)``, such as a film's last frame, moved along. A network paints in one go and begins
            from nothing; but where what it paints is nearly this, this stays, and nothing flickers.
        watch: told the share done, and what each pass has painted.
        device: where the network runs.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: arguments that no method could paint by; or as ``translate``.
    """
    shares = check_manner(
        content,
        [content] * len(styles),  # they are in the network: no pictures to be looked at
        strength=strength,
        weights=weights,
        masks=masks,
        preserve=preserve,
        style_scale=style_scale,
        faces=faces,
    )
    if strength == 0:
        return content.clone()
    apart = masks is not None and len(masks) > 1
    ways = list(styles) if apart else [_mixed(styles, shares)]
    painted = [
        _painted(content, model, way, strength, style_scale, device, partial(_tell, watch, number, len(ways)))
        for number, way in enumerate(ways)
    ]
    picture = painted[0] if masks is None or not apart else _beside(painted, masks, shares)
    if start is not None:
        picture = _settled(picture, start)
    picture = finished(content, picture, preserve, masks)
    return picture.lerp(content, faces * face_map(content)) if faces else picture


def _mixed(styles: Sequence[Sequence[float]], shares: Sequence[float]) -> list[float]:
    """One way to paint: the mean of several, each of which is a distribution over the network's styles."""
    wholes = [sum(style) or 1.0 for style in styles]
    columns = zip(*styles, strict=True)
    return [sum(s * x / w for s, x, w in zip(shares, column, wholes, strict=True)) for column in columns]


def _painted(
    content: Tensor,
    model: Path,
    style: Sequence[float],
    strength: float,
    style_scale: float,
    device: str,
    watch: Watch,
) -> Tensor:
    """As often as ``strength`` says, each time over what the last has painted."""
    height, width = content.shape[-2:]
    longest = max(height, width)
    side = max(1, round(longest * AS_LEARNED / style_scale))
    sides = [side] if side >= longest else [side, longest]
    passes = math.ceil(strength)
    picture = content.clone()
    for number in range(passes):
        stage = f"pass {number + 1} of {passes}" if passes > 1 else ""
        layers = []
        for done, each in enumerate(sides):
            before = (number + done / len(sides)) / passes
            tell = partial(_share, watch, before, 1 / (passes * len(sides)), stage)
            layers.append(translate(picture, model, side=each, styles=style, device=device, progress=tell))
        picture = picture.lerp(_together(layers, (height, width)), min(1.0, strength - number))
        watch(Report((number + 1) / passes, picture, stage=stage))
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
