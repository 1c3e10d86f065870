"""What a training recipe may hold, from the same models that check it. Imports no torch."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel

from artgen.config.messages import did_you_mean
from artgen.errors import ArtgenError
from artgen.recipe.reference import Table, described_table
from artgen.training.recipes import FAMILIES, TrainingRecipe
from artgen.training.recipes.pairs import AnyPairs
from artgen.training.recipes.upimage import Size


def training_tables(name: str) -> list[Table]:
    """The tables of ``training`` (what every family has), ``training/pairs``, or ``training/FAMILY``.

    Raises:
        ArtgenError: no such family.
    """
    _, _, family = name.partition("/")
    if not family:
        return [described_table(TrainingRecipe, "", "")]
    if family == "pairs":
        return [described_table(table, "[pairs]", table.model_fields["use"].default) for table in _pairs()]
    if family not in FAMILIES:
        known = did_you_mean(family, ["pairs", *FAMILIES])
        raise ArtgenError(f"artgen steps {name}", "no family of this name", known)
    own = described_table(FAMILIES[family], "", "")
    common = set(TrainingRecipe.model_fields) - {"family", "side", "steps"}
    shown = Table(own.name, "", "", own.summary, tuple(f for f in own.fields if f.name not in common))
    return [shown, described_table(Size, "[[sizes]]", "")] if family == "upimage" else [shown]


def _pairs() -> list[type[BaseModel]]:
    union = get_args(AnyPairs)[0] if get_args(AnyPairs) else AnyPairs
    return list(get_args(union)) or [union]
