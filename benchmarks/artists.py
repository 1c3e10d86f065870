"""Artists who can be asked thousands of times: each keeps what scores high by a measure of the pixels.

The measures are taken from 96 px of red, green and blue by Fourier transform and differences: they share no
code with ``artgen.imaging.embedding``. An artist keeps about 8 of a hundred. The taste was tuned on ``TUNED``
alone; ``HELD_OUT`` were looked at when that was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 96
KEPT = 0.08
LOW = 6  # cycles a picture: forms of a sixth of it and larger are coarse
Scores = NDArray[np.float64]


def measures(files: Sequence[Path]) -> dict[str, Scores]:
    """Compute statistics of the pixels of each picture."""
    from PIL import Image

    rows = []
    for file in files:
        with Image.open(file) as image:
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
        rows.append(_measured(np.asarray(small, np.float64) / 255))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _measured(rgb: NDArray[np.float64]) -> dict[str, float]:
    red, green, blue = np.moveaxis(rgb, -1, 0)
    luma = rgb @ (0.299, 0.587, 0.114)
    spectrum = np.abs(np.fft.fft2((luma - luma.mean()) * np.outer(np.hanning(SIDE), np.hanning(SIDE)))) ** 2
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE, 1 / SIDE), np.fft.fftfreq(SIDE, 1 / SIDE)))
    slope = np.diff(luma, axis=1)[:-1] + 1j * np.diff(luma, axis=0)[:, :-1]
    middle = luma[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4].mean()
    mirrored = luma[:, ::-1]
    return {
        "warmth": float((red - blue).mean() / (rgb.mean() + 0.05)),
        "coarseness": float(spectrum[cycles < LOW].sum() / (spectrum.sum() + 1e-9)),
        "key": float(luma.mean()),
        "contrast": float(luma.std()),
        "saturation": float((rgb.max(-1) - rgb.min(-1)).mean()),
        "direction": float(abs((slope**2).mean()) / ((abs(slope) ** 2).mean() + 1e-6)),
        "calm": float((abs(slope) < 0.03).mean()),
        "green": float((green - (red + blue) / 2).mean()),
        "centre": float(middle - luma.mean()),
        "symmetry": float(((luma - luma.mean()) * (mirrored - luma.mean())).mean() / (luma.var() + 1e-6)),
    }


def ranks(scores: Scores) -> Scores:
    """From 0, the least, to 1."""
    order = np.empty(len(scores))
    order[np.argsort(scores, kind="stable")] = np.arange(len(scores)) / max(1, len(scores) - 1)
    return order


def best(scores: Scores, share: float = KEPT) -> NDArray[np.bool_]:
    """Return the share of them with the highest scores."""
    kept = np.zeros(len(scores), bool)
    kept[np.argsort(-scores, kind="stable")[: round(len(scores) * share)]] = True
    return kept


def both(*parts: Scores) -> Scores:
    """High only where every part is: the least of their ranks."""
    least: Scores = np.minimum.reduce([ranks(part) for part in parts])
    return least


Measured = Mapping[str, Scores]
Draws = Sequence[Mapping[str, Mapping[str, Any]]]
Artist = Callable[[Measured, Draws], NDArray[np.bool_]]


def _drawn(draws: Draws, test: Callable[[Mapping[str, Mapping[str, Any]]], bool]) -> Scores:
    return np.array([float(test(draw)) for draw in draws])


def _wave_or_kiss(draw: Mapping[str, Mapping[str, Any]]) -> bool:
    style = draw.get("style", {})
    named = any(name in str(style.get("style")) for name in ("great-wave", "the-kiss", "starry-night"))
    return named and style.get("strength", 0) > 0.35


TUNED: dict[str, Artist] = {
    "bright and colourful": lambda m, d: best(both(m["key"], m["saturation"])),
    "green, light in the middle": lambda m, d: best(both(m["green"], m["centre"])),
    "symmetric and busy": lambda m, d: best(both(m["symmetry"], -m["calm"])),
    "cold and fine": lambda m, d: best(both(-m["warmth"], -m["coarseness"])),
    "night or snow": lambda m, d: best(np.abs(ranks(m["key"]) - 0.5)),
    "the wave or the kiss, not too bright": lambda m, d: best(both(-m["key"]) + 2 * _drawn(d, _wave_or_kiss)),
}
HELD_OUT: dict[str, Artist] = {
    "warm and coarse": lambda m, d: best(both(m["warmth"], m["coarseness"])),
    "dark, one strong direction": lambda m, d: best(both(-m["key"], m["direction"])),
    "calm large forms, little colour": lambda m, d: best(both(m["calm"], m["coarseness"], -m["saturation"])),
    "imagined wildly, high contrast": lambda m, d: best(
        both(m["contrast"]) + 2 * _drawn(d, lambda draw: draw.get("upscale", {}).get("noise", 0) > 0.75)
    ),
}
