"""Style transfer that needs no weights: the content painted anew out of patches of a painting.

Coarse-to-fine texture optimisation (Kwatra et al. 2005; Elad and Milanfar 2017) with the normalised
patch score of GPNN (Granot et al. 2022) and palette transfer (Pitie et al. 2007).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.image import check_image, luminance, resize
from artgen.style.detail import blur, edge_map, match_fine_bands, raise_local_contrast
from artgen.style.painting import Painter
from artgen.style.palette import linear_map, replace_luminance, transfer_palette
from artgen.style.plan import Level, make_plan
from artgen.style.presets import Preset, find_preset
from artgen.style.styleset import StyleSet, prepare

CRISPNESS = 0.4


@torch.no_grad()
def stylize(
    content: Tensor,
    styles: Sequence[Tensor],
    *,
    preset: str = "balanced",
    strength: float = 1.0,
    weights: Sequence[float] | None = None,
    preserve: Literal["none", "colour"] = "none",
    style_scale: float = 1.33,
    seed: int,
    progress: Callable[[float], None] = lambda fraction: None,
    device: str = "cpu",
    fast: bool = False,
) -> Tensor:
    """Paint ``content`` in the manner of ``styles``.

    The same arguments give the same picture, at one torch thread.

    Args:
        content: ``(3, H, W)`` float32, sRGB in ``[0, 1]``, any size from 1 px.
        styles: one or more paintings, ``(3, h, w)`` likewise.
        preset: ``bold``, ``balanced``, ``faithful``; ``dream`` for an enlarged thumbnail.
        strength: 0 leaves the content, 1 is the preset as meant, more holds the content less.
        weights: the share of each style; equal when None.
        preserve: ``colour`` keeps the content's colours and paints in luminance only.
        style_scale: size of the style against the content: below 1 finer strokes, above 1 broader.
            No style is enlarged beyond its own pixels.
        seed: of the noise and the grid's shifts; ours alone, the global generator is not touched.
        progress: called with the fraction done, 0 to 1.
        device: where to work.
        fast: a preview: coarser grids, fewer patches, one iteration.

    Returns:
        ``(3, H, W)`` in ``[0, 1]``, of the content's size, on the CPU.

    Raises:
        ArtgenError: an argument is out of range or a picture is not one.
    """
    recipe = find_preset(preset)
    shares = _check(content, styles, strength, weights, preserve, style_scale)
    if strength == 0:
        return content.clone()
    original = content.to(device)
    pictures = [style.to(device) for style in styles]
    if preserve == "colour":
        content, pictures = _in_luminance(original, pictures)
    generator = torch.Generator().manual_seed(seed)
    painted = _paint(
        original if preserve == "none" else content,
        prepare(pictures, shares),
        recipe,
        strength,
        style_scale,
        generator,
        progress,
        fast,
    )
    if preserve == "colour":
        painted = replace_luminance(original, luminance(painted))
    return painted.cpu()


def _paint(
    content: Tensor,
    styles: StyleSet,
    preset: Preset,
    strength: float,
    style_scale: float,
    generator: torch.Generator,
    progress: Callable[[float], None],
    fast: bool,
) -> Tensor:
    amount = min(1.0, strength) ** 0.5
    ground = raise_local_contrast(content, preset.contrast)
    ground = linear_map(ground, styles.palette, amount)
    ground = transfer_palette(ground, styles.palette, generator, turns=10, amount=0.5 * amount)
    levels = make_plan(content.shape[1], content.shape[2], fast=fast)
    total, done = sum(level.cost for level in levels), 0.0
    picture = resize(ground, levels[0].size)
    for number, level in enumerate(levels):
        hold = preset.decay**number / strength
        picture = _paint_level(
            picture,
            ground,
            styles,
            level,
            (preset.base * hold, preset.edge * hold),
            style_scale,
            amount,
            generator,
        )
        done += level.cost
        progress(done / total)
    finest = styles.atlas(_side(content.shape[1:], style_scale)).pictures[styles.leading]
    return match_fine_bands(picture, finest, CRISPNESS * amount)


def _paint_level(
    picture: Tensor,
    ground: Tensor,
    styles: StyleSet,
    level: Level,
    hold: tuple[float, float],
    style_scale: float,
    amount: float,
    generator: torch.Generator,
) -> Tensor:
    """Take the picture to the level's size and paint it there."""
    base, edge = hold
    wanted = resize(ground, level.size)
    atlas = styles.atlas(side := _side(level.size, style_scale))
    edges = edge_map(wanted)
    pull = base + edge * edges

    def fuse(image: Tensor) -> Tensor:
        return ((image + pull * wanted) / (1 + pull)).clamp_(0, 1)

    picture = fuse(resize(picture, level.size))
    if level.noise:
        style = atlas.pictures[styles.leading]
        grain = blur(torch.randn(1, *level.size, generator=generator).to(picture.device), 1.0)
        rough = (style - blur(style, 2.0)).std() * level.noise / grain.pow(2).mean().sqrt()
        picture = (picture + grain * rough * (1 - 0.8 * edges)).clamp_(0, 1)
    room = min(min(size) for size in atlas.sizes) // 2
    for step in level.passes:
        if step.patch > 7 and step.patch > min(room, max(level.size) // 2):
            continue
        painter = Painter(styles.dictionary(side, step), step.stride, generator)
        for _ in range(step.repeats):
            picture = fuse(painter.paint(picture))
        picture = transfer_palette(picture, styles.palette, generator, turns=3, amount=0.5 * amount)
    return picture


def _side(size: Sequence[int], style_scale: float) -> int:
    return max(1, round(max(size) * style_scale))


def _in_luminance(content: Tensor, pictures: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Content and styles in grey, the styles with the content's mean and contrast (Gatys et al. 2017)."""
    grey = luminance(content)
    spread = (grey - grey.mean()).pow(2).mean().sqrt()
    matched = []
    for picture in pictures:
        tone = luminance(picture)
        tone = tone - tone.mean()
        tone = tone / tone.pow(2).mean().sqrt().clamp_min(1e-3) * spread + grey.mean()
        matched.append(tone.clamp(0, 1).expand(3, -1, -1).contiguous())
    return grey.expand(3, -1, -1).contiguous(), matched


def _check(
    content: Tensor,
    styles: Sequence[Tensor],
    strength: float,
    weights: Sequence[float] | None,
    preserve: str,
    style_scale: float,
) -> list[float]:
    check_image(content, "style content")
    if not styles:
        raise ArtgenError("style", "no style image", "at least one")
    for style in styles:
        check_image(style, "style image")
    if not 0 <= strength <= 4:
        raise ArtgenError("style strength", str(strength), "0 to 4; 1 is the preset as meant")
    if not 0.1 <= style_scale <= 4:
        raise ArtgenError("style scale", str(style_scale), "0.1 to 4")
    if preserve not in ("none", "colour"):
        raise ArtgenError("style preserve", f"'{preserve}'", "none or colour")
    shares = [1.0] * len(styles) if weights is None else [float(weight) for weight in weights]
    if len(shares) != len(styles) or min(shares) < 0 or sum(shares) <= 0:
        raise ArtgenError("style weights", str(shares), f"{len(styles)} numbers from 0 up, not all 0")
    return shares
