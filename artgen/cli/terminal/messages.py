"""How every ``artgen`` command ends: its exit code, its error message, its result as text or JSON."""

from __future__ import annotations

import errno
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from json import dumps as dump_json
from typing import Any, NoReturn, TextIO

from artgen.errors import ArtgenError, PluginWarning, ValidationErrors, clean_text
from artgen.signals import OUTPUT_DESCRIPTORS, STOP_SIGNALS, drop_output, set_stop_handler

EXIT_FIXABLE, EXIT_INTERRUPTED = 2, 130
# Errors of a disk, and of too many files or processes or too little memory. Any other error of the operating
# system that names no file is a bug.
DISK_ERROR_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
FIXABLE_ERROR_NUMBERS = DISK_ERROR_NUMBERS | {errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM}


def run_command(command: Callable[[], Any]) -> NoReturn:
    """Run a command and leave with 0 done, 2 the user can fix it, 130 interrupted.

    A bug keeps its traceback and Python's own exit code 1. A command may also return its exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # A narrow terminal encoding must not turn a message into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.stdout, sys.stderr = CleanStream(sys.stdout), CleanStream(sys.stderr)
    warnings.showwarning = _show_warning
    _treat_signals_as_ctrl_c()
    try:
        code = command()
        if code == EXIT_INTERRUPTED:  # typer has caught it
            raise KeyboardInterrupt
        sys.stdout.flush()
    except ValidationErrors as problems:
        print(f"{problems}\n{problems.where}: {problems.problem}", file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    except ArtgenError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(EXIT_INTERRUPTED) from None
    except _ReaderGoneError:  # `artgen runs | head`: whoever reads has read enough
        for descriptor in OUTPUT_DESCRIPTORS:
            drop_output(descriptor)
        raise SystemExit(0) from None
    except OSError as error:
        if error.filename is None and error.errno not in FIXABLE_ERROR_NUMBERS:
            raise
        print(_os_error_message(error), file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    except Exception as error:
        message = _usage_message(error)
        if message is None:
            raise
        print(message, file=sys.stderr)
        raise SystemExit(EXIT_FIXABLE) from None
    raise SystemExit(code if isinstance(code, int) else 0)


class CleanStream:
    """A text stream that escapes what could steer a terminal; progress bars write to the stream below it.

    Args:
        stream: standard output or standard error.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text to the terminal, escaped; return its number of characters."""
        if not isinstance(text, str):  # so does any text stream, by which typer knows that it is one
            raise TypeError(f"text expected, not {type(text).__name__}")
        with _reader_expected():
            self._stream.write(clean_text(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Pass on what is written so far."""
        with _reader_expected():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _ReaderGoneError(Exception):
    """Nobody reads the output any more. At a ``BrokenPipeError`` typer itself would end with exit code 1."""


@contextmanager
def _reader_expected() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise _ReaderGoneError from None


def _treat_signals_as_ctrl_c() -> None:
    """End a command as Ctrl-C does when its terminal is closed, its ssh is lost or it is told to stop."""
    signals = [number for number in STOP_SIGNALS if number != signal.SIGINT]

    def interrupt(number: int) -> None:
        # A second one must not interrupt what tidies up after the first.
        for stop_signal in signals:
            signal.signal(stop_signal, signal.SIG_IGN)
        raise KeyboardInterrupt

    set_stop_handler(interrupt, signals)


def _os_error_message(error: OSError) -> str:
    """Return the message for an error of the operating system that no room has explained better."""
    name = str(error.filename or "artgen")
    name = name if len(name) <= 200 else f"{name[:100]}...{name[-60:]}"
    return f"{name}: cannot be used ({error.strerror or error})"


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
