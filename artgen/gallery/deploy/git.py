"""Git commands on the repository that contains the site's folder, and on its remote."""

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

from artgen.errors import ArtgenError
from artgen.version import __version__

GIT_REMOTE_NAME = "origin"
# Neither filters nor conversion of line endings: the files that arrive are those that were built.
UNALTERED_CONTENT_OPTIONS = (
    "-c",
    "core.autocrlf=false",
    "-c",
    "core.attributesFile=",
    "-c",
    "core.quotePath=false",
)
REGULAR_FILE_MODE, EXECUTABLE_FILE_MODE = "100644", "100755"
NO_SUCH_BRANCH_EXIT_CODE = 2  # of git ls-remote
# Lines of git's output that do not tell why it failed.
_UNINFORMATIVE_LINE_PATTERN = re.compile(
    r"To |hint:|error: failed to push some refs|remote:\s*$|Everything up-to-date"
)
_GIT_REASON_PREFIXES = ("fatal:", "error:", "remote:", "!")
_GIT_IDENTITY_PATTERN = re.compile(r"(?P<name>.*?) ?<(?P<email>.*)> \d+ [+-]\d+\s*")


class TreeEntry(NamedTuple):
    """One file, link or submodule in the tree of a git commit.

    Attributes:
        mode: ``REGULAR_FILE_MODE``, ``EXECUTABLE_FILE_MODE``, or that of a symbolic link or a submodule.
        object_type: ``blob`` for files and links.
        object_hash: of the content.
    """

    mode: str
    object_type: str
    object_hash: str


