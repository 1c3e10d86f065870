"""What is passed over, or read in part, of the pictures that a recipe names."""

from __future__ import annotations

from pathlib import Path

from artgen.imaging.io.survey import describe_passed_over, describe_pictures
from artgen.recipe.model import Recipe


def survey_recipe(recipe: Recipe) -> list[str]:
    """Return notes: files left out of its folders, pictures that cannot be read, and those of several frames.

    Raises:
        ArtgenError: a file is missing.
    """
    pictures: dict[Path, None] = {}
    passed_over: dict[Path, None] = {}
    for part in (recipe.source, *recipe.steps):
        part_pictures, part_passed_over = part.list_pictures(recipe.folder)
        pictures.update(dict.fromkeys(part_pictures))
        passed_over.update(dict.fromkeys(part_passed_over))
    return [*describe_passed_over(passed_over), *describe_pictures([*pictures])]
