"""Sizes and moments as a person writes them: ``256``, ``320x180``, ``own``; ``90``, ``1:30``, ``0:01:30``."""

from __future__ import annotations

import re

from artgen.errors import ArtgenError

MAX_SIDE = 8192


def parse_size(text: str) -> tuple[int, int] | None:
    """``(H, W)`` in px; None for ``own``.

    Raises:
        ArtgenError: it is written otherwise, or not from 8 to 8192 px.
    """
    if text == "own":
        return None
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip().lower(), re.ASCII)
    right = f"a side in px such as 256, or WIDTHxHEIGHT such as 320x180, from 8 to {MAX_SIDE}; or own"
    if not match:
        raise ArtgenError(f"--size {text}", "no size", right)
    width, height = int(match[1]), int(match[2] or match[1])
    if not all(8 <= side <= MAX_SIDE for side in (width, height)):
        raise ArtgenError(f"--size {text}", f"{width} x {height} px", right)
    return height, width


def parse_time(text: str, option: str) -> float:
    """Seconds of ``90``, ``90.5``, ``1:30`` or ``0:01:30``.

    Raises:
        ArtgenError: it is written otherwise.
    """
    if not re.fullmatch(r"(?:(?:\d{1,3}:)?\d{1,4}:)?\d{1,6}(?:\.\d{1,6})?", text.strip(), re.ASCII):
        raise ArtgenError(f"{option} {text}", "no moment", "seconds, or minutes and seconds as in 1:30")
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