class GitRepository:
    """A git repository that contains a site, used through the git command.

    Args:
        folder: any folder in the repository.
        where: what errors are about, as ``--to gh-pages``.
    """

    def __init__(self, folder: Path, where: str) -> None:
        self._folder, self._where = folder, where

    def check_ready(self, branch: str) -> None:
        """Check that the site can be committed and that there is a remote to push it to.

        Raises:
            ArtgenError: no git, no repository, no remote, an invalid branch name, or no committer.
        """
        if shutil.which("git") is None:
            raise ArtgenError(self._where, "git is not installed", "https://git-scm.com/downloads")
        if self._run_git("rev-parse", "--git-dir").returncode:
            expected = "the branch is one of a repository's: publish inside of it"
            raise ArtgenError(self._where, f"{self._folder} is in no git repository", expected, "git init")
        if self._run_git("remote", "get-url", GIT_REMOTE_NAME).returncode:
            command = f"git remote add {GIT_REMOTE_NAME} git@github.com:YOU/REPOSITORY.git"
            raise ArtgenError(
                self._where, f"the repository has no remote {GIT_REMOTE_NAME}", "name one", command
            )
        if branch.startswith("-") or self._run_git("check-ref-format", f"refs/heads/{branch}").returncode:
            raise ArtgenError(self._where, f"{branch!r} cannot be a branch's name", "e.g. gh-pages:gallery")
        if self._run_git("var", "GIT_COMMITTER_IDENT").returncode:
            command = 'git config --global user.name "YOUR NAME"; git config --global user.email YOU@HOST'
            raise ArtgenError(self._where, "git does not know who you are", "tell it", command)

    def fetch_branch(self, branch: str) -> str:
        """Fetch a branch of the remote, and return its commit; empty if there is no such branch."""
        process = self._run_git("ls-remote", "--exit-code", GIT_REMOTE_NAME, f"refs/heads/{branch}")
        if process.returncode == NO_SUCH_BRANCH_EXIT_CODE:
            return ""
        if process.returncode:
            raise self._build_git_error(f"{GIT_REMOTE_NAME} could not be reached", process.stderr)
        refspec = f"+refs/heads/{branch}:{_fetched_ref(branch)}"
        self._git_output("fetch", "--quiet", "--no-tags", GIT_REMOTE_NAME, refspec)
        return self._git_output("rev-parse", _fetched_ref(branch)).strip()

    def list_files(self, commit: str) -> dict[str, TreeEntry]:
        """List the files, links and submodules of a git commit by name."""
        lines = self._git_output("ls-tree", "-r", "-z", "--full-tree", commit).split("\0")
        return {
            name: TreeEntry(*fields.split())
            for fields, _, name in (line.partition("\t") for line in lines if line)
        }

    def read_text(self, commit: str, name: str) -> str:
        """Read the text of a file of a git commit."""
        return self._git_output("show", f"{commit}:{name}")

    def write_files(self, entries: Mapping[str, TreeEntry], folder: Path) -> None:
        """Write files of a git commit into ``folder``, byte for byte; a checkout would apply attributes.

        Args:
            entries: files by name, as ``list_files`` returns them.
            folder: where they go.
        """
        command = ["git", *UNALTERED_CONTENT_OPTIONS, "cat-file", "--batch"]
        hashes = "".join(f"{entry.object_hash}\n" for entry in entries.values()).encode()
        output = subprocess.run(command, cwd=self._folder, input=hashes, stdout=subprocess.PIPE).stdout
        # For each file: a line of hash, type and size, then the content and a line feed.
        offset = 0
        for name, entry in entries.items():
            header_end = output.index(b"\n", offset)
            size = int(output[offset:header_end].split()[2])
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(output[header_end + 1 : header_end + 1 + size])
            if entry.mode == EXECUTABLE_FILE_MODE:
                file.chmod(0o755)
            offset = header_end + size + 2

    @contextmanager
    def temporary_commit(self, folder: Path, branch: str, parent: str) -> Iterator[str]:
        """Commit the files of ``folder`` and an empty ``.nojekyll`` on a temporary branch.

        ghp-import needs a local branch; it is removed on leaving.

        Args:
            folder: has exactly the files to commit.
            branch: of the remote, for the temporary branch's name.
            parent: commit that comes before; empty for none.

        Yields:
            The new commit.
        """
        temporary_branch = f"artgen-sends-{branch}"
        try:
            # The branch may be left by a process that was killed.
            self._run_git("update-ref", "-d", f"refs/heads/{temporary_branch}")
            if parent:
                self._git_output("update-ref", f"refs/heads/{temporary_branch}", parent)
            command = [sys.executable, "-m", "ghp_import", "--no-jekyll", f"--branch={temporary_branch}"]
            command += [f"--message=Published by artgen {__version__}", str(folder)]
            process = self._run_command(command, self._committer_variables())
            if process.returncode:
                raise self._build_git_error("the site could not be committed", process.stderr)
            yield self._git_output("rev-parse", f"refs/heads/{temporary_branch}").strip()
        finally:
            self._run_git("update-ref", "-d", f"refs/heads/{temporary_branch}")

    def compare_commits(self, old: str, new: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Compare the files of two git commits.

        Args:
            old: a commit; empty stands for one without files.
            new: a commit.

        Returns:
            Names of new and changed files, and names of removed files.
        """
        old_tree = old or self._git_output("hash-object", "-t", "tree", "--stdin").strip()
        output = self._git_output("diff-tree", "-r", "-z", "--name-status", "--no-renames", old_tree, new)
        fields = output.split("\0")
        changes = list(zip(fields[:-1:2], fields[1::2], strict=True))
        changed = tuple(name for status, name in changes if status != "D")
        return changed, tuple(name for status, name in changes if status == "D")

    def push_commit(self, commit: str, branch: str) -> None:
        """Push a commit to a branch of the git remote, without force.

        Raises:
            ArtgenError: the remote refused, or somebody else pushed first; the branch is unchanged.
        """
        process = self._run_git("push", "--quiet", GIT_REMOTE_NAME, f"{commit}:refs/heads/{branch}")
        if process.returncode:
            raise self._build_git_error(
                f"{GIT_REMOTE_NAME} refused the push, and is unchanged", process.stderr
            )
        self._git_output("update-ref", _fetched_ref(branch), commit)

    def _committer_variables(self) -> dict[str, str]:
        """Return the committer as environment variables, as ghp-import reads fewer settings than git."""
        identity = _GIT_IDENTITY_PATTERN.fullmatch(self._git_output("var", "GIT_COMMITTER_IDENT"))
        if identity is None:
            return {}
        return {"GIT_COMMITTER_NAME": identity["name"], "GIT_COMMITTER_EMAIL": identity["email"]}

    def _git_output(self, *arguments: str) -> str:
        """Run git and return its output; raise if it fails."""
        process = self._run_git(*arguments)
        if process.returncode:
            raise self._build_git_error(f"git {arguments[0]} failed", process.stderr)
        return process.stdout

    def _run_git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run_command(["git", *UNALTERED_CONTENT_OPTIONS, *arguments], {})

    def _run_command(self, command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run a command in the repository with empty input and additional environment variables."""
        return subprocess.run(
            command,
            cwd=self._folder,
            env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", **variables},
            input="",
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _build_git_error(self, problem: str, stderr: str) -> ArtgenError:
        """Build the error for a failed git command, with the lines of output that tell why."""
        lines = [line.strip() for line in stderr.splitlines()]
        lines = [line for line in lines if line and not _UNINFORMATIVE_LINE_PATTERN.match(line)]
        reasons = [line for line in lines if line.startswith(_GIT_REASON_PREFIXES)] or lines
        return ArtgenError(self._where, f"{problem} ({' / '.join(reasons[-3:]) or 'no reason given'})")


def _fetched_ref(branch: str) -> str:
    """Return the git ref that keeps a fetched branch, so that git does not delete its objects."""
    return f"refs/artgen/{branch}"
