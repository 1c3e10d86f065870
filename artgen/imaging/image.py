"""The image type, ``torch.float32``, ``(3, H, W)``, sRGB-encoded, ``[0, 1]``, and resampling.

Resampling works on any ``(..., C, H, W)`` float tensor and never modifies its argument.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from artgen.errors import ArtgenError
from artgen.imaging.sizes import scaled_size

# Rec. 709: the luminance of the sRGB primaries.
LUMINANCE_WEIGHTS = (0.2126, 0.7152, 0.0722)


def check_image(image: Tensor, where: str) -> Tensor:
    """Return ``image`` if it is ``(3, H, W)`` float32 and finite.

    Args:
        image: the tensor to check.
        where: what made the tensor, named by the error.

    Raises:
        ArtgenError: the tensor is no image.
    """
    expected = "an image is float32, (3, H, W), at least 1 px each way"
    if image.dtype != torch.float32 or image.ndim != 3 or image.shape[0] != 3 or 0 in image.shape:
        raise ArtgenError(where, f"{image.dtype} of shape {tuple(image.shape)}", expected)
    if not bool(torch.isfinite(image.sum())):
        raise ArtgenError(where, "values that are not numbers (NaN or infinity)", expected)
    return image


def luminance(image: Tensor) -> Tensor:
    """Return the luma ``(..., 1, H, W)`` of ``(..., 3, H, W)``: Rec. 709 weights on the encoded values."""
    weights = torch.tensor(LUMINANCE_WEIGHTS, dtype=image.dtype, device=image.device).view(3, 1, 1)
    return (image * weights).sum(-3, keepdim=True)


def block_means(image: Tensor, factor: int) -> Tensor:
    """Return the mean of an image's ``factor`` x ``factor`` blocks; both sides must be multiples of it."""
    return F.avg_pool2d(image, factor) if factor > 1 else image


def shrink(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resample an image to a smaller ``(H, W)``: antialiased bicubic, clamped to ``[0, 1]``."""
    return _interpolate(image, size, antialias=True).clamp_(0, 1)


def enlarge(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resample an image to a larger ``(H, W)``: bicubic, clamped to ``[0, 1]``."""
    return _interpolate(image, size, antialias=False).clamp_(0, 1)


def resize(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resample an image to ``(H, W)``: bicubic, antialiased if a side becomes shorter."""
    height, width = image.shape[-2:]
    return shrink(image, size) if size[0] < height or size[1] < width else enlarge(image, size)


def resize_if_needed(image: Tensor, size: Sequence[int]) -> Tensor:
    """Resize an image ``(C, H, W)`` to ``size``, ``(H, W)``; return it unchanged where it has that size."""
    return image if tuple(image.shape[-2:]) == tuple(size) else resize(image, size)


def resize_longer_side(image: Tensor, side: int) -> Tensor:
    """Resample an image so that its longer side is ``side`` px; the proportions stay."""
    return resize(image, scaled_size(image.shape, side))


def limit_longer_side(image: Tensor, side: int) -> Tensor:
    """Reduce an image whose longer side exceeds ``side`` px; return a smaller one unchanged."""
    return resize_longer_side(image, side) if max(image.shape[-2:]) > side else image


def to_byte_array(image: Tensor) -> npt.NDArray[np.uint8]:
    """Convert an image ``(3, H, W)`` in [0, 1] to 8-bit ``(H, W, 3)``, clamped and rounded."""
    pixels = image.detach().cpu().clamp(0, 1).mul(255).round_().to(torch.uint8)
    array: npt.NDArray[np.uint8] = pixels.permute(1, 2, 0).contiguous().numpy()
    return array


def _interpolate(image: Tensor, size: Sequence[int], *, antialias: bool) -> Tensor:
    batched = image if image.ndim == 4 else image[None]
    resampled = F.interpolate(
        batched, size=tuple(size), mode="bicubic", antialias=antialias, align_corners=False
    )
    return resampled if image.ndim == 4 else resampled[0]
