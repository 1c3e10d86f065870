"""The request that all methods of style transfer share, and its validation. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from artgen.errors import ArtgenError
from artgen.style.progress import ProgressCallback, ignore_progress

if TYPE_CHECKING:
    from torch import Tensor

PreserveMode = Literal["none", "colour", "luminance"]
# Longer side of the painting relative to the content's, at which networks are trained, too.
DEFAULT_STYLE_SCALE = 1.33


@dataclass(frozen=True, kw_only=True, eq=False)
class StyleRequest:
    """What is asked of a style method: how much of each style goes where, and what is preserved.

    Attributes:
        seed: seeds the noise and the shifts of the patch grid; the global generator is not used. Networks
            use no randomness.
        strength: 0 leaves the content unchanged, 1 applies the settings as they are. More, up to 4, keeps
            less of the content. A network then paints several passes: 2.5 is half-way from two to three.
        style_weights: relative weight of each style; equal when None.
        masks: ``(k, 1, h, w)`` in [0, 1], of any size: one per style, or a single one for all styles. Pixels
            that no mask covers stay unchanged.
        preserve: ``colour`` keeps the content's colours and takes the painting's luminance, ``luminance`` the
            other way round.
        face_protection: how much faces are protected from the style, 0 to 1.
        style_scale: longer side of the painting relative to the content's, 0.1 to 4; larger values give
            broader strokes. None is ``DEFAULT_STYLE_SCALE``, or the scale of the settings.
        start_image: ``(3, H, W)``: a painting to start from, such as a film's last frame, warped.
        on_progress: called with every progress report.
        device: torch device to work on.
    """

    seed: int
    strength: float = 1.0
    style_weights: Sequence[float] | None = None
    masks: Tensor | None = None
    preserve: PreserveMode = "none"
    face_protection: float = 0.0
    style_scale: float | None = None
    start_image: Tensor | None = None
    on_progress: ProgressCallback = ignore_progress
    device: str = "cpu"


def validate_request(
    request: StyleRequest, content: Tensor, styles: Sequence[Sequence[Tensor]]
) -> list[float]:
    """Validate a style request and its images, and return the normalised style weights.

    Args:
        request: the request.
        content: ``(3, H, W)`` float32, sRGB in [0, 1].
        styles: the images of each style, likewise or as bytes.

    Returns:
        The share of each style; the shares add up to 1.

    Raises:
        ArtgenError: a field is out of range, or an image is invalid.
    """
    import torch

    from artgen.imaging.image import check_image

    check_image(content, "style content")
    if not styles or not all(styles):
        raise ArtgenError("style", "no style image", "at least one")
    for style_image in (style_image for style in styles for style_image in style):
        if style_image.dtype != torch.uint8 or style_image.ndim != 3:
            check_image(style_image, "style image")
    if not 0 <= request.strength <= 4:
        raise ArtgenError("style strength", str(request.strength), "0 to 4; 1 is the preset as meant")
    if request.style_scale is not None and not 0.1 <= request.style_scale <= 4:
        raise ArtgenError("style scale", str(request.style_scale), "0.1 to 4")
    check_choice("preserve", request.preserve, get_args(PreserveMode))
    if not 0 <= request.face_protection <= 1:
        raise ArtgenError(
            "style faces", str(request.face_protection), "0 to 1; 0 treats faces as everything else"
        )
    style_count, masks = len(styles), request.masks
    if masks is not None and (masks.ndim != 4 or masks.shape[1] != 1 or len(masks) not in {1, style_count}):
        expected = f"(1 or {style_count}, 1, H, W): one for all styles, or one for each"
        raise ArtgenError("style masks", f"of shape {tuple(masks.shape)}", expected)
    given_weights = [1.0] * style_count if request.style_weights is None else request.style_weights
    weights = [float(weight) for weight in given_weights]
    if len(weights) != style_count or min(weights) < 0 or sum(weights) <= 0:
        raise ArtgenError("style weights", str(weights), f"{style_count} numbers from 0 up, not all 0")
    return [weight / sum(weights) for weight in weights]


def check_choice(setting: str, value: str, choices: Collection[str]) -> None:
    """Check that a setting of a style method has one of its allowed values.

    Raises:
        ArtgenError: it has another value.
    """
    if value not in choices:
        raise ArtgenError(f"style {setting}", f"'{value}'", f"one of {', '.join(choices)}")
