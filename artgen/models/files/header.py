"""The header of a model file, with its metadata. Reads the first bytes only and imports no torch.

Files come from anywhere. Every value in their metadata is untrusted text until it has been checked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artgen.errors import ArtgenError

MAX_HEADER_BYTES = 1 << 20
MAX_TRAINING_SIDE_PX = 2048


def read_metadata(path: Path) -> dict[str, str]:
    """Read the metadata of a model's ``.safetensors`` file.

    Raises:
        ArtgenError: the file cannot be read, or is no such file.
    """
    table = _read_header(path).get("__metadata__", {})
    return {str(key): str(value) for key, value in table.items()} if isinstance(table, dict) else {}


def count_stored_values(path: Path) -> int:
    """Count the numbers stored in a model file: weights, and statistics where its norms have some.

    Raises:
        ArtgenError: as ``read_metadata``.
    """
    tensors = (value for key, value in _read_header(path).items() if key != "__metadata__")
    try:
        return sum(math.prod(int(length) for length in tensor["shape"]) for tensor in tensors)
    except (KeyError, TypeError, ValueError):
        raise ArtgenError(str(path), "not a safetensors file", "a model made by artgen train") from None


def parse_field(metadata: Mapping[str, str], key: str) -> Any:
    """Return a value of a model's metadata, parsed where it is JSON, else as text; None where none is."""
    try:
        return json.loads(metadata.get(key, "null"))
    except (ValueError, RecursionError):
        return metadata[key]


def read_scale(path: Path) -> float | None:
    """Read how many times larger an up-imager makes an image; None for other models, and where unknown.

    Raises:
        ArtgenError: as ``read_metadata``.
    """
    metadata = read_metadata(path)
    config = parse_field(metadata, "config")
    widths = config.get("widths") if isinstance(config, dict) else None
    if metadata.get("architecture") != "upimage" or not isinstance(widths, list) or len(widths) > 8:
        return None
    return 2.0 ** len(widths)  # each entry is one doubling


def training_side(metadata: Mapping[str, str]) -> int | None:
    """Return the side of a model's square training images, px, from its training recipe; None if unknown."""
    recipe = parse_field(metadata, "recipe")
    crop = recipe.get("crop") if isinstance(recipe, dict) else None
    return crop if isinstance(crop, int) and 1 <= crop <= MAX_TRAINING_SIDE_PX else None


def generated_size(metadata: Mapping[str, str]) -> tuple[int, int] | None:
    """Return the width and height of the pictures that a generator makes, px; None if unknown."""
    config = parse_field(metadata, "config")
    side = config.get("side") if isinstance(config, dict) else None
    return (side, side) if isinstance(side, int) and 1 <= side <= MAX_TRAINING_SIDE_PX else None


def training_inputs(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return the ``[pairs]`` table of a model's training recipe: how its inputs were made; else empty."""
    table = parse_field(metadata, "inputs")
    return table if isinstance(table, dict) else {}


def style_names(metadata: Mapping[str, str]) -> list[str]:
    """Return the names of the styles of a fast-style model, in order; empty where its file names none."""
    styles = parse_field(metadata, "styles")
    if not isinstance(styles, list):
        return []
    return [str(style.get("name")) if isinstance(style, dict) else "" for style in styles]


def with_added_metadata(path: Path, added_metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a model file with added metadata; the weights after the header do not change.

    Args:
        path: the model file, which is only read.
        added_metadata: entries to add, or to replace.

    Raises:
        ArtgenError: as ``read_metadata``.
    """
    header = _read_header(path) | {"__metadata__": {**read_metadata(path), **added_metadata}}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # weights begin at a multiple of 8, as the format asks
    with path.open("rb") as file:
        file.seek(8 + int.from_bytes(file.read(8), "little"))
        return len(text).to_bytes(8, "little") + text + file.read()


def _read_header(path: Path) -> dict[str, Any]:
    """Parse a model file's header: eight bytes with its length (little endian), then JSON.

    Raises:
        ArtgenError: the file cannot be read, or is no ``.safetensors`` file.
    """
    if path.exists() and not path.is_file():  # a pipe would never end
        raise ArtgenError(str(path), "not a regular file", "a model file")
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            header = json.loads(file.read(length)) if 2 <= length <= MAX_HEADER_BYTES else None
    except OSError as error:
        raise ArtgenError(str(path), error.strerror or str(error), "a model file") from None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise ArtgenError(str(path), "not a safetensors file", "a model made by artgen train")
    return header
