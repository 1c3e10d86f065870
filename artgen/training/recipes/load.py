"""A training recipe from its file. Imports no torch."""

from __future__ import annotations

from pathlib import Path

from artgen.config.document import read
from artgen.config.messages import checked
from artgen.errors import ArtgenError, Problems
from artgen.training.recipes import TrainingRecipe, model_of


def load_training_recipe(path: Path) -> TrainingRecipe:
    """Read and check a training recipe.

    Raises:
        Problems: everything that is wrong with it, at once, each with its line.
        ArtgenError: the file cannot be read.
    """
    document = read(path)
    try:
        model = model_of(document.table)
    except ArtgenError as error:
        place = f"{document.place(('family',))}: family"
        raise Problems(str(path), [ArtgenError(place, error.found, error.right)]) from None
    recipe, problems = checked(model, document.table, document, ())
    if recipe is None:
        raise Problems(str(path), problems)
    return recipe
