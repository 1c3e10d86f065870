"""Every command with its options, for docs/commands.md: what ``--help`` prints, see ``reference.py``."""

from collections.abc import Iterator

import typer
from typer.testing import CliRunner

from artgen.cli import app

HELP_COLUMNS = "80"


def page() -> str:
    """Return a section for each command, in the order of ``artgen --help``."""
    return "\n\n".join(map(_section, command_names()))


def command_names() -> list[str]:
    """Return the words of each command and subcommand: ``run``, ``models``, ``models pull``, ..."""
    return list(_walk(typer.main.get_command(app), ()))


def _walk(command: object, words: tuple[str, ...]) -> Iterator[str]:
    if words:
        yield " ".join(words)
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*words, name))


def _section(name: str) -> str:
    call = [*name.split(), "--help"]
    printed = CliRunner().invoke(app, call, prog_name="artgen", env={"COLUMNS": HELP_COLUMNS})
    level = "##" if " " not in name else "###"
    return f"{level} artgen {name}\n\n```text\n{printed.stdout.strip()}\n```"
