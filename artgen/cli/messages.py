"""How every command ends: its exit code, its one message, its JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from artgen.errors import ArtgenError, Problems

FIXABLE, INTERRUPTED = 2, 130


def guarded(command: Callable[[], Any]) -> NoReturn:
    """Run a command and leave with 0 done, 2 the user can fix it, 130 interrupted.

    A bug keeps its traceback and Python's own exit code 1.
    """
    try:
        command()
    except Problems as problems:
        print(f"{problems}\n{problems.where}: {problems.found}", file=sys.stderr)
        raise SystemExit(FIXABLE) from None
    except ArtgenError as error:
        print(error, file=sys.stderr)
        raise SystemExit(FIXABLE) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None
    raise SystemExit(0)


def show_json(value: object) -> None:
    """Print ``value`` as the single JSON document of this command."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
