"""Upload targets of a built site, as ``--to`` names them: a GitHub Pages branch, or a folder for rsync."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.events import Emit, Note, ignore_event

if TYPE_CHECKING:
    from artgen.gallery.deploy.upload_set import UploadResult

DEFAULT_PAGES_BRANCH = "gh-pages"
LOCAL_RSYNC_PREFIX = "rsync:"
# As in rsync, a colon before any slash means another computer; after a single letter it means a drive.
_REMOTE_ADDRESS_PATTERN = re.compile(r"(?:rsync://[^/]|(?:[^/\\:@]+@)?(?:\[[^\]/]+\]|[^/\\:@]{2,})::?)")


def is_remote_target(target: str) -> bool:
    """Whether ``--to`` names a target for ``send_site``; if not, it is the folder to build the site in.

    Targets are ``gh-pages``, ``gh-pages:BRANCH``, ``user@host:path``, ``host:path``,
    ``rsync://host/module/path`` and ``rsync:FOLDER``. To build in a folder called ``gh-pages`` or with a
    colon in its name, write ``./gh-pages``.
    """
    return target == DEFAULT_PAGES_BRANCH or bool(_REMOTE_ADDRESS_PATTERN.match(target))


def check_target(site: Path, target: str) -> None:
    """Check, before the site is built for minutes, that git can push it; other targets are not checked.

    Args:
        site: folder to build the site in; it need not exist, but then the current folder is checked.
        target: see ``is_remote_target``.

    Raises:
        ArtgenError: see ``GitRepository.check_ready``.
    """
    if branch := _parse_branch(target):
        from artgen.gallery.deploy.git import GitRepository

        GitRepository(site if site.is_dir() else Path.cwd(), f"--to {target}").check_ready(branch)


def send_site(site: Path, target: str, emit: Emit = ignore_event, *, force: bool = False) -> UploadResult:
    """Upload a built site: send new and changed files, and remove those that artgen sent before.

    Files at the target that artgen did not make stay.

    Args:
        site: the site's folder.
        target: see ``is_remote_target``.
        emit: receives notes about the progress.
        force: replace files at the target that artgen did not make but whose names the site uses.

    Raises:
        ArtgenError: the target cannot be reached, a program is missing, or files there would be lost.
    """
    from artgen.gallery.deploy.upload_set import read_upload_set

    upload_set = read_upload_set(site)
    for link in upload_set.symlinks:
        emit(Note(f"{link}: a symbolic link, not sent"))
    if branch := _parse_branch(target):
        from artgen.gallery.deploy.gh_pages import push_site

        return push_site(upload_set, target, branch, emit, force)
    if not is_remote_target(target):
        expected = "gh-pages, gh-pages:BRANCH, user@host:path, rsync://host/module or rsync:FOLDER"
        raise ArtgenError(f"--to {target}", "names a folder", expected)
    from artgen.gallery.deploy.rsync import upload_by_rsync

    return upload_by_rsync(upload_set, target, _rsync_address(target), emit, force)


def _parse_branch(target: str) -> str:
    """Return the branch that an upload target names; empty if it is no branch."""
    name, _, branch = target.partition(":")
    return (branch or DEFAULT_PAGES_BRANCH) if name == DEFAULT_PAGES_BRANCH else ""


def _rsync_address(target: str) -> str:
    """Return an upload target's folder as rsync's argument, with a slash at its end."""
    is_local = target.startswith(LOCAL_RSYNC_PREFIX) and not target.startswith("rsync://")
    address = str(Path(target.removeprefix(LOCAL_RSYNC_PREFIX)).expanduser()) if is_local else target
    if address.endswith(":") or address in ("", "."):
        expected = "say which one there, e.g. me@example.org:public_html"
        raise ArtgenError(f"--to {target}", "names no folder", expected)
    return address.rstrip("/") + "/"
