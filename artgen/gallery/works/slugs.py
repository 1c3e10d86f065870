"""Slugs, the parts of addresses that name an artwork: safe in file systems and URLs, unique and stable."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

MAX_SLUG_CHARACTERS = 80
# Windows reserves these names for devices, with any file ending.
WINDOWS_DEVICE_NAMES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}


def slugify(name: str) -> str:
    """Reduce an artwork's ``name`` to small letters, digits and hyphens; the result may be empty."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:MAX_SLUG_CHARACTERS].strip("-")
    return f"{slug}-" if slug in WINDOWS_DEVICE_NAMES else slug


def unique_slugs(names: Iterable[tuple[str, str]]) -> list[str]:
    """Return a unique slug for each artwork's name, in order.

    Args:
        names: pairs of a name and a key that no other pair has.

    If several names give one slug, each of these gets a hash of its key. Numbers would move to another
    artwork when one is removed, and addresses would then show another artwork.
    """
    slugs_and_keys = [(slugify(name).strip("-"), key) for name, key in names]
    counts = Counter(slug for slug, _ in slugs_and_keys)
    used: set[str] = set()
    result = []
    for slug, key in slugs_and_keys:
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
        unique, length = slug, 6
        while (
            not unique
            or unique in WINDOWS_DEVICE_NAMES
            or (counts[slug] > 1 and unique == slug)
            or unique in used
        ):
            unique, length = f"{slug or 'piece'}-{digest[:length]}", length + 2
            if length > len(digest):  # the same name and key twice
                digest = hashlib.sha256(digest.encode()).hexdigest()
        used.add(unique)
        result.append(unique)
    return result
