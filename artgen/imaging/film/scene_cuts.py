"""Detection of scene cuts in a film, frame by frame, from thumbnails of 32 x 18 px."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

FRAME_THUMBNAIL_SIZE = (18, 32)  # (H, W) of the frames compared
# Mean change of a value (0 to 255) from one frame to the next: a cut is more than the minimum, and more than
# the ratio times the mean change of the frames before it.
MIN_CUT_PIXEL_CHANGE, CUT_CHANGE_RATIO = 10.0, 3.0
# Time over which the mean change is averaged.
CHANGE_AVERAGING_SECONDS = 1.0
# Cuts closer together than this are ignored: a photographer's flash is no scene.
MIN_SCENE_SECONDS = 0.4
# A dissolve has no cut. When successive frames again differ by less than the first value, a scene starts if
# its colour histogram overlaps with that of the scene's first frame by less than the second.
MAX_CALM_DIFFERENCE, MAX_NEW_SCENE_OVERLAP = 3.0, 0.5

FrameThumbnail = npt.NDArray[np.uint8]


class SceneDetector:
    """Detector of scene cuts: it gets a film's frames one after the other.

    The measure is that of PySceneDetect's adaptive detector: a frame's change against the running mean of the
    changes before it, so that a moving camera raises the threshold. Deviations: the mean includes only
    earlier frames, so that no frames are stored; the change is that of 32 x 18 px RGB less their mean, which
    noise, small motion and flicker hardly affect; and colour histograms find dissolves and fades, which have
    no cut.
    """

    def __init__(self) -> None:
        self._last_thumbnail: FrameThumbnail | None = None
        self._first_thumbnail: FrameThumbnail | None = None
        self._last_seconds = self._scene_start_seconds = 0.0
        self._mean_change = 0.0

    def starts_scene(self, seconds: float, thumbnail: FrameThumbnail) -> bool:
        """Return whether a scene starts with the next frame.

        Args:
            seconds: the frame's time.
            thumbnail: the frame as RGB, ``(18, 32, 3)``.
        """
        last_thumbnail, elapsed = self._last_thumbnail, seconds - self._last_seconds
        self._last_thumbnail, self._last_seconds = thumbnail, seconds
        if last_thumbnail is None or self._first_thumbnail is None:
            self._start_scene(seconds, thumbnail)
            return True
        change = mean_difference_less_brightness(thumbnail, last_thumbnail)
        is_cut = change > max(MIN_CUT_PIXEL_CHANGE, CUT_CHANGE_RATIO * self._mean_change)
        is_dissolved = (
            mean_difference(thumbnail, last_thumbnail) < MAX_CALM_DIFFERENCE
            and histogram_overlap(thumbnail, self._first_thumbnail) < MAX_NEW_SCENE_OVERLAP
        )
        scene_seconds = seconds - self._scene_start_seconds
        if (is_cut or is_dissolved) and scene_seconds >= MIN_SCENE_SECONDS:
            self._start_scene(seconds, thumbnail)
            return True
        # A plain mean while the scene is shorter than the averaging time, then a running one.
        weight = max(0.0, elapsed) / min(CHANGE_AVERAGING_SECONDS, max(elapsed, scene_seconds, 1e-6))
        self._mean_change += weight * (change - self._mean_change)
        return False

    def _start_scene(self, seconds: float, thumbnail: FrameThumbnail) -> None:
        self._first_thumbnail, self._scene_start_seconds, self._mean_change = thumbnail, seconds, 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the detector's state as JSON-compatible values, to resume a film later."""
        thumbnails = (self._last_thumbnail, self._first_thumbnail)
        return {
            "frames": [None if t is None else t.tobytes().hex() for t in thumbnails],
            "numbers": [self._last_seconds, self._scene_start_seconds, self._mean_change],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a scene detector's state that ``state_dict`` returned."""
        self._last_thumbnail, self._first_thumbnail = (
            None if text is None else thumbnail_from_hex(text) for text in state["frames"]
        )
        self._last_seconds, self._scene_start_seconds, self._mean_change = state["numbers"]


def thumbnail_from_hex(text: str) -> FrameThumbnail:
    """Decode a frame's thumbnail ``(18, 32, 3)`` from its bytes in hexadecimal."""
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(*FRAME_THUMBNAIL_SIZE, 3)


def mean_difference(a: FrameThumbnail, b: FrameThumbnail) -> float:
    """Return the mean absolute difference of two frames' thumbnails, 0 to 255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


def mean_difference_less_brightness(a: FrameThumbnail, b: FrameThumbnail) -> float:
    """Return the mean absolute difference of two thumbnails less their means, so that flicker is no cut."""
    float_a, float_b = a.astype(np.float32), b.astype(np.float32)
    return float(np.abs((float_a - float_a.mean()) - (float_b - float_b.mean())).mean())


def histogram_overlap(a: FrameThumbnail, b: FrameThumbnail) -> float:
    """Return the intersection of two thumbnails' colour histograms, mean of the channels, 0 to 1.

    Swain and Ballard 1991, with 16 bins per channel; each value is divided between its two nearest bins.
    """
    return float(np.minimum(_channel_histograms(a), _channel_histograms(b)).sum() / 3)


def _channel_histograms(thumbnail: FrameThumbnail) -> npt.NDArray[np.float64]:
    positions = thumbnail.reshape(-1, 3) / 255 * 15
    lower_bins = positions.astype(int)
    fractions = positions - lower_bins
    counts = np.zeros((3, 17))
    for channel in range(3):
        counts[channel] += np.bincount(lower_bins[:, channel], 1 - fractions[:, channel], 17)
        counts[channel] += np.bincount(lower_bins[:, channel] + 1, fractions[:, channel], 17)
    return counts / len(positions)
