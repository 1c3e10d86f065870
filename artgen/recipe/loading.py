"""Loading of recipes, which reports all errors in the file at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from artgen.config.document import Document, KeyPath, read_document
from artgen.config.fields import format_toml_value
from artgen.config.messages import did_you_mean, error_line_number, validate_table
from artgen.errors import ArtgenError, ValidationErrors, artgen_command
from artgen.plugins import PACKAGE_NAME, PluginRegistry, is_installed
from artgen.recipe.model import Gallery, Recipe, title_from_file_name
from artgen.recipe.overrides import apply_overrides
from artgen.steps import SOURCES, STEPS, Step
from artgen.steps.base import SOURCE_ID, RecipePart
from artgen.steps.crops import CropsSource

RECIPE_TABLE_KEYS = ("source", "steps", "gallery")


def load_recipe(path: Path | str, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe's TOML file and validate all of it.

    Args:
        path: the TOML file.
        overrides: ``key=value`` texts, as ``--set`` takes them.

    Returns:
        The recipe; its paths are relative to the file's folder. It is immutable.

    Raises:
        ValidationErrors: all errors in the recipe, each with its location.

    Examples:
        >>> recipe = artgen.load_recipe("sea.toml", overrides=["seed=3"])
        >>> recipe.seed, recipe.step_ids()
        (3, ('upscale', 'grain'))
    """
    path = Path(path)
    errors: list[ArtgenError] = []
    try:
        document = read_document(path)
        if overrides:
            document, errors = apply_overrides(document, overrides)
    except ArtgenError as error:
        raise ValidationErrors(str(path), [error]) from None
    if "family" in document.table and "source" not in document.table:
        mistake = ArtgenError(
            str(path), "a training recipe", "it makes a model", artgen_command("train", path)
        )
        raise ValidationErrors(str(path), [mistake])
    return build_recipe(document, errors)


def build_recipe(
    document: Document,
    earlier_errors: Sequence[ArtgenError] = (),
    packages_by_use: Mapping[str, str] | None = None,
) -> Recipe:
    """Validate a document that was read from a file or composed by a command, and return its recipe.

    Args:
        document: the recipe's text and parsed table, with the location of each key.
        earlier_errors: errors found before, which are reported together with new ones.
        packages_by_use: packages that sources and steps came from, for advice if they are missing.

    Raises:
        ValidationErrors: all errors in the recipe, each with its location.
    """
    errors, table = list(earlier_errors), document.table
    packages = _MissingPackages(packages_by_use or {}, _list_missing(table.get("requires")))
    source = _validate_part(document, ("source",), table.get("source"), SOURCES, packages, errors)
    step_tables = table.get("steps", [])
    if not isinstance(step_tables, list):
        errors.append(_wrong_type_error(document, ("steps",), step_tables, "steps are written [[steps]]"))
        step_tables = []
    steps = [
        _validate_part(document, ("steps", index), step_table, STEPS, packages, errors)
        for index, step_table in enumerate(step_tables)
    ]
    errors.extend(_duplicate_id_errors(document, step_tables))
    gallery, gallery_table = None, table.get("gallery", {})
    if isinstance(gallery_table, dict):
        gallery, table_errors = validate_table(Gallery, gallery_table, document, ("gallery",), "gallery")
        errors.extend(table_errors)
    else:
        errors.append(_wrong_type_error(document, ("gallery",), gallery_table, "it is written [gallery]"))
    top_level_fields = {key: value for key, value in table.items() if key not in RECIPE_TABLE_KEYS}
    top_level_fields.setdefault("title", title_from_file_name(document.path.stem)[:200])
    # An invalid part has been reported; a valid one instead of it allows to check the top level.
    parts = {"source": source or CropsSource(), "steps": list(filter(None, steps))}
    fields = {**top_level_fields, **parts, "gallery": gallery or Gallery()}
    recipe, table_errors = validate_table(Recipe, fields, document, ())
    errors.extend(table_errors)
    if errors or recipe is None:
        errors.sort(key=lambda error: error_line_number(error, document.path))
        raise ValidationErrors(str(document.path), errors)
    recipe._path, recipe._text = document.path, document.text
    return recipe


def build_step(use: str, fields: Mapping[str, Any], folder: Path) -> Step:
    """Build a single step of a recipe from its table, outside of a recipe.

    Args:
        use: its name, as in recipes.
        fields: its fields; a path is taken as its text.
        folder: where relative paths start.

    Raises:
        ValidationErrors: no such step, or every wrong field and missing file.
    """
    values = {name: str(value) if isinstance(value, Path) else value for name, value in fields.items()}
    document = Document(folder / f"step {use}", "", {"steps": [{"use": use} | values]}, {})
    errors: list[ArtgenError] = []
    step: Step | None = _validate_part(
        document, ("steps", 0), document.table["steps"][0], STEPS, _MissingPackages({}, ()), errors
    )
    if errors or step is None:
        raise ValidationErrors(f"step {use}", errors)
    return step


