"""The network learning, as a film."""

from __future__ import annotations

from pathlib import Path


def write_movie(folder: Path) -> Path | None:
    """``progress.mp4`` out of ``samples/``; None without PyAV."""
    return None
