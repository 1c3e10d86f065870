"""What of the content is kept, whatever the method: colours or luminance, faces, what masks leave out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.faces.detect import RISE, find_faces
from artgen.imaging.image import check_image, luminance, resize
from artgen.style.palette import replace_luminance
from artgen.style.style_folder import as_floats

Preserve = Literal["none", "colour", "luminance"]
PRESERVES = ("none", "colour", "luminance")
# Half axes of the ellipse about a head, over the side of the face's square, and the width of its border.
HEAD = (0.62, 0.85)
SOFT = 0.18


def check_manner(
    content: Tensor,
    styles: Sequence[Tensor | Sequence[Tensor]],
    *,
    strength: float,
    weights: Sequence[float] | None,
    masks: Tensor | None,
    preserve: str,
    style_scale: float,
    faces: float = 0.0,
) -> list[float]:
    """Refuse what no method can paint.

    Args:
        content: the picture.
        styles: a painting, or several, each.
        strength: as ``stylize`` of the methods has it, and so the others.
        weights: of the styles.
        masks: of the styles, or one.
        preserve: what is kept.
        style_scale: of the paintings.
        faces: how much they are spared.

    Returns:
        The share of each style; together they are 1.

    Raises:
        ArtgenError: an argument is out of range or a picture is not one.
    """
    check_image(content, "style content")
    albums = [[style] if isinstance(style, Tensor) else style for style in styles]
    if not albums or not all(albums):
        raise ArtgenError("style", "no style image", "at least one")
    for picture in (picture for album in albums for picture in album):
        if picture.dtype != torch.uint8 or picture.ndim != 3:
            check_image(picture, "style image")
    if not 0 <= strength <= 4:
        raise ArtgenError("style strength", str(strength), "0 to 4; 1 is the preset as meant")
    if not 0.1 <= style_scale <= 4:
        raise ArtgenError("style scale", str(style_scale), "0.1 to 4")
    if preserve not in PRESERVES:
        raise ArtgenError("style preserve", f"'{preserve}'", f"one of {', '.join(PRESERVES)}")
    if not 0 <= faces <= 1:
        raise ArtgenError("style faces", str(faces), "0 to 1; 0 treats faces as everything else")
    if masks is not None and (masks.ndim != 4 or masks.shape[1] != 1 or len(masks) not in {1, len(styles)}):
        right = f"(1 or {len(styles)}, 1, H, W): one for all styles, or one for each"
        raise ArtgenError("style masks", f"of shape {tuple(masks.shape)}", right)
    shares = [1.0] * len(styles) if weights is None else [float(weight) for weight in weights]
    if len(shares) != len(styles) or min(shares) < 0 or sum(shares) <= 0:
        raise ArtgenError("style weights", str(shares), f"{len(styles)} numbers from 0 up, not all 0")
    return [share / sum(shares) for share in shares]


def in_luminance(content: Tensor, pictures: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Content and styles in grey, the styles with the content's mean and contrast (Gatys et al. 2017)."""
    grey = luminance(content)
    spread = (grey - grey.mean()).pow(2).mean().sqrt()

    def matched(picture: Tensor) -> Tensor:
        tone = luminance(as_floats(picture))
        tone = tone - tone.mean()
        tone = (tone / tone.pow(2).mean().sqrt().clamp_min(1e-3) * spread + grey.mean()).clamp(0, 1)
        if picture.dtype == torch.uint8:
            tone = tone.mul(255).round_().to(torch.uint8)
        return tone.expand(3, -1, -1).contiguous()

    return grey.expand(3, -1, -1).contiguous(), [matched(picture) for picture in pictures]


def finished(original: Tensor, painted: Tensor, preserve: Preserve, masks: Tensor | None) -> Tensor:
    """What a method has painted, with what was to be kept.

    Args:
        original: the content, ``(3, H, W)``.
        painted: the same size.
        preserve: ``colour`` keeps the original's colours and takes the painting's luminance, ``luminance``
            the other way round.
        masks: ``(k, 1, h, w)`` of any size: where none of them is, the original stays.
    """
    if preserve == "colour":
        painted = replace_luminance(original, luminance(painted))
    elif preserve == "luminance":
        painted = replace_luminance(painted, luminance(original))
    if masks is None:
        return painted
    size = (original.shape[-2], original.shape[-1])
    return original.lerp(painted, resize(masks.to(original), size).sum(0).clamp(0, 1))


def face_map(image: Tensor) -> Tensor:
    """Where heads are: ``(1, H, W)``, 1 in ellipses about the faces of ``(3, H, W)``, 0 far from them."""
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    covered = torch.zeros(1, height, width)
    for face in find_faces(image.cpu()):
        lean = math.radians(face.roll)
        across = (x - face.x) * math.cos(lean) + (y - face.y) * math.sin(lean)
        down = (y - face.y) * math.cos(lean) - (x - face.x) * math.sin(lean)
        away = torch.hypot(across / HEAD[0], (down + RISE * face.size) / HEAD[1]) / face.size
        covered[0] = torch.maximum(covered[0], torch.sigmoid((1 - away) * 2 / SOFT))
    return covered.to(image.device)
