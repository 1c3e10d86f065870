"""Read sizes and times on the command line: ``256``, ``320x180``, ``own``; ``90``, ``1:30``, ``0:01:30``."""

from __future__ import annotations

import re

from artgen.errors import ArtgenError

MAX_PICTURE_SIDE_PX = 8192


def parse_size(text: str) -> tuple[int, int] | None:
    """Return a size typed on the command line as ``(H, W)`` in px, or None for ``own``, each image's own.

    Raises:
        ArtgenError: the text has another form, or a side is not from 8 to 8192 px.
    """
    if text == "own":
        return None
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip().lower(), re.ASCII)
    expected = (
        f"a side in px such as 256, or WIDTHxHEIGHT such as 320x180, from 8 to {MAX_PICTURE_SIDE_PX}; or own"
    )
    if not match:
        raise ArtgenError(f"--size {text}", "not a size", expected)
    width, height = int(match[1]), int(match[2] or match[1])
    if not all(8 <= side <= MAX_PICTURE_SIDE_PX for side in (width, height)):
        raise ArtgenError(f"--size {text}", f"{width} x {height} px", expected)
    return height, width


def parse_time(text: str, option: str) -> float:
    """Return the seconds of a time on the command line, such as ``90``, ``90.5``, ``1:30`` or ``0:01:30``.

    Raises:
        ArtgenError: the text has another form.
    """
    if not re.fullmatch(r"(?:(?:\d{1,3}:)?\d{1,4}:)?\d{1,6}(?:\.\d{1,6})?", text.strip(), re.ASCII):
        raise ArtgenError(f"{option} {text}", "not a time", "seconds, or minutes and seconds as in 1:30")
    seconds = 0.0
    for part in text.strip().split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
