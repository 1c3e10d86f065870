"""The site as a branch of the repository it lies in, as GitHub Pages wants it: by ghp-import, then pushed.

The branch is built on what the remote has now, under a name of our own: no local branch moves, and a push is
never forced. What is on the branch and not artgen's (``CNAME``, pages of one's own) stays.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.gallery.deploy.git import EXECUTABLE, PLAIN, REMOTE, Entry, Repository
from artgen.gallery.deploy.upload_set import Parcel, Sent, is_harmless, listed
from artgen.gallery.publish.staging import MANIFEST

NO_JEKYLL = ".nojekyll"


def send(parcel: Parcel, to: str, branch: str, emit: Emit, force: bool) -> Sent:
    """Commit the site on ``branch`` and push it to ``origin``; see ``targets.send``."""
    repository = Repository(parcel.site, f"--to {to}")
    repository.check(branch)
    emit(Note(f"{to}: asking {REMOTE} what is there"))
    before = repository.fetch(branch)
    foreign = _foreign(repository, before, parcel, branch, force) if before else {}
    with _stage(parcel) as stage:
        if foreign:
            repository.write(foreign, stage)
        with repository.committed(stage, branch, before) as after:
            changed, removed = repository.difference(before, after)
            if changed or removed:
                emit(Note(f"{to}: {len(changed)} files changed, {len(removed)} removed; pushing"))
                repository.push(after, branch)
    return Sent(to, changed, removed)


def _foreign(
    repository: Repository, before: str, parcel: Parcel, branch: str, force: bool
) -> dict[str, Entry]:
    """What on the branch is neither artgen's nor in the parcel, and so has to be carried over."""
    there = repository.files(before)
    manifest = repository.read(before, MANIFEST) if MANIFEST in there else ""
    known = (listed(manifest) or frozenset()) | {MANIFEST, NO_JEKYLL}
    taken = [name for name in sorted(parcel.ours - known) if name in there]
    if taken and not force:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        found = f"{taken[0]}{more} is there and is not artgen's"
        raise ArtgenError(f"branch {branch}", found, "move it away, or use --force to replace it")
    mine = known | set(parcel.files)
    foreign = {name: entry for name, entry in there.items() if name not in mine}
    folders = set().union(*map(_folders, parcel.files))
    for name, entry in foreign.items():
        if name in folders or not _folders(name).isdisjoint(parcel.files):
            raise ArtgenError(f"branch {branch}", f"{name} is in the way of the site's", "move it away")
        if entry.mode not in (PLAIN, EXECUTABLE) or not _importable(name):
            found = f"{name!r} is no plain file, and would be lost"
            raise ArtgenError(f"branch {branch}", found, "take it off the branch, or use another branch")
    return foreign


def _folders(name: str) -> set[str]:
    """The folders that a file lies in."""
    return {str(folder) for folder in PurePosixPath(name).parents}


def _importable(name: str) -> bool:
    """Whether ghp-import, which tells git each name as it is, can take a file of this name."""
    return is_harmless(name) and not name.startswith('"')


@contextmanager
def _stage(parcel: Parcel) -> Iterator[Path]:
    """A folder that holds the parcel's files and nothing else; linked, for copies would double the site."""
    place = parcel.site.absolute()
    stage = place.with_name(f".{place.name}.artgen-send")
    shutil.rmtree(stage, ignore_errors=True)  # of one that was killed
    try:
        for name in parcel.files:
            if not _importable(name):
                found = "has a name that git's import cannot take"
                raise ArtgenError(str(parcel.site / name), found, "give it another name")
            file = stage / name
            file.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(parcel.site / name, file)
            except OSError:  # a file system without hard links
                shutil.copyfile(parcel.site / name, file)
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)
