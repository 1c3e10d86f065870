"""What a model file says of itself, read from its first bytes: no torch, so that a check is quick.

Files come from anywhere. What one says is text, to be taken for nothing else until it has been looked at.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError

LARGEST = 1 << 20
WIDEST = 2048


def metadata(path: Path) -> dict[str, str]:
    """The metadata of a ``.safetensors`` file.

    Raises:
        ArtgenError: the file cannot be read, or is no such file.
    """
    found = _header(path).get("__metadata__", {})
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def numbers(path: Path) -> int:
    """How many numbers a file holds: weights, and statistics where its norms keep some.

    Raises:
        ArtgenError: as ``metadata``.
    """
    tensors = (value for key, value in _header(path).items() if key != "__metadata__")
    try:
        return sum(math.prod(int(side) for side in tensor["shape"]) for tensor in tensors)
    except (KeyError, TypeError, ValueError):
        raise ArtgenError(str(path), "not a safetensors file", "a model made by artgen train") from None


def parsed(said: Mapping[str, str], key: str) -> Any:
    """What is said under ``key``, which is JSON for whatever is not plain text; None where nothing is."""
    try:
        return json.loads(said.get(key, "null"))
    except (ValueError, RecursionError):
        return said[key]


def scale(path: Path) -> float | None:
    """How many times larger an up-imager makes an image; None for other models, and where it is not said.

    Raises:
        ArtgenError: as ``metadata``.
    """
    said = metadata(path)
    config = parsed(said, "config")
    widths = config.get("widths") if isinstance(config, dict) else None
    if said.get("architecture") != "upimage" or not isinstance(widths, list) or len(widths) > 8:
        return None
    return 2.0 ** len(widths)  # each entry is one doubling


def side(said: Mapping[str, str]) -> int | None:
    """The side of the squares that a model learned from, px, as its training recipe says."""
    recipe = parsed(said, "recipe")
    crop = recipe.get("crop") if isinstance(recipe, dict) else None
    return crop if isinstance(crop, int) and 1 <= crop <= WIDEST else None


def inputs(said: Mapping[str, str]) -> dict[str, Any]:
    """The ``[pairs]`` table of a model's training: how its inputs were made; empty where there is none."""
    table = parsed(said, "inputs")
    return table if isinstance(table, dict) else {}


def style_names(said: Mapping[str, str]) -> list[str]:
    """Names of the styles that a fast-style model holds, in order; none where its file names none."""
    styles = parsed(said, "styles")
    if not isinstance(styles, list):
        return []
    return [str(style.get("name")) if isinstance(style, dict) else "" for style in styles]


def relabelled(path: Path, more: Mapping[str, str]) -> bytes:
    """The file of a model that says ``more`` of itself; what follows its header stays bit for bit.

    Raises:
        ArtgenError: as ``metadata``.
    """
    header = _header(path) | {"__metadata__": {**metadata(path), **more}}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # weights begin at a multiple of 8, as the format asks
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return len(text).to_bytes(8, "little") + text + file.read()


def _header(path: Path) -> dict[str, Any]:
    """The format: eight bytes with the header's length (little endian), then the header as JSON."""
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
    return header
