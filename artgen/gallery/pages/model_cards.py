"""Model cards: what a shipped model says of itself, for the pages of the pieces that it made."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING

from artgen.errors import ArtgenError
from artgen.models.files import catalog

if TYPE_CHECKING:
    from artgen.runs.provenance import UsedFile

ENDING = ".safetensors"


@dataclass(frozen=True)
class Card:
    """One model.

    Attributes:
        name: as recipes call it.
        sha256: of its file.
        does: what it was trained for; empty where the file does not say, as all that follow.
        architecture: of the network.
        data: what it was trained on, and under which licence.
        weakness: what it is bad at.
    """

    name: str
    sha256: str
    does: str = ""
    architecture: str = ""
    data: str = ""
    weakness: str = ""


def cards(files: Iterable[UsedFile]) -> tuple[Card, ...]:
    """Return the cards of the models among ``files``; for foreign models only name and hash."""
    return tuple(_card(PurePath(file.name).stem, file.sha256) for file in files if file.name.endswith(ENDING))


@cache
def _card(name: str, sha256: str) -> Card:
    if name not in catalog.shipped_model_names():
        return Card(name, sha256)
    try:
        said = catalog.get_shipped_model(name).metadata
        recipe, data = (json.loads(said.get(part, "{}")) for part in ("recipe", "data"))
    except (ArtgenError, ValueError):  # a damaged file: the piece was made all the same
        return Card(name, sha256)
    return Card(
        name,
        sha256,
        does=said.get("description", ""),
        architecture=said.get("architecture", ""),
        data=str(data.get("licence") or ""),
        weakness=str(recipe.get("weakness") or ""),
    )