def _validate_part(
    document: Document,
    keys: KeyPath,
    table: Any,
    registry: PluginRegistry[Any],
    packages: _MissingPackages,
    errors: list[ArtgenError],
) -> Any:
    """Validate the source or a step, including the files it names; None if the table is invalid."""
    title = _table_title(table, keys)
    if table is None:
        expected = f'add [source] with use = "crops"; known: {", ".join(registry.names())}'
        errors.append(ArtgenError(f"{document.path}: {title}", "missing", expected, "artgen steps"))
        return None
    if not isinstance(table, dict):
        errors.append(_wrong_type_error(document, keys, table, f"{title} is a table with a `use` key"))
        return None
    use = table.get("use")
    where = f"{document.locate((*keys, 'use'))}: {title}.use"
    try:
        model = registry.find(use)
    except ArtgenError as plugin_error:
        errors.append(ArtgenError(where, str(plugin_error)))
        return None
    if model is None:
        errors.append(_unknown_use_error(where, use, registry, packages))
        return None
    part, field_errors = validate_table(model, table, document, keys, title)
    errors.extend(field_errors)
    readable_part = part or _parse_valid_fields(model, table)
    for field, error in readable_part.validate_files(document.path.parent) if readable_part else ():
        where = f"{document.locate((*keys, field))}: {title}.{field}"
        errors.append(ArtgenError(where, error.problem, error.expected, error.command))
    return part


def _parse_valid_fields(model: type[RecipePart], table: Mapping[str, Any]) -> RecipePart | None:
    """Parse the valid fields of a recipe's invalid table, so that its files are checked as well.

    Returns:
        The part, or None if a field that must be given is missing or invalid.
    """
    for _ in range(2):
        try:
            return model.model_validate(table)
        except ValidationError as invalid:
            invalid_fields = {error["loc"][0] for error in invalid.errors(include_url=False) if error["loc"]}
            table = {key: value for key, value in table.items() if key not in invalid_fields}
    return None


@dataclass(frozen=True)
class _MissingPackages:
    """Packages that may offer the unknown sources and steps of a recipe.

    Args:
        by_use: where a picture's or run's sources and steps came from.
        required: those that the recipe requires and that are not installed.
    """

    by_use: Mapping[str, str]
    required: Sequence[str]

    def find(self, use: Any) -> Sequence[str]:
        """Return the packages to install for a source or step, if known."""
        return [self.by_use[use]] if isinstance(use, str) and use in self.by_use else self.required


def _list_missing(requires: Any) -> list[str]:
    """List the packages of a recipe's ``requires`` key that are not installed; wrong values are left out."""
    names = requires if isinstance(requires, list) else []
    return [
        name
        for name in names
        if isinstance(name, str) and PACKAGE_NAME.fullmatch(name) and not is_installed(name)
    ]


def _unknown_use_error(
    where: str, use: Any, registry: PluginRegistry[Any], packages: _MissingPackages
) -> ArtgenError:
    """Return the error for an unknown ``use``: what to write instead, or which package to install."""
    value = "missing" if use is None else format_toml_value(use)
    if use is None:
        expected = f"known: {', '.join(registry.names())}"
    elif isinstance(use, str) and registry is SOURCES and use in STEPS:
        expected = f"{use!r} is a step, not a source; sources: {', '.join(SOURCES.names())}"
    elif isinstance(use, str) and registry is STEPS and use in SOURCES:
        expected = f"{use!r} is a source, not a step; steps: {', '.join(STEPS.names())}"
    elif missing := packages.find(use):
        names = " or ".join(missing)
        command = f"pip install {' '.join(missing)}"
        return ArtgenError(where, value, f"it comes with {names}, which is not installed", command)
    else:
        expected = did_you_mean(use, registry.names())
    return ArtgenError(where, value, expected, "artgen steps")


def _table_title(table: Any, keys: KeyPath) -> str:
    """Return how messages name a table: ``source``, or ``steps.ID`` (``steps.0`` without a usable id)."""
    if len(keys) == 1:
        return str(keys[0])
    name = _written_name(table)
    is_printable = isinstance(name, str) and name.isprintable() and len(name) <= 40
    return f"steps.{name if is_printable else keys[1]}"


def _written_name(table: Any) -> Any:
    """Return the id of a step as its table says it, which may be invalid; None if it says none."""
    return table.get("id", table.get("use")) if isinstance(table, dict) else None


def _duplicate_id_errors(document: Document, steps: Sequence[Any]) -> list[ArtgenError]:
    errors = []
    earlier_names: set[str] = set()
    for number, table in enumerate(steps):
        if not isinstance(name := _written_name(table), str):
            continue
        where = f"{document.locate(('steps', number))}: steps.{number}"
        if name == SOURCE_ID:
            errors.append(ArtgenError(where, f'id = "{SOURCE_ID}"', "that name belongs to the source"))
        elif name in earlier_names:
            expected = f'add id = "..." to one of them, e.g. id = "{name}-2"'
            errors.append(ArtgenError(where, f"a second step called {format_toml_value(name)}", expected))
        earlier_names.add(name)
    return errors


def _wrong_type_error(document: Document, keys: KeyPath, value: Any, expected: str) -> ArtgenError:
    problem = f"{'.'.join(map(str, keys))} = {format_toml_value(value)}"
    return ArtgenError(document.locate(keys), problem, expected)
