"""Every command with its options, for docs/commands.md: from the command line itself, see ``reference.py``.

Not what ``--help`` prints: its layout changes with the version of Typer.
"""

from collections.abc import Iterator
from enum import Enum
from pathlib import PurePath
from typing import Any

import typer

from artgen.cli import app


def page() -> str:
    """Return a section for each command, in the order of ``artgen --help``."""
    return "\n\n".join(_section(words, command) for words, command in _walk(typer.main.get_command(app), ()))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    if words:
        yield words, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*words, name))


def _section(words: tuple[str, ...], command: Any) -> str:
    name = " ".join(["artgen", *words])
    arguments = [_argument(param) for param in command.params if param.param_type_name == "argument"]
    rest = "COMMAND [ARGUMENTS]" if hasattr(command, "commands") else "[OPTIONS]"
    parts = [
        f"{'#' * (len(words) + 1)} {name}",
        "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n")),
        f"```text\n{' '.join([name, *arguments, rest])}\n```",
    ]
    if command.params:
        rows = [f"| {_names(param)} | {_meaning(param)} |" for param in command.params]
        parts.append("\n".join(["| argument or option | meaning |", "| --- | --- |", *rows]))
    return "\n\n".join(parts)


def _argument(param: Any) -> str:
    name = _placeholder(param) + ("..." if param.nargs < 0 else "")
    return name if param.required else f"[{name}]"


def _placeholder(param: Any) -> str:
    return (param.metavar or param.name.upper()).removesuffix("...").strip("[]")


def _names(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{_placeholder(param)}`"
    value = f" {param.metavar}" if param.metavar else ""
    return ", ".join(f"`{option}{value}`" for option in (*param.opts, *param.secondary_opts))


def _meaning(param: Any) -> str:
    default = param.default
    if isinstance(default, Enum):
        default = default.value
    elif isinstance(default, PurePath):
        default = default.as_posix()
    shown = isinstance(default, str | int | float) and not isinstance(default, bool) and default != ""
    by_default = f" By default `{default}`." if shown else ""
    return (param.help or "").replace("|", "\\|") + by_default
