"""Files of a built site that are uploaded, and which of them artgen made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from artgen.errors import ArtgenError, artgen_command
from artgen.gallery.publish.manifest import MANIFEST_FILE, read_manifest_files
from artgen.gallery.publish.staging import walk_files

# Files that operating systems put into folders, and git's history: no part of a site.
UNPUBLISHED_NAMES = frozenset({".git", ".DS_Store", "Thumbs.db", "desktop.ini"})


@dataclass(frozen=True)
class UploadSet:
    """The files of a built site to upload. All names are relative and POSIX.

    Attributes:
        site: the site's folder.
        file_names: every file to upload, sorted; the manifest is one of them.
        artgen_file_names: the files that artgen made; the artist put the others into the folder by hand.
        symlinks: symbolic links, which are not uploaded: their targets may not exist at the other end.
    """

    site: Path
    file_names: tuple[str, ...]
    artgen_file_names: frozenset[str]
    symlinks: tuple[str, ...]


@dataclass(frozen=True)
class UploadResult:
    """What an upload of a site changed. All names are relative and POSIX.

    Attributes:
        target: where the site is now, as the user named it.
        changed: new and changed files, sorted.
        removed: files of artgen's that were at the target and are no longer part of the site.
    """

    target: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]


def read_upload_set(site: Path) -> UploadSet:
    """List the files of a site's folder, and check that none is missing.

    Raises:
        ArtgenError: the folder does not exist, was not made by artgen, or lacks a file of its manifest.
    """
    if not site.is_dir():
        raise ArtgenError(str(site), "no such folder", "build the site first", "artgen publish")
    if (manifest_files := read_manifest_files(site)) is None:
        expected = "only what artgen made is sent, so that artgen can remove it there again"
        raise ArtgenError(
            str(site),
            "was not made by artgen publish",
            expected,
            artgen_command("publish", "--to", site),
        )
    file_names: list[str] = []
    symlinks: list[str] = []
    for name in sorted(walk_files(site, UNPUBLISHED_NAMES)):
        (symlinks if (site / name).is_symlink() else file_names).append(name)
    missing = sorted(manifest_files - set(file_names))
    if missing:
        expected = "build the site again"
        raise ArtgenError(
            str(site / missing[0]), "missing", expected, artgen_command("publish", "--to", site)
        )
    return UploadSet(site, tuple(file_names), manifest_files | {MANIFEST_FILE}, tuple(symlinks))
