"""SHA-256 of files and of values, hexadecimal."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError


def file_hash(file: Path) -> str:
    """Return the SHA-256 of a regular file's content.

    Raises:
        ArtgenError: the file cannot be read, or it is not a regular file.
    """
    try:
        if not file.is_file():
            raise ArtgenError(str(file), "no such file", "put it back")
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from error


def json_hash(value: Any) -> str:
    """Return the SHA-256 of a value as JSON with sorted keys; ``str`` converts what JSON cannot hold."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
