"""Replacement of a site's files: the new site is built next to its folder, then moved into it file by file.

Only what the manifest names is ever replaced or removed. Everything else in the folder is not touched, so
it does not matter what others write there meanwhile: a page, a commit in ``.git``. While building, the old
site stands. Switching over takes a moment, the pictures before the pages that show them; one that was
stopped is finished by the next publishing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from artgen.errors import ArtgenError
from artgen.gallery.publish.manifest import MANIFEST_FILE, read_manifest_files
from artgen.locks import lock_site_folder
from artgen.version import __version__


@contextmanager
def staged_site(target: Path, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to build the site in; on leaving, its files take their places in ``target``.

    Args:
        target: where the site goes; need not exist.
        force: take a folder that artgen did not make, replacing files whose names the site uses.

    Raises:
        ArtgenError: the folder is not ours (without ``force``), holds a file of somebody else's under a name
            that the site needs, cannot be written, or another process builds there.
    """
    finish_switch(target, force)
    target = target.expanduser().resolve()
    building_folder, ready_folder, _ = _staging_paths(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lock_site_folder(building_folder, target):
            shutil.rmtree(building_folder, ignore_errors=True)  # of one that was killed while building
        _check_target(target, force)
        building_folder.mkdir()
        with lock_site_folder(building_folder, target):
            try:
                yield building_folder
                _complete_manifest(building_folder)
                _refuse_foreign_files(target, [*walk_files(building_folder)], force)
                building_folder.rename(ready_folder)  # from here on the new site is complete, and will stand
                try:
                    _switch_over(ready_folder, target, force)
                except KeyboardInterrupt:
                    _switch_over(ready_folder, target, force)
                    raise
            finally:
                shutil.rmtree(building_folder, ignore_errors=True)
    except OSError as error:
        raise _write_error(target, error) from error


def finish_switch(target: Path, force: bool = False) -> None:
    """Finish moving a new site into its folder if a publishing was stopped while it did so.

    Raises:
        ArtgenError: as ``building``.
    """
    target = target.expanduser().resolve()
    _, ready_folder, old_folder = _staging_paths(target)
    try:
        if old_folder.is_dir() and not target.exists():  # an earlier artgen was killed in the middle
            old_folder.rename(target)
        if ready_folder.is_dir():
            with lock_site_folder(ready_folder, target):
                _refuse_foreign_files(target, [*walk_files(ready_folder)], force)
                _switch_over(ready_folder, target, force)
    except OSError as error:
        raise _write_error(target, error) from error


def _staging_paths(target: Path) -> tuple[Path, Path, Path]:
    """Return the folders to build in, of a complete site, and where earlier versions put the old site.

    Raises:
        ArtgenError: they would lie on another disk.
    """
    if target.is_mount():
        expected = "files are built next to the site, on the same disk: name one inside it"
        raise ArtgenError(str(target), "where a disk is mounted", expected)
    new, ready, before = (
        target.with_name(f".{target.name}.artgen-{end}") for end in ("new", "ready", "before")
    )
    return new, ready, before


def _write_error(target: Path, error: OSError) -> ArtgenError:
    problem_hint = "part of the new site is there already: the next publish finishes it"
    expected = (
        problem_hint
        if _staging_paths(target)[1].exists()
        else "the site that was there, if any, is untouched"
    )
    return ArtgenError(str(target), f"could not be written ({error.strerror or error})", expected)


def _check_target(target: Path, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ArtgenError(str(target), "a file", "name a folder for the site")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise ArtgenError(str(target), "the folder you are in", "a site has its own: name one inside it")
    if force or read_manifest_files(target) is not None:
        return
    if count := sum(1 for _ in walk_files(target)):
        raise ArtgenError(
            str(target),
            f"holds {count} file{'s' if count != 1 else ''} and was not made by artgen publish",
            "name another folder with --to; --force keeps those files and replaces only the ones whose "
            "names the site uses (index.html, pieces/, images/, originals/, assets/)",
        )


def walk_files(folder: Path, ignored_names: Collection[str] = ()) -> Iterator[str]:
    """Yield the name of every file and link in a site's ``folder``, relative and POSIX.

    Args:
        folder: searched with its subfolders.
        ignored_names: names of files and folders that are left out.
    """
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        folders[:] = [name for name in folders if name not in ignored_names]
        for name in files + links:
            if name not in ignored_names:
                yield Path(base, name).relative_to(folder).as_posix()


def _complete_manifest(building_folder: Path) -> None:
    """Add the names and sizes of artgen's files to the manifest that the builder wrote."""
    sizes = {
        name: (building_folder / name).lstat().st_size
        for name in sorted(walk_files(building_folder))
        if name != MANIFEST_FILE
    }
    manifest = (
        json.loads((building_folder / MANIFEST_FILE).read_text("utf-8"))
        if (building_folder / MANIFEST_FILE).exists()
        else {}
    )
    manifest = {"made_by": f"artgen {__version__}"} | manifest | {"files": sizes}
    (building_folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")


def _refuse_foreign_files(target: Path, names: Sequence[str], force: bool) -> None:
    """Raise an error if a file that artgen did not make is where the site needs a file or a folder.

    Raises:
        ArtgenError: a file, without ``force``; or a folder where a file goes.
    """
    ours = (read_manifest_files(target) or frozenset()) | {MANIFEST_FILE}
    for name in sorted(names):
        if _is_folder(target / name):
            raise ArtgenError(str(target / name), "a folder, but the site needs that name", "move it away")
    folders = [name for name in _list_parent_folders(names) if not _is_folder(target / name)]
    for name in [] if force else [*folders, *sorted(set(names) - ours)]:
        if os.path.lexists(target / name):
            raise _foreign_file_error(target / name, "move it away, or use --force to replace it")


def _foreign_file_error(file: Path, expected: str) -> ArtgenError:
    return ArtgenError(str(file), "is yours, but the site needs that name", expected)


def _list_parent_folders(names: Iterable[str]) -> list[str]:
    """Return the folders that a site's files lie in, outer ones first."""
    return sorted({str(folder) for name in names for folder in PurePosixPath(name).parents[:-1]})


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _switch_over(ready: Path, target: Path, force: bool) -> None:
    """Move every file of the new site into its folder, remove artgen's old ones, the manifest last.

    Steps that a stopped publishing has already done are skipped.
    """
    names = sorted(walk_files(ready), key=lambda name: (name == MANIFEST_FILE, name.endswith(".html"), name))
    old_names, new_names = (
        read_manifest_files(target) or frozenset(),
        read_manifest_files(ready) or frozenset(),
    )
    target.mkdir(exist_ok=True)
    for name in _list_parent_folders(names):
        if force and os.path.lexists(target / name) and not _is_folder(target / name):
            (target / name).unlink()
        (target / name).mkdir(exist_ok=True)
    for name in names:
        if name == MANIFEST_FILE:
            _remove_files(target, old_names - new_names)
        if name in old_names or name == MANIFEST_FILE or force:
            os.replace(ready / name, target / name)
        else:
            _move_without_replacing(ready / name, target / name)
    shutil.rmtree(ready)


def _move_without_replacing(file: Path, target_file: Path) -> None:
    """Move a site's file, unless another program has put a file there in the meantime."""
    try:
        os.link(file, target_file, follow_symlinks=False)
        file.unlink()
    except (OSError, NotImplementedError):  # or a file system without hard links
        if not os.path.lexists(target_file):
            os.replace(file, target_file)
        elif not os.path.samestat(file.lstat(), target_file.lstat()):
            raise _foreign_file_error(target_file, "move it away; the next publish resumes") from None


def _remove_files(target: Path, names: Iterable[str]) -> None:
    """Remove a site's files that are not behind a symbolic link, and folders that are then empty."""
    removable = [
        name for name in names if os.path.realpath((target / name).parent) == str((target / name).parent)
    ]
    for name in removable:
        if not _is_folder(target / name):
            (target / name).unlink(missing_ok=True)
    for name in reversed(_list_parent_folders(removable)):
        with suppress(OSError):  # it holds something else
            (target / name).rmdir()


def link_or_copy(source: Path, copy: Path) -> None:
    """Hard-link a file of the old site into the new one; copy it if that is not possible."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links, or Windows
        shutil.copy2(source, copy, follow_symlinks=False)
