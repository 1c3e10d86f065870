"""Model cards of shipped models, for the pages of pieces that were made with them."""

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

MODEL_FILE_ENDING = ".safetensors"


@dataclass(frozen=True)
class ModelCard:
    """Facts about a model that a piece was made with, for its page.

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


def read_model_cards(files: Iterable[UsedFile]) -> tuple[ModelCard, ...]:
    """Return the cards of the models among ``files``; for foreign models only name and hash."""
    return tuple(
        _read_model_card(PurePath(file.name).stem, file.sha256)
        for file in files
        if file.name.endswith(MODEL_FILE_ENDING)
    )


@cache
def _read_model_card(name: str, sha256: str) -> ModelCard:
    if name not in catalog.shipped_model_names():
        return ModelCard(name, sha256)
    try:
        metadata = catalog.get_shipped_model(name).metadata
        recipe, data = (json.loads(metadata.get(part, "{}")) for part in ("recipe", "data"))
    except (ArtgenError, ValueError):  # a damaged file: the piece was made all the same
        return ModelCard(name, sha256)
    return ModelCard(
        name,
        sha256,
        does=metadata.get("description", ""),
        architecture=metadata.get("architecture", ""),
        data=str(data.get("licence") or ""),
        weakness=str(recipe.get("weakness") or ""),
    )
