"""The identity of a training: a checkpoint is resumed only by the training that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from artgen.config.fields import format_toml_value
from artgen.errors import ArtgenError
from artgen.training.recipes import find_recipe_class

MAX_DIFFERENCES = 4


@dataclass(frozen=True)
class TrainingIdentity:
    """Everything that decides the trained weights, stored in checkpoints by the names of its fields.

    Attributes:
        recipe: the recipe's keys except texts, paths and intervals, as plain values.
        images: fingerprint of the training images.
        others: fingerprint of further files that the family reads.
        processes: number of processes, each of which draws a batch.
    """

    recipe: Mapping[str, Any]
    images: str
    others: str
    processes: int

    def to_dict(self) -> dict[str, Any]:
        """Return the identity's fields as plain values, for a checkpoint."""
        return asdict(self)

    def list_differences(self, stored: Mapping[str, Any]) -> list[str]:
        """List in words what differs from a checkpoint's identity; empty for the same training."""
        stored_recipe = _with_defaults(stored["recipe"])
        differences = []
        for key in dict.fromkeys([*self.recipe, *stored_recipe]):
            stored_value, value = stored_recipe.get(key), self.recipe.get(key)
            if stored_value != value:
                differences.append(
                    f"{key} was {format_toml_value(stored_value)}, is {format_toml_value(value)}"
                )
        if stored["images"] != self.images:
            differences.append("other images")
        if stored["others"] != self.others:
            differences.append("other files that the recipe names")
        if stored["processes"] != self.processes:
            differences.append(f"{stored['processes']} processes, now {self.processes}")
        if len(differences) > MAX_DIFFERENCES:
            return [*differences[:MAX_DIFFERENCES], f"and {len(differences) - MAX_DIFFERENCES} more"]
        return differences


def _with_defaults(recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """Add the defaults of recipe keys that are newer than the checkpoint, which stays resumable."""
    try:
        recipe_model = find_recipe_class(recipe)
        texts = {"title": "stored"}
        return recipe_model.model_validate(texts | dict(recipe)).identity_fields()
    except (ArtgenError, ValueError):
        return recipe
