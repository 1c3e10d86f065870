"""What decides the weights of a training, so that a checkpoint is gone on with only by the same training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from artgen.config.fields import shown
from artgen.errors import ArtgenError
from artgen.training.recipes import model_of

MANY = 4


@dataclass(frozen=True)
class Identity:
    """What decides the weights.

    Attributes:
        recipe: its keys but texts, places and intervals; plain values.
        images: fingerprint of the images.
        others: fingerprint of whatever else the family reads.
        processes: how many draw a batch each.
    """

    recipe: Mapping[str, Any]
    images: str
    others: str
    processes: int

    def stored(self) -> dict[str, Any]:
        """As plain values, for a checkpoint."""
        return asdict(self)

    def differences(self, stored: Mapping[str, Any]) -> list[str]:
        """In words, what was otherwise when ``stored`` was saved; nothing for the same training."""
        before = _completed(stored["recipe"])
        found = [
            f"{key} was {shown(before.get(key))}, is {shown(self.recipe.get(key))}"
            for key in dict.fromkeys([*self.recipe, *before])
            if before.get(key) != self.recipe.get(key)
        ]
        if stored["images"] != self.images:
            found.append("other images")
        if stored["others"] != self.others:
            found.append("other files that the recipe names")
        if stored["processes"] != self.processes:
            found.append(f"{stored['processes']} processes, now {self.processes}")
        return [*found[:MANY], f"and {len(found) - MANY} more"] if len(found) > MANY else found


def _completed(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """With what keys that came later have as their default: a new version of artgen breaks no training."""
    try:
        model = model_of(recipe)
        texts = {"title": "stored"}
        return model.model_validate(texts | dict(recipe)).identity()
    except (ArtgenError, ValueError):
        return recipe
