"""Dates of artworks, as labels and feeds write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path

UNKNOWN_TIMESTAMP = "1970-01-01T00:00:00Z"
"""Feeds require a date, and the current time would change the site every day."""


def parse_year(date: str) -> int | None:
    """Return the year of an artwork's ISO 8601 time, or of a year alone; None if there is no year."""
    return int(date[:4]) if date[:4].isascii() and date[:4].isdecimal() and len(date) >= 4 else None


def read_time(file: Path) -> datetime:
    """Return when an artwork's picture was taken, by its Exif; or else when its file was changed."""
    from artgen.gallery.media.renditions import read_date_taken

    try:
        taken = read_date_taken(file)
    except Exception:  # a film, or a picture that cannot be read and that publishing reports
        taken = ""
    with contextlib.suppress(ValueError, OverflowError):
        return _to_utc(datetime.fromisoformat(f"{taken}-01-01" if len(taken) == 4 else taken))
    return read_file_time(file)


def read_file_time(file: Path) -> datetime:
    """Return when an artwork's file was changed, UTC."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).replace(microsecond=0)


def _to_utc(time: datetime) -> datetime:
    """Convert an artwork's time to UTC; one without a zone counts as UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def to_rfc3339(date: str) -> str:
    """Convert an artwork's ISO 8601 time or year to RFC 3339 in UTC, for feeds."""
    try:
        time = _to_utc(datetime.fromisoformat(date))
    except (ValueError, OverflowError):
        year = parse_year(date)
        return f"{year:04d}-01-01T00:00:00Z" if year else UNKNOWN_TIMESTAMP
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time.year >= 1000 else UNKNOWN_TIMESTAMP
