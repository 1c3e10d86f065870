"""Reading a training recipe from its file. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from artgen.config.document import read_document
from artgen.config.messages import validate_table
from artgen.errors import ArtgenError, ValidationErrors
from artgen.training.recipes import TrainingRecipe, find_recipe_class


def load_training_recipe(path: Path) -> TrainingRecipe:
    """Read a training recipe's TOML file and validate it.

    Raises:
        ValidationErrors: every mistake in the recipe, with its line.
        ArtgenError: the file cannot be read.
    """
    document = read_document(path)
    try:
        recipe_class = find_recipe_class(document.table)
    except ArtgenError as error:
        where = f"{document.locate(('family',))}: family"
        raise ValidationErrors(str(path), [ArtgenError(where, error.problem, error.expected)]) from None
    recipe, errors = validate_table(recipe_class, document.table, document, ())
    if recipe is None:
        raise ValidationErrors(str(path), errors)
    return recipe
