"""A site's folder: the new site is built next to it, then each of its files takes its place there.

Only what the manifest names is ever replaced or removed. Everything else in the folder is not touched, so
it does not matter what others write there meanwhile: a page, a commit in ``.git``. While building, the old
site stands. Switching over takes a moment, the pictures before the pages that show them; one that was
stopped is finished by the next publishing.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from artgen.errors import ArtgenError
from artgen.locks import lock_site_folder
from artgen.version import __version__

MANIFEST = ".artgen-gallery.json"


@contextmanager
def building(target: Path, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to build the site in; on leaving, its files take their places in ``target``.

    Args:
        target: where the site goes; need not exist.
        force: take a folder that artgen did not make, replacing files whose names the site uses.

    Raises:
        ArtgenError: the folder is not ours (without ``force``), holds a file of somebody else's under a name
            that the site needs, cannot be written, or another process builds there.
    """
    finish(target, force)
    target = target.expanduser().resolve()
    new, ready, _ = _beside(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with lock_site_folder(new, target):
            shutil.rmtree(new, ignore_errors=True)  # of one that was killed while building
        _check(target, force)
        new.mkdir()
        with lock_site_folder(new, target):
            try:
                yield new
                _list_files(new)
                _refuse_taken(target, [*_walk(new)], force)
                new.rename(ready)  # from here on the new site is complete, and will stand
                try:
                    _switch(ready, target, force)
                except KeyboardInterrupt:
                    _switch(ready, target, force)
                    raise
            finally:
                shutil.rmtree(new, ignore_errors=True)
    except OSError as error:
        raise _not_written(target, error) from error


def finish(target: Path, force: bool = False) -> None:
    """Finish the switch of a publishing that was stopped in the middle of it, if there is one.

    Raises:
        ArtgenError: as ``building``.
    """
    target = target.expanduser().resolve()
    _, ready, before = _beside(target)
    try:
        if before.is_dir() and not target.exists():  # an earlier artgen was killed in the middle
            before.rename(target)
        if ready.is_dir():
            with lock_site_folder(ready, target):
                _refuse_taken(target, [*_walk(ready)], force)
                _switch(ready, target, force)
    except OSError as error:
        raise _not_written(target, error) from error


def _beside(target: Path) -> tuple[Path, Path, Path]:
    """Return the folders to build in, of a complete site, and where earlier versions put the old site.

    Raises:
        ArtgenError: they would lie on another disk.
    """
    if target.is_mount():
        right = "files are built next to the site, on the same disk: name one inside it"
        raise ArtgenError(str(target), "where a disk is mounted", right)
    new, ready, before = (
        target.with_name(f".{target.name}.artgen-{end}") for end in ("new", "ready", "before")
    )
    return new, ready, before


def _not_written(target: Path, error: OSError) -> ArtgenError:
    half = "part of the new site is there already: the next publish finishes it"
    right = half if _beside(target)[1].exists() else "the site that was there, if any, is untouched"
    return ArtgenError(str(target), f"could not be written ({error.strerror or error})", right)


def _check(target: Path, force: bool) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise ArtgenError(str(target), "a file", "name a folder for the site")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise ArtgenError(str(target), "the folder you are in", "a site has its own: name one inside it")
    if force or _manifest(target) is not None:
        return
    if count := sum(1 for _ in _walk(target)):
        raise ArtgenError(
            str(target),
            f"holds {count} file{'s' if count != 1 else ''} and was not made by artgen publish",
            "name another folder with --to; --force keeps those files and replaces only the ones whose "
            "names the site uses (index.html, pieces/, images/, originals/, assets/)",
        )


def _walk(folder: Path) -> Iterator[str]:
    """Every file and link in ``folder``, relative and POSIX."""
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        for name in files + links:
            yield Path(base, name).relative_to(folder).as_posix()


def _manifest(target: Path) -> frozenset[str] | None:
    """Names of the files that are ours; None where there is no site of ours.

    A manifest may come from elsewhere: what it names outside the site, or in ``.git``, is not ours.
    """
    from artgen.gallery.deploy.upload_set import is_safe_file_name

    try:
        listed = json.loads((target / MANIFEST).read_text("utf-8"))["files"]
        return frozenset(name for name in listed if isinstance(name, str) and is_safe_file_name(name))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _list_files(new: Path) -> None:
    """Write down which files are ours, next to what the builder noted in the manifest."""
    ours = {name: (new / name).lstat().st_size for name in sorted(_walk(new)) if name != MANIFEST}
    noted = json.loads((new / MANIFEST).read_text("utf-8")) if (new / MANIFEST).exists() else {}
    noted = {"made_by": f"artgen {__version__}"} | noted | {"files": ours}
    (new / MANIFEST).write_text(json.dumps(noted, indent=1) + "\n", "utf-8")


def _refuse_taken(target: Path, names: Sequence[str], force: bool) -> None:
    """Find what is not ours where the site needs a file or a folder.

    Raises:
        ArtgenError: a file, without ``force``; or a folder where a file goes.
    """
    ours = (_manifest(target) or frozenset()) | {MANIFEST}
    for name in sorted(names):
        if _is_folder(target / name):
            raise ArtgenError(str(target / name), "a folder, but the site needs that name", "move it away")
    folders = [name for name in _folders(names) if not _is_folder(target / name)]
    for name in [] if force else [*folders, *sorted(set(names) - ours)]:
        if os.path.lexists(target / name):
            raise _taken(target / name, "move it away, or use --force to replace it")


def _taken(place: Path, right: str) -> ArtgenError:
    return ArtgenError(str(place), "is yours, but the site needs that name", right)


def _folders(names: Iterable[str]) -> list[str]:
    """Return the folders that files lie in, outer ones first."""
    return sorted({str(folder) for name in names for folder in PurePosixPath(name).parents[:-1]})


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _switch(ready: Path, target: Path, force: bool) -> None:
    """Bring every file to its place, take away those of ours that are no more, and last replace the manifest.

    What is done already, by one that was stopped, is passed over.
    """
    names = sorted(_walk(ready), key=lambda name: (name == MANIFEST, name.endswith(".html"), name))
    ours, new = _manifest(target) or frozenset(), _manifest(ready) or frozenset()
    target.mkdir(exist_ok=True)
    for name in _folders(names):
        if force and os.path.lexists(target / name) and not _is_folder(target / name):
            (target / name).unlink()
        (target / name).mkdir(exist_ok=True)
    for name in names:
        if name == MANIFEST:
            _remove(target, ours - new)
        if name in ours or name == MANIFEST or force:
            os.replace(ready / name, target / name)
        else:
            _place(ready / name, target / name)
    shutil.rmtree(ready)


def _place(file: Path, place: Path) -> None:
    """Move a file to where none is; what came there a moment ago is not replaced."""
    try:
        os.link(file, place, follow_symlinks=False)
        file.unlink()
    except (OSError, NotImplementedError):  # or a file system without hard links
        if not os.path.lexists(place):
            os.replace(file, place)
        elif not os.path.samestat(file.lstat(), place.lstat()):
            raise _taken(place, "move it away: the next publish goes on") from None


def _remove(target: Path, names: Iterable[str]) -> None:
    """Take away files, if no link leads to them, and folders that are empty without them."""
    removed = [
        name for name in names if os.path.realpath((target / name).parent) == str((target / name).parent)
    ]
    for name in removed:
        if not _is_folder(target / name):
            (target / name).unlink(missing_ok=True)
    for name in reversed(_folders(removed)):
        with suppress(OSError):  # it holds something else
            (target / name).rmdir()


def link(source: Path, copy: Path) -> None:
    """Give a file of the old site a place in the new one, without a second copy where that is possible."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links, or Windows
        shutil.copy2(source, copy, follow_symlinks=False)
