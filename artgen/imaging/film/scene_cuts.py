"""Where a film's scenes begin, told from frames of 32 x 18 px as they come: nothing is looked ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

SMALL = (18, 32)  # (H, W) of the frames compared
# Mean change of a value (0 to 255) from one frame to the next: below FLOOR nothing is a cut, and a cut is
# RATIO times the usual change of the frames before it.
FLOOR, RATIO = 10.0, 3.0
# Changes count for the usual one for about so many seconds.
MEMORY = 1.0
# Two cuts lie further apart than this: a photographer's flash is no scene.
SHORTEST = 0.4
# A dissolve has no cut. Once the picture is calm again it is a new scene if its colours share less than this
# with those that the scene began with.
CALM, SHARED = 3.0, 0.5

Small = npt.NDArray[np.uint8]


class Scenes:
    """Says of each frame whether a scene begins with it.

    The measure is that of PySceneDetect's adaptive detector: a frame's change against the running mean of the
    changes before it, so that a moving camera makes the threshold rise. Deviations: the mean looks back only,
    so no frames need be kept; change is of 32 x 18 px RGB less their mean, which noise, small motion and
    flicker do not reach; and colour histograms find the dissolves and fades that have no cut.
    """

    def __init__(self) -> None:
        self._last: Small | None = None
        self._reference: Small | None = None
        self._seconds = self._began = 0.0
        self._usual = 0.0

    def begins(self, seconds: float, small: Small) -> bool:
        """Whether a scene begins with the frame at ``seconds`` that looks like ``small``, (18, 32, 3)."""
        last, passed = self._last, seconds - self._seconds
        self._last, self._seconds = small, seconds
        if last is None or self._reference is None:
            self._begin(seconds, small)
            return True
        change = moved(small, last)
        cut = change > max(FLOOR, RATIO * self._usual)
        dissolved = difference(small, last) < CALM and shared(small, self._reference) < SHARED
        if (cut or dissolved) and seconds - self._began >= SHORTEST:
            self._begin(seconds, small)
            return True
        # A plain mean while the scene is young, a running one later.
        weight = max(0.0, passed) / min(MEMORY, max(passed, seconds - self._began, 1e-6))
        self._usual += weight * (change - self._usual)
        return False

    def _begin(self, seconds: float, small: Small) -> None:
        self._reference, self._began, self._usual = small, seconds, 0.0

    def state(self) -> dict[str, Any]:
        """What another ``Scenes`` needs to go on as this one would, as plain values."""
        frames = [None if f is None else f.tobytes().hex() for f in (self._last, self._reference)]
        return {"frames": frames, "numbers": [self._seconds, self._began, self._usual]}

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse."""
        self._last, self._reference = (None if f is None else from_hex(f) for f in state["frames"])
        self._seconds, self._began, self._usual = state["numbers"]


def from_hex(text: str) -> Small:
    """A small frame from its bytes in hexadecimal."""
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(*SMALL, 3)


def difference(a: Small, b: Small) -> float:
    """Mean absolute difference of the values, 0 to 255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


def moved(a: Small, b: Small) -> float:
    """The same but for the mean brightness of each: a lamp that flickers is no cut."""
    left, right = a.astype(np.float32), b.astype(np.float32)
    return float(np.abs((left - left.mean()) - (right - right.mean())).mean())


def shared(a: Small, b: Small) -> float:
    """How much of their colours two pictures share, 0 to 1: the intersection of histograms, mean of channels.

    Swain and Ballard 1991, with 16 bins a channel, each value shared between its two nearest bins.
    """
    return float(np.minimum(_histogram(a), _histogram(b)).sum() / 3)


def _histogram(small: Small) -> npt.NDArray[np.float64]:
    place = small.reshape(-1, 3) / 255 * 15
    low = place.astype(int)
    rest = place - low
    counts = np.zeros((3, 17))
    for channel in range(3):
        counts[channel] += np.bincount(low[:, channel], 1 - rest[:, channel], 17)
        counts[channel] += np.bincount(low[:, channel] + 1, rest[:, channel], 17)
    return counts / len(place)
