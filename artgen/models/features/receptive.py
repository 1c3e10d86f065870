"""What a feature of a network sees of the picture, worked out from the kernels that lead to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Kernel:
    """One convolution or pool: side, step and padding of its window; ``up`` when the count is rounded up."""

    side: int
    step: int = 1
    padding: int = 0
    up: bool = False

    def count(self, length: int) -> int:
        """How many places the window has on a line of ``length``."""
        room = length + 2 * self.padding - self.side
        if not self.up:
            return max(0, room // self.step + 1)
        places = -(-room // self.step) + 1
        # A window that begins beyond the line and its padding does not count.
        if (places - 1) * self.step >= length + self.padding:
            places -= 1
        return max(0, places)


@dataclass(frozen=True)
class Sight:
    """How a layer lies over the picture: feature ``i`` belongs to ``stride`` px from ``i * stride`` on.

    Attributes:
        stride: px between neighbouring features.
        before: px that a feature sees before its own.
        after: px that it sees after its own.
    """

    stride: int
    before: int
    after: int

    @property
    def halo(self) -> int:
        """Px beyond its own that may change a feature, on the side where it sees farther."""
        return max(self.before, self.after, 0)


def sight(kernels: Iterable[Kernel]) -> Sight:
    """The sight of the layer that these kernels, in order, lead to."""
    stride, before, last = 1, 0, 0
    for kernel in kernels:
        before += kernel.padding * stride
        last += (kernel.side - 1 - kernel.padding) * stride
        stride *= kernel.step
    return Sight(stride, before, last - (stride - 1))


def extent(kernels: Iterable[Kernel], length: int) -> int:
    """How many features a line of ``length`` px has there."""
    for kernel in kernels:
        length = kernel.count(length)
    return length
