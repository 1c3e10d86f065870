"""Addresses of works: harmless in any file system and URL, unique, and the same at every publishing."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

LONGEST = 80
# Names that Windows keeps for devices, whatever their ending.
DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}


def plain(name: str) -> str:
    """``name`` in small letters, digits and hyphens; empty if nothing of it is left."""
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:LONGEST].strip("-")
    return f"{slug}-" if slug in DEVICES else slug


def unique(names: Iterable[tuple[str, str]]) -> list[str]:
    """A slug for each name, in order.

    Args:
        names: what each is called, and what tells it apart from all others.

    Several of one name are told apart by a hash, all of them: a number would go to another when one is
    taken away, and addresses would change their meaning.
    """
    asked = [(plain(name).strip("-"), apart) for name, apart in names]
    counts: dict[str, int] = {}
    for slug, _ in asked:
        counts[slug] = counts.get(slug, 0) + 1
    taken: set[str] = set()
    given = []
    for slug, apart in asked:
        digest = hashlib.sha256(apart.encode("utf-8", "surrogateescape")).hexdigest()
        free, length = slug, 6
        while not free or free in DEVICES or (counts[slug] > 1 and free == slug) or free in taken:
            free, length = f"{slug or 'piece'}-{digest[:length]}", length + 2
            if length > len(digest):  # the very same, named twice
                digest = hashlib.sha256(digest.encode()).hexdigest()
        taken.add(free)
        given.append(free)
    return given
