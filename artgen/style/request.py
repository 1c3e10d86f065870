"""What every method of style transfer is asked for, and what none of them accepts. Imports no torch."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from artgen.errors import ArtgenError
from artgen.style.progress import Watch, unwatched

if TYPE_CHECKING:
    from torch import Tensor

Preserve = Literal["none", "colour", "luminance"]
# Longer side of the painting over the content's: that of `patch`, at which networks are taught.
SCALE = 1.33


@dataclass(frozen=True, kw_only=True, eq=False)
class StyleRequest:
    """How much style goes where, and what of the content is kept.

    Attributes:
        seed: of noise and of the grid's shifts; the global generator is not touched. A network leaves nothing
            to chance.
        strength: 0 leaves the content, 1 is the settings as meant. More, up to 4, holds the content less; a
            network then paints over what it painted: 2.5 is half-way from twice to thrice.
        weights: the share of each style; equal when None.
        masks: ``(k, 1, h, w)`` in [0, 1], of any size. One for each style says where it goes; a single one
            where all of them do. What no mask covers stays as it was.
        preserve: ``colour`` keeps the content's colours and takes the painting's luminance, ``luminance`` the
            other way round.
        faces: how much faces are spared, 0 to 1.
        scale: size of the painting over that of the content, 0.1 to 4: larger, broader strokes. None is
            ``SCALE``, or what the settings have.
        start: ``(3, H, W)``: a painting to begin from, such as a film's last frame, moved along.
        watch: told how far it is.
        device: where to work.
    """

    seed: int
    strength: float = 1.0
    weights: Sequence[float] | None = None
    masks: Tensor | None = None
    preserve: Preserve = "none"
    faces: float = 0.0
    scale: float | None = None
    start: Tensor | None = None
    watch: Watch = unwatched
    device: str = "cpu"


def check_request(request: StyleRequest, content: Tensor, styles: Sequence[Sequence[Tensor]]) -> list[float]:
    """Refuse what no method can paint.

    Args:
        request: how it is to be painted.
        content: ``(3, H, W)`` float32, sRGB in [0, 1].
        styles: the pictures of each style, likewise or as bytes.

    Returns:
        The share of each style; together they are 1.

    Raises:
        ArtgenError: a field is out of range or a picture is not one.
    """
    import torch

    from artgen.imaging.image import check_image

    check_image(content, "style content")
    if not styles or not all(styles):
        raise ArtgenError("style", "no style image", "at least one")
    for picture in (picture for style in styles for picture in style):
        if picture.dtype != torch.uint8 or picture.ndim != 3:
            check_image(picture, "style image")
    if not 0 <= request.strength <= 4:
        raise ArtgenError("style strength", str(request.strength), "0 to 4; 1 is the preset as meant")
    if request.scale is not None and not 0.1 <= request.scale <= 4:
        raise ArtgenError("style scale", str(request.scale), "0.1 to 4")
    check_choice("preserve", request.preserve, get_args(Preserve))
    if not 0 <= request.faces <= 1:
        raise ArtgenError("style faces", str(request.faces), "0 to 1; 0 treats faces as everything else")
    count, masks = len(styles), request.masks
    if masks is not None and (masks.ndim != 4 or masks.shape[1] != 1 or len(masks) not in {1, count}):
        right = f"(1 or {count}, 1, H, W): one for all styles, or one for each"
        raise ArtgenError("style masks", f"of shape {tuple(masks.shape)}", right)
    weights = [1.0] * count if request.weights is None else [float(weight) for weight in request.weights]
    if len(weights) != count or min(weights) < 0 or sum(weights) <= 0:
        raise ArtgenError("style weights", str(weights), f"{count} numbers from 0 up, not all 0")
    return [weight / sum(weights) for weight in weights]


def check_choice(key: str, value: str, choices: Collection[str]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        ArtgenError: it is not.
    """
    if value not in choices:
        raise ArtgenError(f"style {key}", f"'{value}'", f"one of {', '.join(choices)}")
