"""Read numbers of candidates on the command line, such as ``3,7-9``."""

from __future__ import annotations

from artgen.errors import ArtgenError

MAX_CANDIDATES = 100_000
"""The most candidates that a run draws, the same limit as in a recipe."""
MAX_CANDIDATE_NUMBER = 1_000_000
"""The largest number that a candidate can have: those above ``MAX_CANDIDATES`` are variations."""


def parse_candidate_numbers(text: str, where: str) -> list[int]:
    """Return the numbers typed as ``3,7-9`` on the command line, sorted and unique.

    Raises:
        ArtgenError: the text has another form, or a number is not from 1 to a million.
    """
    candidate_numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = [first, last if dash else first]
        if not all(end.isascii() and end.isdigit() and len(end) < 8 for end in ends):
            raise ArtgenError(f"{where} {text}", f"{part.strip()!r} is not a number", "such as 3,7-9")
        low, high = map(int, ends)
        if not 1 <= low <= high <= MAX_CANDIDATE_NUMBER:
            expected = f"numbers go from 1 to {MAX_CANDIDATE_NUMBER:,}, the smaller one first"
            raise ArtgenError(f"{where} {text}", part.strip(), expected)
        candidate_numbers.update(range(low, high + 1))
    return sorted(candidate_numbers)
