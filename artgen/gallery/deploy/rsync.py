"""The site on another computer, or in a folder elsewhere, kept like ours by the rsync program.

Pages come after the pictures they show, and together; what is gone from the site goes last. So a visitor, or
whoever is cut off in the middle, sees the old site or the new one. The manifest there says what we may take
away, and is extended before anything new arrives.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.events import Emit, Note
from artgen.gallery.deploy.upload_set import Parcel, Sent, listed
from artgen.gallery.publish.staging import MANIFEST

# Content decides, not times: a site that was built anew in a fresh checkout has new times. Folders that are
# there keep their rights; files are for everybody to read.
SETTINGS = ("--checksum", "--times", "--perms", "--chmod=F644", "--no-implied-dirs", "--protect-args")
PAGES = frozenset({".html", ".xml", ".json", ".css", ".js", ".txt", ""})
OLDEST = (3, 1)
NOT_ALL = 23  # rsync's exit code when a file, such as one that is not there, could not be moved


def send(parcel: Parcel, to: str, address: str, emit: Emit, force: bool) -> Sent:
    """Bring the folder at ``address`` (which ends in ``/``) to the parcel's state; see ``targets.send``."""
    rsync = _Rsync(f"--to {to}", address)
    with tempfile.TemporaryDirectory(prefix="artgen-") as place:
        emit(Note(f"{to}: asking what is there"))
        known = rsync.manifest(Path(place))
        new = parcel.ours - known
        if new:
            taken = rsync.others(parcel.site, new - {MANIFEST})
            if taken and not force:
                more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
                found = f"{taken[0]}{more} is there and is not artgen's"
                raise ArtgenError(f"--to {to}", found, "move it away, or use --force to replace it")
            claim = json.dumps({"files": sorted((known | parcel.ours) - {MANIFEST})}, indent=1)
            (Path(place) / MANIFEST).write_text(claim + "\n", "utf-8")
            rsync.move(Path(place), [MANIFEST])
    pages = [name for name in parcel.files if Path(name).suffix.lower() in PAGES and name != MANIFEST]
    rest = [name for name in parcel.files if Path(name).suffix.lower() not in PAGES and name != MANIFEST]
    emit(Note(f"{to}: {len(parcel.files)} files are compared, and those that changed sent"))
    changed = rsync.move(parcel.site, rest) + rsync.move(parcel.site, pages, "--delay-updates")
    removed = rsync.remove(known - parcel.ours - set(parcel.files))
    rsync.move(parcel.site, [MANIFEST])
    return Sent(to, tuple(sorted(changed)), tuple(sorted(removed)))


class _Rsync:
    """The program, with a folder at the other end.

    Raises:
        ArtgenError: it is not installed, or too old.
    """

    def __init__(self, where: str, address: str) -> None:
        self._where, self._address = where, address
        if shutil.which("rsync") is None:
            raise ArtgenError(where, "the program rsync is not installed here", "install it", _install())
        said = subprocess.run(["rsync", "--version"], capture_output=True, text=True).stdout
        version = re.search(r"^rsync\s+version v?(\d+)\.(\d+)", said)
        if version is None or (int(version[1]), int(version[2])) < OLDEST:
            found = (
                f"this rsync is too old or another program ({said.splitlines()[0] if said else 'it is mute'})"
            )
            raise ArtgenError(where, found, "rsync 3.1 or newer", _install())

    def manifest(self, place: Path) -> frozenset[str]:
        """What the other end's manifest calls artgen's; nothing where there is no site yet."""
        done = self._call(["--protect-args", "--", self._address + MANIFEST, f"{place}/"])
        if done.returncode == NOT_ALL and "No such file" in done.stderr:
            return frozenset()
        self._check(done)
        text = (place / MANIFEST).read_text("utf-8", "replace")
        (place / MANIFEST).unlink()
        return (listed(text) or frozenset()) | {MANIFEST}

    def others(self, site: Path, names: Iterable[str]) -> list[str]:
        """Which of ``names`` are there, and not as they are in the site."""
        return sorted(self._list(site, names, "--dry-run", "--existing", *SETTINGS))

    def move(self, site: Path, names: Iterable[str], *settings: str) -> list[str]:
        """Send those of ``names`` that are not there or not the same; returns which."""
        return self._list(site, names, *SETTINGS, *settings)

    def remove(self, names: Iterable[str]) -> list[str]:
        """Take away files; returns those that were there.

        Told of a name whose folder it cannot find here, rsync removes nothing: the site may lack that folder
        too. So it is given the folders, and nothing in them.
        """
        with tempfile.TemporaryDirectory(prefix="artgen-") as place:
            names = list(names)
            for folder in {Path(name).parent for name in names}:
                (Path(place) / folder).mkdir(parents=True, exist_ok=True)
            return self._list(Path(place), names, "--delete-missing-args", *SETTINGS)

    def _list(self, site: Path, names: Iterable[str], *settings: str) -> list[str]:
        names = sorted(names)
        if not names:
            return []
        said = "".join(f"./{name}\0" for name in names)  # one that begins with # or ; would be a comment
        call = [*settings, "--from0", "--files-from=-", "--out-format=%i %n", "--8-bit-output"]
        done = self._call([*call, "--", f"{site.absolute()}/", self._address], said)
        self._check(done)
        lines = [line.partition(" ") for line in done.stdout.splitlines()]
        # "<f++": moved, as it is new; "<fc.": its content was another; ".f..t": only its time.
        return [name.lstrip() for what, _, name in lines if what[:2] in ("<f", ">f") or what == "*deleting"]

    def _call(self, arguments: list[str], said: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["rsync", *arguments],
            env={**os.environ, "LC_ALL": "C"},
            input=said,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _check(self, done: subprocess.CompletedProcess[str]) -> None:
        if done.returncode:
            lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            found = f"rsync failed ({' / '.join(lines[:2]) or f'exit code {done.returncode}'})"
            right = "the site that was there stands; the next publish goes on"
            raise ArtgenError(self._where, found, right, f"rsync {self._address}")


def _install() -> str:
    return "brew install rsync" if sys.platform == "darwin" else "sudo apt install rsync"
