"""How every ``artgen`` command ends: its exit code, its error message, its result as text or JSON."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from json import dumps as dump_json
from typing import Any, NoReturn, TextIO

from artgen.errors import ArtgenError, PluginWarning, ValidationErrors

EXIT_FIXABLE, EXIT_INTERRUPTED = 2, 130


def run_command(command: Callable[[], Any]) -> NoReturn:
    """Run a command and leave with 0 done, 2 the user can fix it, 130 interrupted.

    A bug keeps its traceback and Python's own exit code 1. A command may also return its exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # A narrow terminal encoding must not turn a message into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning
    try:
        code = command()
        if code == EXIT_INTERRUPTED:  # typer has caught it
            raise KeyboardInterrupt
    except ValidationErrors as problems:
        print(f"{problems}\n{problems.where}: {problems.problem}", file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    except ArtgenError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except Exception as error:
        message = _usage_message(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    raise SystemExit(code if isinstance(code, int) else 0)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning about a plug-in as one line; Python formats the others."""
    if issubclass(category, PluginWarning):
        print(f"warning: {message}", file=sys.stderr)
    else:
        print(
            warnings.formatwarning(message, category, filename, lineno, line), end="", file=file or sys.stderr
        )


def _usage_message(error: Exception) -> str | None:
    """Return the message of an error in the command line, or None for any other error.

    Recognised by its method, because its class has changed between versions of typer.
    """
    if not hasattr(error, "format_message"):
        return None
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "artgen"
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    return f"{command}: {message[:1].lower()}{message[1:]} (try: {command} --help)"


def show_result(report: object, text: str, *, json: bool) -> None:
    """Print the result of a command: ``report`` as its JSON document, or ``text``."""
    if json:
        show_json(report)
    else:
        print(text)


def show_json(value: object) -> None:
    """Print ``value`` as the single JSON document of this command."""
    print(dump_json(value, indent=2, ensure_ascii=_is_ascii_only(), default=str))


def show_json_line(value: object) -> None:
    """Print ``value`` as JSON on one line, at once: for a command that continues to run."""
    print(dump_json(value, ensure_ascii=_is_ascii_only(), default=str), flush=True)


def _is_ascii_only() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
