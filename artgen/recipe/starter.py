"""The commented recipe that ``artgen new`` writes, to start from."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

from artgen.errors import ArtgenError, artgen_command
from artgen.imaging.io.files import atomic_write
from artgen.recipe.model import title_from_file_name
from artgen.recipe.schema import SCHEMA_FILE_NAME, SCHEMA_TITLE, recipe_schema_text


def create_starter_recipe(name: str) -> tuple[Path, Path]:
    """Write a new recipe, and its schema into the same folder.

    Args:
        name: the recipe's name or path; ``.toml`` is added if it is missing.

    Returns:
        The recipe's file, and the schema's file.

    Raises:
        ArtgenError: the file exists, or cannot be written.
    """
    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    if path.stem in ("", ".toml") or name.endswith(("/", "\\")):
        raise ArtgenError(name or '""', "no name for a recipe", "for example: artgen new dreams")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ArtgenError(str(path), "a name that is not UTF-8", "choose another name") from None
    try:
        if path.exists() or path.is_symlink():
            raise ArtgenError(
                str(path), "exists already", "choose another name", artgen_command("check", path)
            )
        path.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise ArtgenError(str(path), f"cannot be written: {error}") from None
    atomic_write(path, starter_text(path.stem).encode())
    schema = path.parent / SCHEMA_FILE_NAME
    if _may_write_schema(schema):
        atomic_write(schema, recipe_schema_text().encode())
    return path, schema


def starter_text(name: str) -> str:
    """Return the commented text of a new recipe called ``name``."""
    title = json.dumps(title_from_file_name(name), ensure_ascii=False)
    return files("artgen.recipe").joinpath("starter.toml").read_text("utf-8").replace('"TITLE"', title)


def _may_write_schema(schema: Path) -> bool:
    """Return whether the schema's file is missing or an earlier one, so that it may be written."""
    try:
        if not schema.exists():
            return True
        return schema.is_file() and json.loads(schema.read_text("utf-8")).get("title") == SCHEMA_TITLE
    except (OSError, ValueError, AttributeError):
        return False
