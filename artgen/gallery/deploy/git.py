"""The git repository that a site lies in, and its remote: what sending the site as a branch asks of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from artgen import __version__
from artgen.errors import ArtgenError

REMOTE = "origin"
# No filters and no line endings: what arrives is what was built.
EXACT = ("-c", "core.autocrlf=false", "-c", "core.attributesFile=", "-c", "core.quotePath=false")
PLAIN, EXECUTABLE = "100644", "100755"
MISSING = 2  # how ls-remote says that there is no such branch
# What git says around the reason.
_EMPTY = re.compile(r"To |hint:|error: failed to push some refs|remote:\s*$|Everything up-to-date")
_TELLING = ("fatal:", "error:", "remote:", "!")
_IDENTITY = re.compile(r"(?P<name>.*?) ?<(?P<email>.*)> \d+ [+-]\d+\s*")


class Entry(NamedTuple):
    """One line of a commit's tree.

    Attributes:
        mode: ``PLAIN``, ``EXECUTABLE``, or that of a symbolic link or another repository.
        kind: ``blob`` for files and links.
        content: its hash.
    """

    mode: str
    kind: str
    content: str


class Repository:
    """Git, run in a folder.

    Args:
        folder: somewhere in the repository.
        where: what its errors are about.
    """

    def __init__(self, folder: Path, where: str) -> None:
        self._folder, self._where = folder, where

    def check(self, branch: str) -> None:
        """Make sure of everything that sending needs.

        Raises:
            ArtgenError: no git, no repository, no remote, no such name of a branch, or nobody to sign.
        """
        if shutil.which("git") is None:
            raise ArtgenError(self._where, "git is not installed", "https://git-scm.com/downloads")
        if self._call("rev-parse", "--git-dir").returncode:
            right = "the branch is one of a repository's: publish inside of it"
            raise ArtgenError(self._where, f"{self._folder} is in no git repository", right, "git init")
        if self._call("remote", "get-url", REMOTE).returncode:
            command = f"git remote add {REMOTE} git@github.com:YOU/REPOSITORY.git"
            raise ArtgenError(self._where, f"the repository has no remote {REMOTE}", "name one", command)
        if branch.startswith("-") or self._call("check-ref-format", f"refs/heads/{branch}").returncode:
            raise ArtgenError(self._where, f"{branch!r} cannot be a branch's name", "e.g. gh-pages:gallery")
        if self._call("var", "GIT_COMMITTER_IDENT").returncode:
            command = 'git config --global user.name "YOUR NAME"; git config --global user.email YOU@HOST'
            raise ArtgenError(self._where, "git does not know who you are", "tell it", command)

    def fetch(self, branch: str) -> str:
        """The commit that the remote's branch is at; empty where there is no such branch."""
        found = self._call("ls-remote", "--exit-code", REMOTE, f"refs/heads/{branch}")
        if found.returncode == MISSING:
            return ""
        if found.returncode:
            raise self._failed(f"{REMOTE} could not be reached", found.stderr)
        self._run("fetch", "--quiet", "--no-tags", REMOTE, f"+refs/heads/{branch}:{_kept(branch)}")
        return self._run("rev-parse", _kept(branch)).strip()

    def files(self, commit: str) -> dict[str, Entry]:
        """The files of a commit by name, and what else is in it."""
        lines = self._run("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        return {
            name: Entry(*what.split()) for what, _, name in (line.partition("\t") for line in lines if line)
        }

    def read(self, commit: str, name: str) -> str:
        """The text of a file of a commit."""
        return self._run("show", f"{commit}:{name}")

    def write(self, entries: Mapping[str, Entry], folder: Path) -> None:
        """Write files of a commit into ``folder``, byte for byte: a checkout would heed attributes."""
        command = ["git", *EXACT, "cat-file", "--batch"]
        asked = "".join(f"{entry.content}\n" for entry in entries.values()).encode()
        told = subprocess.run(command, cwd=self._folder, input=asked, stdout=subprocess.PIPE).stdout
        at = 0
        for name, entry in entries.items():
            line = told.index(b"\n", at)
            size = int(told[at:line].split()[2])
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(told[line + 1 : line + 1 + size])
            if entry.mode == EXECUTABLE:
                file.chmod(0o755)
            at = line + size + 2

    @contextmanager
    def committed(self, folder: Path, branch: str, before: str) -> Iterator[str]:
        """The files of ``folder``, and an empty ``.nojekyll``, as a commit after ``before``.

        ghp-import wants a branch to put it on: one of our own, which goes again.
        """
        ours = f"artgen-sends-{branch}"
        try:
            self._call("update-ref", "-d", f"refs/heads/{ours}")  # of one that was killed
            if before:
                self._run("update-ref", f"refs/heads/{ours}", before)
            command = [sys.executable, "-m", "ghp_import", "--no-jekyll", f"--branch={ours}"]
            command += [f"--message=Published by artgen {__version__}", str(folder)]
            done = self._program(command, "", self._identity())
            if done.returncode:
                raise self._failed("the site could not be committed", done.stderr)
            yield self._run("rev-parse", f"refs/heads/{ours}").strip()
        finally:
            self._call("update-ref", "-d", f"refs/heads/{ours}")

    def difference(self, before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Files that are new or other in ``after``, and those that are gone; ``before`` may be empty."""
        old = before or self._run("hash-object", "-t", "tree", "--stdin").strip()
        told = self._run("diff-tree", "-r", "-z", "--name-status", "--no-renames", old, after).split("\0")
        pairs = list(zip(told[:-1:2], told[1::2], strict=True))
        changed = tuple(name for kind, name in pairs if kind != "D")
        return changed, tuple(name for kind, name in pairs if kind == "D")

    def push(self, commit: str, branch: str) -> None:
        """Let the remote's branch be at ``commit``, which comes after what it is at.

        Raises:
            ArtgenError: refused, or somebody else was quicker; the branch is as it was.
        """
        done = self._call("push", "--quiet", REMOTE, f"{commit}:refs/heads/{branch}")
        if done.returncode:
            raise self._failed(f"{REMOTE} did not take it, and stands as it was", done.stderr)
        self._run("update-ref", _kept(branch), commit)

    def _identity(self) -> dict[str, str]:
        """Who commits, in the variables that ghp-import reads: by itself it knows fewer places than git."""
        found = _IDENTITY.fullmatch(self._run("var", "GIT_COMMITTER_IDENT"))
        if found is None:
            return {}
        return {"GIT_COMMITTER_NAME": found["name"], "GIT_COMMITTER_EMAIL": found["email"]}

    def _run(self, *arguments: str, said: str = "", **variables: str) -> str:
        done = self._call(*arguments, said=said, **variables)
        if done.returncode:
            raise self._failed(f"git {arguments[0]} failed", done.stderr)
        return done.stdout

    def _call(self, *arguments: str, said: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return self._program(["git", *EXACT, *arguments], said, variables)

    def _program(
        self, command: list[str], said: str, variables: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self._folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", **variables},
            input=said,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _failed(self, found: str, said: str) -> ArtgenError:
        lines = [line.strip() for line in said.splitlines() if line.strip() and not _EMPTY.match(line)]
        telling = [line for line in lines if line.startswith(_TELLING)] or lines
        return ArtgenError(self._where, f"{found} ({' / '.join(telling[-3:]) or 'no reason given'})")


def _kept(branch: str) -> str:
    """A name for what was fetched, so that git does not throw it away."""
    return f"refs/artgen/{branch}"
