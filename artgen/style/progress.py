"""Progress reports of style transfer, which every method sends while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class StyleProgress:
    """One progress report of a style transfer, sometimes with its unfinished picture.

    Attributes:
        fraction: finished share of the work, 0 to 1.
        image: the current image, ``(3, H, W)`` in [0, 1], perhaps smaller than the result will be. The method
            keeps using it, so it must not be changed.
        loss: the current loss, of a method that has one.
        stage: the current stage in a few words, such as ``512 px``.
    """

    fraction: float
    image: Tensor | None = None
    loss: float | None = None
    stage: str = ""


ProgressCallback = Callable[[StyleProgress], None]


def ignore_progress(progress: StyleProgress) -> None:
    """Discard a progress report of a style method."""
