"""A recipe that has been checked, and what chance makes of it for one candidate."""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, field_validator
from pydantic_core import PydanticCustomError

from artgen.hashing import json_hash
from artgen.recipe.variation import Lineage, drawn_anew, draws_of, moved, shares_of
from artgen.seeds import derive, stream
from artgen.steps import AnySource, AnyStep, Source, Step
from artgen.steps.base import SOURCE_ID

MOST = 100_000
"""How many candidates a recipe may draw: variations are numbered from the next one."""
CAPTION_WORDS = ("index", "seed", "source", "title")


class Gallery(BaseModel):
    """How the gallery presents the pieces."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    caption: Annotated[str, Field(max_length=500)] = Field(
        "{title}, candidate {index}",
        description="Text under a piece; {index}, {seed}, {source} and {title} are filled in.",
    )

    @field_validator("caption")
    @classmethod
    def _known_words(cls, caption: str) -> str:
        hint = "a caption may name " + ", ".join(f"{{{word}}}" for word in CAPTION_WORDS)
        try:
            parts = list(string.Formatter().parse(caption))
        except ValueError:
            hint += "; a brace is written twice: {{ or }}"
            raise PydanticCustomError("recipe_text", "{hint}", {"hint": hint}) from None
        for _, name, form, change in parts:
            if name is not None and (name not in CAPTION_WORDS or form or change):
                raise PydanticCustomError("recipe_text", "{hint}", {"hint": hint})
        return caption


class Recipe(BaseModel):
    """A recipe file: one source, ordered steps, how many candidates, from which seed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    title: Annotated[str, Field(max_length=200)] = Field(
        "", description="Name of the series; by default the file's name."
    )
    description: Annotated[str, Field(max_length=5000)] = Field(
        "", description="A sentence or two for the gallery."
    )
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = Field(
        0, description="Another seed gives other candidates."
    )
    candidates: Annotated[int, Field(ge=1, le=MOST)] = Field(
        12, description="How many candidates a run draws."
    )
    source: AnySource = Field(description="Where each candidate starts.")
    steps: Annotated[list[AnyStep], Field(max_length=100)] = Field(
        [], description="What happens to it, in order."
    )
    gallery: Gallery = Field(Gallery(), description="How the gallery presents the pieces.")

    _path: Path = PrivateAttr(default=Path("recipe.toml"))
    _text: str = PrivateAttr(default="")

    @property
    def path(self) -> Path:
        """The file it was read from."""
        return self._path

    @property
    def folder(self) -> Path:
        """Where relative paths in the recipe start."""
        return self._path.parent

    @property
    def text(self) -> str:
        """The TOML as run: the file's text with the overrides written into it."""
        return self._text

    def step_ids(self) -> tuple[str, ...]:
        """The steps' ids in order."""
        return tuple(step.name for step in self.steps)

    def digest(self) -> str:
        """SHA-256 (hexadecimal) of what decides the pixels: seed, source and steps.

        Words for the gallery, comments and the number of candidates leave it as it is.
        """
        content = self.model_dump(mode="json", include={"seed", "source", "steps"})
        return json_hash(content)

    def caption(self, candidate: int, seed: int, source: str) -> str:
        """The caption of one candidate; ``source`` is the source's own description of it."""
        return self.gallery.caption.format(title=self.title, index=candidate, seed=seed, source=source)


@dataclass(frozen=True)
class DrawnCandidate:
    """A recipe with every draw made for one candidate.

    Args:
        source: concrete source.
        steps: concrete steps in order.
        draws: the values that chance gave, by step id (``"source"`` for the source), then field.
        streams: the candidate whose random streams each part has, by step id: for a variation that of the
            candidate it comes from, but for the steps that invent anew.
    """

    source: Source
    steps: tuple[Step, ...]
    draws: dict[str, dict[str, Any]]
    streams: dict[str, int]


def draw(recipe: Recipe, seed: int, candidate: int | Lineage) -> DrawnCandidate:
    """Make every draw of a recipe for one candidate.

    A value depends only on the seed, the candidate, its step's id and its field's name: neither on
    other steps nor on which candidates were drawn before. Those of a variation start from its parent's.

    Args:
        recipe: what is drawn from.
        seed: of the run.
        candidate: its number, or its lineage where it is a variation.

    Raises:
        ArtgenError: a variation that would be its parent again, since the steps leave nothing to chance.
    """
    lineage = Lineage.of(candidate)

    def streams(step: str) -> Any:
        def of(name: str) -> random.Random:
            return stream(derive(seed, lineage.first, step, name))

        return of

    source, values = recipe.source.concrete(streams(SOURCE_ID))
    draws = {SOURCE_ID: values} if values else {}
    steps: list[Step] = []
    for step, shares in zip(recipe.steps, shares_of(recipe.steps), strict=True):
        concrete, values = step.concrete(streams(step.name))
        for field, drawn in draws_of(step).items():
            for number in lineage.moves:
                chance = stream(derive(seed, number, step.name, f"vary.{field}"))
                values[field] = moved(drawn, values[field], chance, shares)
        steps.append(concrete.model_copy(update=values))
        if values:
            draws[step.name] = values
    owners = dict.fromkeys((SOURCE_ID, *recipe.step_ids()), lineage.first)
    if lineage.moves:
        anew = drawn_anew(recipe.steps, steps, recipe.folder, recipe.path.name)
        owners |= dict.fromkeys(anew, lineage.number)
    return DrawnCandidate(source, tuple(steps), draws, owners)
