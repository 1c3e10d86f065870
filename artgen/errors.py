"""Errors that the user can fix, with a location, the problem, what is expected and a helpful command."""

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


class ArtgenError(Exception):
    """An error that the user can fix: the command line shows it without a traceback and exits with code 2.

    Args:
        where: the file, key or argument that is wrong, e.g. ``abstracts.toml: steps.grow.scale``.
        problem: what is wrong there.
        expected: what is expected instead.
        command: a command that helps, shown as ``try: ...``.

    Examples:
        >>> try:
        ...     artgen.load_model("wave")
        ... except artgen.ArtgenError as error:
        ...     print(error.problem, "-", error.expected)
        no model 'wave' - did you mean 'waves'?
    """

    def __init__(self, where: str, problem: str, expected: str = "", command: str = "") -> None:
        self.where, self.problem, self.expected, self.command = where, problem, expected, command
        text = f"{where}: {problem}"
        if expected:
            text += f"; {expected}"
        if command:
            text += f" (try: {command})"
        super().__init__(clean_text(text.replace("\n", "; ")))


def artgen_command(*arguments: object) -> str:
    """Return a command of artgen as messages propose it: with special characters quoted for the shell.

    Args:
        arguments: of ``artgen``; each is written as its text.
    """
    texts = ["artgen", *map(str, arguments)]
    if os.name == "nt":
        from subprocess import list2cmdline

        return list2cmdline(texts)
    return shlex.join(texts)


def clean_text(text: str) -> str:
    """Escape what could steer a terminal: control characters, changes of direction, half characters.

    Names and texts from anywhere reach messages and lists; line breaks stay.
    """
    return "".join(
        character
        if character.isprintable() or character in "\n\t\u200c\u200d"
        else json.dumps(character)[1:-1]  # JSON stays JSON
        for character in text
    )


class ValidationErrors(ArtgenError):
    """Several errors that were found in one pass, each with its own location.

    Args:
        where: what was checked, e.g. the recipe file.
        errors: the errors, in the order in which they are shown.
    """

    def __init__(self, where: str, errors: Sequence[ArtgenError]) -> None:
        self.errors = tuple(errors)
        count = f"{len(self.errors)} problem{'s' if len(self.errors) != 1 else ''}"
        super().__init__(where, count)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


class WriteError(ArtgenError):
    """A file that could not be written: disk full or no permission. No partial file is left behind."""

    def __init__(self, path: Path, reason: str) -> None:
        expected = "free space or allow writing there, then run the same command again: it resumes"
        super().__init__(str(path), f"could not be written ({reason})", expected)


class PluginWarning(UserWarning):
    """A plug-in that is left out, or that misbehaves when it is imported."""


@contextmanager
def report_write_errors(path: Path) -> Iterator[None]:
    """Raise an ``OSError`` inside the ``with`` block as a ``WriteError`` about ``path``."""
    try:
        yield
    except OSError as error:
        raise WriteError(path, error.strerror or str(error)) from error
