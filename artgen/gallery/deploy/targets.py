"""Where a built site goes besides its own folder: a branch for GitHub Pages, or another computer."""

from __future__ import annotations

import re
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note, ignore
from artgen.gallery.deploy.upload_set import Sent, pack

BRANCH = "gh-pages"
LOCAL = "rsync:"
# As rsync has it: a colon before any slash means another computer. One letter before it is a drive.
_ELSEWHERE = re.compile(r"(?:rsync://[^/]|(?:[^/\\:@]+@)?(?:\[[^\]/]+\]|[^/\\:@]{2,})::?)")


def is_elsewhere(to: str) -> bool:
    """Whether ``--to`` names a target for ``send``; otherwise it is a folder that the site is built in.

    ``gh-pages``, ``gh-pages:BRANCH``, ``user@host:path``, ``host:path``, ``rsync://host/module/path`` and
    ``rsync:FOLDER`` do. A folder called ``gh-pages`` or with a colon in its name is given as ``./gh-pages``.
    """
    return to == BRANCH or bool(_ELSEWHERE.match(to))


def check(site: Path, to: str) -> None:
    """Make sure, before a site is built for minutes, that there is a repository to send it by.

    Args:
        site: the folder that it will be built in, in this one; need not exist.
        to: see ``is_elsewhere``.

    Raises:
        ArtgenError: see ``Repository.check``.
    """
    if branch := _branch(to):
        from artgen.gallery.deploy.git import Repository

        Repository(site if site.is_dir() else Path.cwd(), f"--to {to}").check(branch)


def send(site: Path, to: str, emit: Emit = ignore, *, force: bool = False) -> Sent:
    """Send a built site: what changed moves, what artgen sent before and is no more goes, the rest stays.

    Args:
        site: the folder it was built in.
        to: see ``is_elsewhere``.
        emit: told what is being done.
        force: replace files at the other end that artgen did not make and whose names the site uses.

    Raises:
        ArtgenError: it cannot be reached, a program is missing, or files there would be lost.
    """
    parcel = pack(site)
    for link in parcel.links:
        emit(Note(f"{link}: a symbolic link, not sent"))
    if branch := _branch(to):
        from artgen.gallery.deploy.gh_pages import send as send_to_branch

        return send_to_branch(parcel, to, branch, emit, force)
    if not is_elsewhere(to):
        right = "gh-pages, gh-pages:BRANCH, user@host:path, rsync://host/module or rsync:FOLDER"
        raise ArtgenError(f"--to {to}", "names a folder", right)
    from artgen.gallery.deploy.rsync import send as send_to_mirror

    return send_to_mirror(parcel, to, _address(to), emit, force)


def _branch(to: str) -> str:
    """The branch that is meant; empty where none is."""
    name, _, branch = to.partition(":")
    return (branch or BRANCH) if name == BRANCH else ""


def _address(to: str) -> str:
    """What rsync is given: a folder that the files go into."""
    address = str(Path(to.removeprefix(LOCAL)).expanduser()) if _is_local(to) else to
    if address.endswith(":") or address in ("", "."):
        raise ArtgenError(
            f"--to {to}", "names no folder", "say which one there, e.g. me@example.org:public_html"
        )
    return address.rstrip("/") + "/"


def _is_local(to: str) -> bool:
    return to.startswith(LOCAL) and not to.startswith("rsync://")
