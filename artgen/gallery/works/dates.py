"""Dates of artworks, as labels and feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN_TIMESTAMP = "1970-01-01T00:00:00Z"
"""Feeds require a date, and the current time would change the site every day."""


def parse_year(date: str) -> int | None:
    """Return the year of an ISO 8601 time, or of a year alone; None if there is no year."""
    return int(date[:4]) if date[:4].isascii() and date[:4].isdecimal() and len(date) >= 4 else None


def to_rfc3339(date: str) -> str:
    """Convert an ISO 8601 time or a year to RFC 3339 in UTC; a time without a zone counts as UTC."""
    try:
        time = datetime.fromisoformat(date)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        year = parse_year(date)
        return f"{year:04d}-01-01T00:00:00Z" if year else UNKNOWN_TIMESTAMP
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time.year >= 1000 else UNKNOWN_TIMESTAMP
