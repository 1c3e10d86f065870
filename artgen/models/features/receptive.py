"""Receptive fields of a network's features, computed from the convolutions and pools before them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class SlidingWindow:
    """One convolution or pool of a feature network along one axis, with torch's parameters."""

    size: int
    stride: int = 1
    padding: int = 0
    ceil_mode: bool = False

    def output_length(self, length: int) -> int:
        """Return how many features a convolution or pool gives for an input of ``length`` px."""
        free_length = length + 2 * self.padding - self.size
        if not self.ceil_mode:
            return max(0, free_length // self.stride + 1)
        positions = -(-free_length // self.stride) + 1
        # A window that begins beyond the input and its padding does not count.
        if (positions - 1) * self.stride >= length + self.padding:
            positions -= 1
        return max(0, positions)


@dataclass(frozen=True)
class ReceptiveField:
    """Receptive field of a layer's features; feature ``i`` stands for ``stride`` px from ``i * stride`` on.

    Attributes:
        stride: px between neighbouring features.
        before: px before a feature's own that influence it.
        after: px after a feature's own that influence it.
    """

    stride: int
    before: int
    after: int

    @property
    def halo(self) -> int:
        """Px beyond a feature's own that influence it, on the side of more."""
        return max(self.before, self.after, 0)


def receptive_field(windows: Iterable[SlidingWindow]) -> ReceptiveField:
    """Return the receptive field of the layer after these convolutions and pools, which are in order."""
    stride, before, last = 1, 0, 0
    for window in windows:
        before += window.padding * stride
        last += (window.size - 1 - window.padding) * stride
        stride *= window.stride
    return ReceptiveField(stride, before, last - (stride - 1))


def feature_length(windows: Iterable[SlidingWindow], length: int) -> int:
    """Return how many features the layer after these windows has along ``length`` px of the image."""
    for window in windows:
        length = window.output_length(length)
    return length
