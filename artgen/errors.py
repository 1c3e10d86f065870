"""What a person can put right, said once and clearly."""

from collections.abc import Sequence
from pathlib import Path


class ArtgenError(Exception):
    """A problem the user can fix: the command line shows it without a traceback and exits with 2.

    Args:
        where: the file, key or argument, e.g. ``abstracts.toml: steps.grow.scale``.
        found: what was found there.
        right: what would be right.
        command: a command that helps, shown as ``try: ...``.
    """

    def __init__(self, where: str, found: str, right: str = "", command: str = "") -> None:
        self.where, self.found, self.right, self.command = where, found, right, command
        text = f"{where}: {found}"
        if right:
            text += f"; {right}"
        if command:
            text += f" (try: {command})"
        super().__init__(text)


class Problems(ArtgenError):
    """Several problems found in one go, each with its own place."""

    def __init__(self, where: str, problems: Sequence[ArtgenError]) -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} problem{'s' if len(self.problems) != 1 else ''}"
        super().__init__(where, count)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class WriteError(ArtgenError):
    """A file could not be written: disk full, no permission. Nothing partial is left behind."""

    def __init__(self, path: Path, reason: str) -> None:
        right = "make room or allow writing there, then run the same command again: what is finished is kept"
        super().__init__(str(path), f"could not be written ({reason})", right)
