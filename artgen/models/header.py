"""What a model file says of itself, read from its first bytes: no torch, so that a check is quick."""

from __future__ import annotations

import json
from pathlib import Path

from artgen.errors import ArtgenError

LARGEST = 1 << 20


def metadata(path: Path) -> dict[str, str]:
    """The metadata of a ``.safetensors`` file.

    The format: eight bytes with the header's length (little endian), then the header as JSON.

    Raises:
        ArtgenError: the file cannot be read, or is no such file.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 2 <= length <= LARGEST else None
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), "a model file") from None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ArtgenError(str(path), "not a safetensors file", "a model made by artgen train")
    found = header.get("__metadata__", {})
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def scale(path: Path) -> float | None:
    """How many times larger the model makes an image; None where its file does not say.

    Raises:
        ArtgenError: as ``metadata``.
    """
    try:
        config = json.loads(metadata(path).get("config", "{}"))
        # Each entry of `widths` is one doubling.
        return 2.0 ** len(config["widths"])
    except (KeyError, TypeError, ValueError, RecursionError, OverflowError):
        return None


def style_names(path: Path) -> list[str]:
    """Names of the styles that a fast-style model holds, in order; none where its file names none.

    Raises:
        ArtgenError: as ``metadata``.
    """
    try:
        return [str(style["name"]) for style in json.loads(metadata(path).get("styles", "[]"))]
    except (KeyError, TypeError, ValueError, RecursionError):
        return []
