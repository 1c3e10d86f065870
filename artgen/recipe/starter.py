"""``artgen new``: a commented recipe to start from."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.imaging.io.files import atomic_write
from artgen.recipe.schema import FILE, TITLE, schema_text


def begin(name: str) -> tuple[Path, Path]:
    """Write a new recipe and the schema beside it.

    Args:
        name: the recipe's name or path; ``.toml`` is added where it is missing.

    Returns:
        The recipe's file and the schema's.

    Raises:
        ArtgenError: the file exists, or cannot be written.
    """
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if path.stem in ("", ".toml") or name.endswith(("/", "\\")):
        raise ArtgenError(name or '""', "no name for a recipe", "for example: artgen new dreams")
    try:
        if path.exists() or path.is_symlink():
            raise ArtgenError(str(path), "exists already", "choose another name", f"artgen check {path}")
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ArtgenError(str(path), f"cannot be written: {error}") from None
    atomic_write(path, starter(path.stem).encode())
    schema = path.parent / FILE
    if _ours(schema):
        atomic_write(schema, schema_text().encode())
    return path, schema


def starter(name: str) -> str:
    """The text of a new recipe called ``name``."""
    title = json.dumps(name.replace("-", " ").replace("_", " ").capitalize(), ensure_ascii=False)
    return files("artgen.recipe").joinpath("starter.toml").read_text("utf-8").replace('"TITLE"', title)


def _ours(schema: Path) -> bool:
    """Whether the file may be written: it is missing, or an earlier schema of recipes."""
    try:
        if not schema.exists():
            return True
        return schema.is_file() and json.loads(schema.read_text("utf-8")).get("title") == TITLE
    except (OSError, ValueError, AttributeError):
        return False
