"""Reference of the keys of training recipes, from the models that validate them. Imports no torch."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel

from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.recipe.reference import TableDescription, describe_table
from artgen.training.recipes import FAMILIES, TrainingRecipe
from artgen.training.recipes.pairs import AnyPairTable
from artgen.training.recipes.upimage import CropSizeTable


def describe_training_tables(name: str) -> list[TableDescription]:
    """Describe the tables of a training recipe, for the pages in ``docs/``.

    Args:
        name: ``training`` for the keys that every family has, ``training/pairs`` for the pair makers, or
            ``training/FAMILY``.

    Raises:
        ArtgenError: no such family.
    """
    _, _, family = name.partition("/")
    if not family:
        return [describe_table(TrainingRecipe, "", "")]
    if family == "pairs":
        return [
            describe_table(table, "[pairs]", table.model_fields["use"].default)
            for table in _pair_table_classes()
        ]
    family_class = FAMILIES.find(family)
    if family_class is None:
        expected = did_you_mean(family, ["pairs", *FAMILIES.names()])
        raise ArtgenError(f"artgen steps {name}", "no family of this name", expected)
    family_table = describe_table(family_class, "", "")
    common_keys = set(TrainingRecipe.model_fields) - {"family", "side", "steps"}
    fields = tuple(field for field in family_table.fields if field.name not in common_keys)
    tables = [TableDescription(family_table.name, "", "", family_table.summary, fields)]
    if family == "upimage":
        tables.append(describe_table(CropSizeTable, "[[sizes]]", ""))
    return tables


def _pair_table_classes() -> list[type[BaseModel]]:
    union = get_args(AnyPairTable)[0] if get_args(AnyPairTable) else AnyPairTable
    return list(get_args(union)) or [union]
