"""How far a painting is: what every method tells while it works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Report:
    """A moment of the work.

    Attributes:
        done: share of the work, 0 to 1.
        picture: ``(3, H, W)`` in [0, 1] as it is by now, perhaps smaller than the result will be; it is the
            painter's own and must not be changed.
        loss: of a method that has one.
        stage: a few words, such as ``512 px``.
    """

    done: float
    picture: Tensor | None = None
    loss: float | None = None
    stage: str = ""


Watch = Callable[[Report], None]


def unwatched(report: Report) -> None:
    """Nobody looks."""
