"""When a work was made, as labels and feeds say it."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = "1970-01-01T00:00:00Z"
"""Feeds require a date; a site that changes with the clock would be published anew each day."""


def year(at: str) -> int | None:
    """Of a time in ISO 8601, or of a year alone; None where it is not known."""
    return int(at[:4]) if at[:4].isascii() and at[:4].isdecimal() and len(at) >= 4 else None


def timestamp(at: str) -> str:
    """As RFC 3339 has it, UTC. A time without a zone, as cameras write it, is taken for UTC."""
    try:
        time = datetime.fromisoformat(at)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        known = year(at)
        return f"{known:04d}-01-01T00:00:00Z" if known else UNKNOWN
    return f"{time:%Y-%m-%dT%H:%M:%SZ}" if time.year >= 1000 else UNKNOWN
