"""Upload of a site by the rsync program, to another computer or to a folder on this one.

Pages are sent together after the pictures they show, and files that are no longer part of the site are
removed last. So a visitor, even during an interrupted upload, sees the old site or the new one. The manifest
at the target says which files artgen may remove there; it is extended before anything new is sent.
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
from artgen.gallery.deploy.upload_set import UploadResult, UploadSet
from artgen.gallery.publish.manifest import MANIFEST_FILE, parse_manifest_files

# Files are compared by content, because a site built in a fresh checkout has new times. Existing folders keep
# their permissions; everybody may read the files.
COPY_OPTIONS = ("--checksum", "--times", "--perms", "--chmod=F644", "--no-implied-dirs", "--protect-args")
PAGE_ENDINGS = frozenset({".html", ".xml", ".json", ".css", ".js", ".txt", ""})
MIN_RSYNC_VERSION = (3, 1)
PARTIAL_TRANSFER_EXIT_CODE = 23  # some file could not be transferred, e.g. because it does not exist


def upload_by_rsync(
    upload_set: UploadSet, target: str, address: str, emit: Emit, force: bool
) -> UploadResult:
    """Make the files at ``address`` those of the site.

    Args:
        upload_set: the site's files.
        target: as the user named it, for messages.
        address: the target folder as rsync's argument; it ends in ``/``.
        emit: receives notes about the progress.
        force: replace files there that artgen did not make but whose names the site uses.

    Raises:
        ArtgenError: rsync is missing or fails, or files there would be lost.
    """
    rsync = _RsyncClient(f"--to {target}", address)
    with tempfile.TemporaryDirectory(prefix="artgen-") as temporary_folder:
        emit(Note(f"{target}: asking what is there"))
        sent_before = rsync.fetch_manifest_files(Path(temporary_folder))
        new_names = upload_set.artgen_file_names - sent_before
        if new_names:
            foreign = rsync.list_differing_files(upload_set.site, new_names - {MANIFEST_FILE})
            if foreign and not force:
                more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
                problem = f"{foreign[0]}{more} is there and is not artgen's"
                expected = "move it away, or use --force to replace it"
                raise ArtgenError(f"--to {target}", problem, expected)
            claimed_names = sorted((sent_before | upload_set.artgen_file_names) - {MANIFEST_FILE})
            manifest = json.dumps({"files": claimed_names}, indent=1)
            (Path(temporary_folder) / MANIFEST_FILE).write_text(manifest + "\n", "utf-8")
            rsync.send_files(Path(temporary_folder), [MANIFEST_FILE])
    names = [name for name in upload_set.file_names if name != MANIFEST_FILE]
    pages = [name for name in names if Path(name).suffix.lower() in PAGE_ENDINGS]
    media = [name for name in names if Path(name).suffix.lower() not in PAGE_ENDINGS]
    emit(Note(f"{target}: {len(upload_set.file_names)} files are compared, and those that changed sent"))
    changed = rsync.send_files(upload_set.site, media)
    changed += rsync.send_files(upload_set.site, pages, "--delay-updates")
    removed = rsync.remove_files(sent_before - upload_set.artgen_file_names - set(upload_set.file_names))
    rsync.send_files(upload_set.site, [MANIFEST_FILE])
    return UploadResult(target, tuple(sorted(changed)), tuple(sorted(removed)))


class _RsyncClient:
    """The rsync program, with the folder that a site is uploaded to.

    Args:
        where: what errors are about, as ``--to host:path``.
        address: the target folder as rsync's argument; it ends in ``/``.

    Raises:
        ArtgenError: rsync is not installed, or too old.
    """

    def __init__(self, where: str, address: str) -> None:
        self._where, self._address = where, address
        if shutil.which("rsync") is None:
            raise ArtgenError(
                where, "the program rsync is not installed here", "install it", _install_command()
            )
        output = subprocess.run(["rsync", "--version"], capture_output=True, text=True).stdout
        version = re.search(r"^rsync\s+version v?(\d+)\.(\d+)", output)
        if version is None or (int(version[1]), int(version[2])) < MIN_RSYNC_VERSION:
            program = output.splitlines()[0] if output else "it prints no version"
            problem = f"this rsync is too old or another program ({program})"
            raise ArtgenError(where, problem, "rsync 3.1 or newer", _install_command())

    def fetch_manifest_files(self, temporary_folder: Path) -> frozenset[str]:
        """Return the names of artgen's files at the target; empty if there is no site yet."""
        process = self._run(["--protect-args", "--", self._address + MANIFEST_FILE, f"{temporary_folder}/"])
        if process.returncode == PARTIAL_TRANSFER_EXIT_CODE and "No such file" in process.stderr:
            return frozenset()
        self._raise_if_failed(process)
        manifest = (temporary_folder / MANIFEST_FILE).read_text("utf-8", "replace")
        (temporary_folder / MANIFEST_FILE).unlink()
        return (parse_manifest_files(manifest) or frozenset()) | {MANIFEST_FILE}

    def list_differing_files(self, site: Path, names: Iterable[str]) -> list[str]:
        """List those of ``names`` that exist at the target unlike the site's."""
        return sorted(self._transfer(site, names, "--dry-run", "--existing", *COPY_OPTIONS))

    def send_files(self, site: Path, names: Iterable[str], *options: str) -> list[str]:
        """Send the site's ``names`` that are new or changed, and return these."""
        return self._transfer(site, names, *COPY_OPTIONS, *options)

    def remove_files(self, names: Iterable[str]) -> list[str]:
        """Remove a site's files at the target, and return those that existed.

        rsync only removes a file if its folder exists on this side, and the site may no longer have the
        folder. So the source is a temporary folder with empty subfolders.
        """
        with tempfile.TemporaryDirectory(prefix="artgen-") as temporary_folder:
            names = list(names)
            for folder in {Path(name).parent for name in names}:
                (Path(temporary_folder) / folder).mkdir(parents=True, exist_ok=True)
            return self._transfer(Path(temporary_folder), names, "--delete-missing-args", *COPY_OPTIONS)

    def _transfer(self, folder: Path, names: Iterable[str], *options: str) -> list[str]:
        """Run rsync on files of a folder, and return the names of those that it sent or removed."""
        names = sorted(names)
        if not names:
            return []
        # The ./ is for names that begin with # or ;, which rsync would take for comments.
        name_list = "".join(f"./{name}\0" for name in names)
        arguments = [*options, "--from0", "--files-from=-", "--out-format=%i %n", "--8-bit-output"]
        process = self._run([*arguments, "--", f"{folder.absolute()}/", self._address], name_list)
        self._raise_if_failed(process)
        lines = [line.partition(" ") for line in process.stdout.splitlines()]
        # "<f++": sent, as it is new; "<fc.": sent, as its content changed; ".f..t": only its time changed.
        return [
            name.lstrip() for change, _, name in lines if change[:2] in ("<f", ">f") or change == "*deleting"
        ]

    def _run(self, arguments: list[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["rsync", *arguments],
            env={**os.environ, "LC_ALL": "C"},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _raise_if_failed(self, process: subprocess.CompletedProcess[str]) -> None:
        if process.returncode:
            lines = [line.strip() for line in process.stderr.splitlines() if line.strip()]
            problem = f"rsync failed ({' / '.join(lines[:2]) or f'exit code {process.returncode}'})"
            expected = "the old site is still there; the next publish continues"
            raise ArtgenError(self._where, problem, expected, f"rsync {self._address}")


def _install_command() -> str:
    return "brew install rsync" if sys.platform == "darwin" else "sudo apt install rsync"
