"""Candidates as a person numbers them: ``3,7-9``."""

from __future__ import annotations

from artgen.errors import ArtgenError

MAX_CANDIDATES = 100_000
"""How many candidates a run may draw, as a recipe may ask for."""
MAX_CANDIDATE_NUMBER = 1_000_000
"""The largest number that a candidate can have: those above ``MOST`` are variations."""


def parse_candidate_numbers(text: str, where: str) -> list[int]:
    """``3,7-9`` as ``[3, 7, 8, 9]``, each once, in order.

    Raises:
        ArtgenError: it is written otherwise, or a number is not from 1 to a million.
    """
    candidate_numbers: set[int] = set()
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = [first, last if dash else first]
        if not all(end.isascii() and end.isdigit() and len(end) < 8 for end in ends):
            raise ArtgenError(f"{where} {text}", f"{part.strip()!r} is no number", "such as 3,7-9")
        low, high = map(int, ends)
        if not 1 <= low <= high <= MAX_CANDIDATE_NUMBER:
            right = f"numbers go from 1 to {MAX_CANDIDATE_NUMBER:,}, the smaller one first"
            raise ArtgenError(f"{where} {text}", part.strip(), right)
        candidate_numbers.update(range(low, high + 1))
    return sorted(candidate_numbers)
