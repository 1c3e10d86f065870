"""A site's folder: built beside its place, then switched over whole.

Whatever happens while building, the old site stands; a crash between building and switching leaves
only a hidden folder that the next publish removes. Files in the folder that are not ours stay.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from artgen import __version__
from artgen.errors import ArtgenError
from artgen.gallery.publish.busy import held

MANIFEST = ".artgen-gallery.json"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


@contextmanager
def building(target: Path, force: bool = False) -> Iterator[Path]:
    """Yield an empty folder to build the site in; on leaving, it takes the place of ``target``.

    Args:
        target: where the site goes; need not exist.
        force: take a folder that artgen did not make, replacing files whose names the site uses.

    Raises:
        ArtgenError: the folder is not ours (without ``force``), cannot be written or replaced, or another
            process builds there.
    """
    target = target.expanduser().resolve()
    if target.is_mount():  # switching renames it
        right = "publishing replaces the folder: name one inside it"
        raise ArtgenError(str(target), "where a disk is mounted", right)
    new, before = (target.with_name(f".{target.name}.artgen-{end}") for end in ("new", "before"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with held(new, target):
            _put_back(before, target)  # killed in the middle of a switch
            shutil.rmtree(before, ignore_errors=True)
            shutil.rmtree(new, ignore_errors=True)
        foreign = _foreign(target, force)
        new.mkdir()
        with held(new, target):
            try:
                yield new
                _adopt(target, new, foreign, force)
                _switch(new, target, before)
            finally:
                _put_back(before, target)
                shutil.rmtree(new, ignore_errors=True)
                shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        found = f"could not be written ({error.strerror or error})"
        right = "the site that was there, if any, is untouched"
        if before.exists() and not target.exists():
            right = f"the site that was there is in {before}: the next publish brings it back"
        raise ArtgenError(str(target), found, right) from error


def _put_back(before: Path, target: Path) -> None:
    """Bring the old site back after a switch that stopped between its two renames."""
    if before.exists() and not target.exists():
        before.rename(target)


def _foreign(target: Path, force: bool) -> list[str]:
    """What in ``target`` is not ours, relative and POSIX; folders only when empty."""
    if not target.exists():
        return []
    if not target.is_dir():
        raise ArtgenError(str(target), "a file", "name a folder for the site")
    if target == Path.cwd() or target in Path.cwd().parents:
        raise ArtgenError(
            str(target), "the folder you are in", "publishing replaces the folder: name one inside it"
        )
    present = sorted(_walk(target))
    if not present:
        return []
    ours = _manifest(target)
    if ours is None and not force:
        raise ArtgenError(
            str(target),
            f"holds {len(present)} file{'s' if len(present) != 1 else ''} and was not made by artgen publish",
            "name another folder with --to; --force keeps those files and replaces only the ones whose "
            "names the site uses (index.html, pieces/, images/, originals/, assets/)",
        )
    return [name for name in present if name not in (ours or ()) and name != MANIFEST]


def _walk(folder: Path) -> Iterator[str]:
    for base, folders, files in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        for name in files + links + ([] if files or folders else ["."]):
            path = os.path.normpath(os.path.join(base, name))
            if path != str(folder):
                yield Path(path).relative_to(folder).as_posix()


def _manifest(target: Path) -> frozenset[str] | None:
    try:
        return frozenset(json.loads((target / MANIFEST).read_text("utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _adopt(target: Path, new: Path, foreign: list[str], force: bool) -> None:
    """Bring foreign files over and write down which files are ours, beside what the builder noted there."""
    ours = {name: (new / name).lstat().st_size for name in sorted(_walk(new)) if name != MANIFEST}
    taken = [name for name in foreign if os.path.lexists(new / name)]
    if taken and not force:
        right = "move it away, or use --force to replace it"
        raise ArtgenError(str(target / taken[0]), "is yours, but the site needs that name", right)
    noted = json.loads((new / MANIFEST).read_text("utf-8")) if (new / MANIFEST).exists() else {}
    noted = {"made_by": f"artgen {__version__}"} | noted | {"files": ours}
    (new / MANIFEST).write_text(json.dumps(noted, indent=1) + "\n", "utf-8")
    for name in foreign:
        if os.path.lexists(new / name):
            continue
        source, copy = target / name, new / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and not source.is_symlink():
            copy.mkdir(exist_ok=True)
            continue
        link(source, copy)
    _keep_modes(target, new)


def _keep_modes(target: Path, new: Path) -> None:
    """Give folders the rights that they have in the old site: one may be closed to others, or shared."""
    for base, _, _ in os.walk(new):
        before = target / Path(base).relative_to(new)
        if before.is_dir() and not before.is_symlink():
            # The next publishing takes this folder away and has to be able to.
            mode = stat.S_IMODE(before.stat().st_mode) | stat.S_IRWXU
            if mode != stat.S_IMODE(os.stat(base).st_mode):
                os.chmod(base, mode)


def link(source: Path, copy: Path) -> None:
    """Give a file of the old site a place in the new one, without a second copy where that is possible."""
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, copy, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links, or Windows
        shutil.copy2(source, copy, follow_symlinks=False)


def _switch(new: Path, target: Path, before: Path) -> None:
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        target.rename(before)
        new.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that at no moment there is no site; Linux only."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(renameat2(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0)
