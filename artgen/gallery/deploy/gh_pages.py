"""Upload of a site to a GitHub Pages branch of its own repository: committed by ghp-import, then pushed.

The commit follows the remote branch's last one and is made on a temporary local branch, so the artist's local
branches do not move and no push is forced. Files on the branch that artgen did not make, such as ``CNAME`` or
the artist's own pages, stay.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.gallery.deploy.git import (
    EXECUTABLE_FILE_MODE,
    GIT_REMOTE_NAME,
    REGULAR_FILE_MODE,
    GitRepository,
    TreeEntry,
)
from artgen.gallery.deploy.upload_set import UploadResult, UploadSet
from artgen.gallery.publish.manifest import MANIFEST_FILE, is_safe_file_name, parse_manifest_files
from artgen.gallery.publish.staging import link_or_copy

NO_JEKYLL_FILE_NAME = ".nojekyll"  # the empty file that makes GitHub Pages serve all files unchanged


def push_site(upload_set: UploadSet, target: str, branch: str, emit: Emit, force: bool) -> UploadResult:
    """Commit the built site on a GitHub Pages branch and push it to ``origin``.

    Args:
        upload_set: the site's files.
        target: as the user named it, for messages.
        branch: of the remote.
        emit: receives notes about the progress.
        force: replace files on the branch that artgen did not make but whose names the site uses.

    Raises:
        ArtgenError: git or the remote refuses, or files on the branch would be lost.
    """
    repository = GitRepository(upload_set.site, f"--to {target}")
    repository.check_ready(branch)
    emit(Note(f"{target}: asking {GIT_REMOTE_NAME} what is there"))
    old_commit = repository.fetch_branch(branch)
    foreign = _find_foreign_files(repository, old_commit, upload_set, branch, force) if old_commit else {}
    with _staging_folder(upload_set) as folder:
        if foreign:
            repository.write_files(foreign, folder)
        with repository.temporary_commit(folder, branch, old_commit) as new_commit:
            changed, removed = repository.compare_commits(old_commit, new_commit)
            if changed or removed:
                emit(Note(f"{target}: {len(changed)} files changed, {len(removed)} removed; pushing"))
                repository.push_commit(new_commit, branch)
    return UploadResult(target, changed, removed)


def _find_foreign_files(
    repository: GitRepository, commit: str, upload_set: UploadSet, branch: str, force: bool
) -> dict[str, TreeEntry]:
    """Find files on the branch that neither artgen made nor the site replaces: the new commit keeps them.

    Raises:
        ArtgenError: one of them is in the site's way, or cannot be committed again.
    """
    entries = repository.list_files(commit)
    manifest = repository.read_text(commit, MANIFEST_FILE) if MANIFEST_FILE in entries else ""
    sent_before = (parse_manifest_files(manifest) or frozenset()) | {MANIFEST_FILE, NO_JEKYLL_FILE_NAME}
    replaced = [name for name in sorted(upload_set.artgen_file_names - sent_before) if name in entries]
    if replaced and not force:
        more = f" (and {len(replaced) - 1} more)" if len(replaced) > 1 else ""
        problem = f"{replaced[0]}{more} is there and is not artgen's"
        raise ArtgenError(f"branch {branch}", problem, "move it away, or use --force to replace it")
    site_names = sent_before | set(upload_set.file_names)
    foreign = {name: entry for name, entry in entries.items() if name not in site_names}
    site_folders = set().union(*map(_parent_folders, upload_set.file_names))
    for name, entry in foreign.items():
        if name in site_folders or not _parent_folders(name).isdisjoint(upload_set.file_names):
            raise ArtgenError(f"branch {branch}", f"{name} is in the way of the site's", "move it away")
        if entry.mode not in (REGULAR_FILE_MODE, EXECUTABLE_FILE_MODE) or not _is_importable(name):
            problem = f"{name!r} is no plain file, and would be lost"
            raise ArtgenError(f"branch {branch}", problem, "take it off the branch, or use another branch")
    return foreign


def _parent_folders(name: str) -> set[str]:
    """Return all folders above a site's file, as ``a/b`` and ``a`` for ``a/b/c``."""
    return {str(folder) for folder in PurePosixPath(name).parents}


def _is_importable(name: str) -> bool:
    """Whether ghp-import, which passes names to git without quoting them, can import this file."""
    return is_safe_file_name(name) and not name.startswith('"')


@contextmanager
def _staging_folder(upload_set: UploadSet) -> Iterator[Path]:
    """Yield a temporary folder with the site's files alone; hard links save the space of copies."""
    site = upload_set.site.absolute()
    folder = site.with_name(f".{site.name}.artgen-send")
    shutil.rmtree(folder, ignore_errors=True)  # left by a process that was killed
    try:
        for name in upload_set.file_names:
            if not _is_importable(name):
                problem = "has a name that git's import cannot take"
                raise ArtgenError(str(upload_set.site / name), problem, "give it another name")
            link_or_copy(upload_set.site / name, folder / name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
