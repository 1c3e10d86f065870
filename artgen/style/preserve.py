"""What of the content is kept, whatever the method: colours or luminance, faces, what masks leave out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.imaging.faces.detect import RISE, find_faces
from artgen.imaging.image import luminance, resize
from artgen.style.palette import replace_luminance
from artgen.style.request import StyleRequest
from artgen.style.style_folder import as_floats

# Half axes of the ellipse about a head, over the side of the face's square, and the width of its border.
HEAD = (0.62, 0.85)
SOFT = 0.18


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


def finished(original: Tensor, painted: Tensor, request: StyleRequest) -> Tensor:
    """Put back what is kept of the original: its colours or luminance, and what no mask covers.

    Args:
        original: the content, ``(3, H, W)``.
        painted: the same size.
        request: ``preserve`` and ``masks``.
    """
    if request.preserve == "colour":
        painted = replace_luminance(original, luminance(painted))
    elif request.preserve == "luminance":
        painted = replace_luminance(painted, luminance(original))
    if request.masks is None:
        return painted
    size = (original.shape[-2], original.shape[-1])
    return original.lerp(painted, resize(request.masks.to(original), size).sum(0).clamp(0, 1))


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
