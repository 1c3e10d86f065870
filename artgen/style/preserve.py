"""Parts of the content that every method can preserve: colours, luminance, faces, unmasked areas."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from artgen.imaging.faces.detect import FACE_CROP_RISE, find_faces
from artgen.imaging.image import luminance, resize
from artgen.style.palette import replace_luminance
from artgen.style.request import StyleRequest
from artgen.style.style_folder import to_float_image

# Half axes of the ellipse around a head and the width of its soft border, relative to the side of the
# detected face's square.
HEAD_HALF_AXES = (0.62, 0.85)
HEAD_BORDER_WIDTH = 0.18


def to_matched_grey(content: Tensor, style_images: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Convert content and style images to grey, the styles with the content's mean and contrast.

    The luminance-only transfer of Gatys et al. 2017.

    Args:
        content: ``(3, H, W)`` in ``[0, 1]``.
        style_images: ``(3, h, w)`` each, floats in ``[0, 1]`` or bytes.

    Returns:
        The grey content and the grey style images, three equal channels each; bytes stay bytes.
    """
    content_grey = luminance(content)
    content_contrast = (content_grey - content_grey.mean()).pow(2).mean().sqrt()

    def match_tone(style_image: Tensor) -> Tensor:
        grey = luminance(to_float_image(style_image))
        grey = grey - grey.mean()
        contrast = grey.pow(2).mean().sqrt().clamp_min(1e-3)
        grey = (grey / contrast * content_contrast + content_grey.mean()).clamp(0, 1)
        if style_image.dtype == torch.uint8:
            grey = grey.mul(255).round_().to(torch.uint8)
        return grey.expand(3, -1, -1).contiguous()

    return content_grey.expand(3, -1, -1).contiguous(), [match_tone(image) for image in style_images]


def restore_preserved(original: Tensor, painted: Tensor, request: StyleRequest) -> Tensor:
    """Restore what the request preserves of the original: colours or luminance, and unmasked areas.

    Args:
        original: the content, ``(3, H, W)``.
        painted: the stylised image, of the same size.
        request: its ``preserve`` and ``masks`` are used.
    """
    if request.preserve == "colour":
        painted = replace_luminance(original, luminance(painted))
    elif request.preserve == "luminance":
        painted = replace_luminance(painted, luminance(original))
    if request.masks is None:
        return painted
    masks = resize(request.masks.to(original), original.shape[-2:])
    return original.lerp(painted, masks.sum(0).clamp(0, 1))


def face_mask(image: Tensor) -> Tensor:
    """Return a soft mask of the heads in ``(3, H, W)``.

    Returns:
        ``(1, H, W)``: 1 within an ellipse around each detected face, falling to 0 outside.
    """
    height, width = image.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    mask = torch.zeros(1, height, width)
    for face in find_faces(image.cpu()):
        angle = math.radians(face.roll)
        along_width = (x - face.x) * math.cos(angle) + (y - face.y) * math.sin(angle)
        along_height = (y - face.y) * math.cos(angle) - (x - face.x) * math.sin(angle)
        along_height = along_height + FACE_CROP_RISE * face.size
        distance = torch.hypot(along_width / HEAD_HALF_AXES[0], along_height / HEAD_HALF_AXES[1]) / face.size
        mask[0] = torch.maximum(mask[0], torch.sigmoid((1 - distance) * 2 / HEAD_BORDER_WIDTH))
    return mask.to(image.device)
