"""What of a site is sent elsewhere: the files of its folder, and which of them are artgen's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from artgen.errors import ArtgenError
from artgen.gallery.publish.staging import MANIFEST

# What systems leave in folders by themselves, and histories: no part of a site.
LEFT_OUT = frozenset({".git", ".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class Parcel:
    """A built site, ready to be sent.

    Args:
        site: its folder.
        files: every file that is sent, relative and POSIX, in order; the manifest is among them.
        ours: those that artgen made. The others are the artist's own, put into the folder by hand.
        links: symbolic links, which are not sent: they would lead elsewhere at the other end.
    """

    site: Path
    files: tuple[str, ...]
    ours: frozenset[str]
    links: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """What sending did.

    Args:
        to: where the site is now, as it was asked for.
        changed: files that moved there, new or other than before; relative and POSIX, in order.
        removed: files of artgen's that were there and are in the site no more.
    """

    to: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def pack(site: Path) -> Parcel:
    """Look through the folder of a site.

    Raises:
        ArtgenError: there is none, or artgen did not make it.
    """
    if not site.is_dir():
        raise ArtgenError(str(site), "no such folder", "build the site first", "artgen publish")
    try:
        ours = listed((site / MANIFEST).read_text("utf-8"))
    except OSError:
        ours = None
    if ours is None:
        right = "only what artgen made is sent, so that it can take back what it sent"
        raise ArtgenError(str(site), "was not made by artgen publish", right, f"artgen publish --to {site}")
    files: list[str] = []
    links: list[str] = []
    for name in sorted(_walk(site)):
        (links if (site / name).is_symlink() else files).append(name)
    missing = sorted(ours - set(files))
    if missing:
        right = "build the site again"
        raise ArtgenError(str(site / missing[0]), "missing", right, f"artgen publish --to {site}")
    return Parcel(site, tuple(files), ours | {MANIFEST}, tuple(links))


def listed(manifest: str) -> frozenset[str] | None:
    """The files that a manifest calls artgen's; None where it is no manifest.

    One that comes from elsewhere may have been tampered with: a name that leads out of the site is ignored.
    """
    try:
        names = json.loads(manifest)["files"]
        return frozenset(name for name in names if isinstance(name, str) and is_harmless(name))
    except (ValueError, KeyError, TypeError):
        return None


def is_harmless(name: str) -> bool:
    """Whether a file's name, as the other end tells it, stays within the site's folder."""
    parts = PurePosixPath(name).parts
    plain = not set("\\\0\n\r") & set(name)
    return plain and bool(parts) and not name.startswith("/") and not {"..", ".git"} & set(parts)


def _walk(site: Path) -> Iterator[str]:
    for base, folders, files in os.walk(site):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        folders[:] = sorted(name for name in folders if name not in LEFT_OUT)
        for name in files + links:
            if name not in LEFT_OUT:
                yield Path(base, name).relative_to(site).as_posix()
