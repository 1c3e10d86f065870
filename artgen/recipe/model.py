"""The recipe as a Pydantic model, and the drawing of its random values for one candidate."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SerializeAsAny, field_validator
from pydantic_core import PydanticCustomError

from artgen.errors import ArtgenError
from artgen.hashing import json_hash
from artgen.plugins import PACKAGE_NAME, PluginRegistry
from artgen.recipe.variation import (
    Lineage,
    draws_by_field,
    find_redrawn_steps,
    move_shares_by_step,
    move_value,
)
from artgen.seeds import DRAW_SCHEME, SpreadStream, derive_key, python_rng
from artgen.steps import SOURCES, STEPS, Source, Step, find_part_plugin
from artgen.steps.base import SOURCE_ID

MAX_CANDIDATES = 100_000
"""How many candidates a recipe may draw; variations are numbered from ``MAX_CANDIDATES + 1``."""
MAX_STEPS = 100
CAPTION_PLACEHOLDERS = ("index", "seed", "source", "title")


CandidateDraws = Mapping[str, Mapping[str, Any]]
"""The drawn values of a candidate, by step id (``"source"`` for the source), then field."""
PackageName = Annotated[str, Field(pattern=f"^{PACKAGE_NAME.pattern}$")]


def title_from_file_name(name: str) -> str:
    """Return the title of a recipe that has none: its file name, without the suffix, in words."""
    return name.replace("-", " ").replace("_", " ").capitalize()


class Gallery(BaseModel):
    """How the gallery presents the pieces."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    caption: Annotated[str, Field(max_length=500)] = Field(
        "{title}, candidate {index}",
        description="Text under a piece; {index}, {seed}, {source} and {title} are filled in.",
    )

    @field_validator("caption")
    @classmethod
    def _check_placeholders(cls, caption: str) -> str:
        hint = "a caption may name " + ", ".join(f"{{{word}}}" for word in CAPTION_PLACEHOLDERS)
        try:
            parts = list(string.Formatter().parse(caption))
        except ValueError:
            hint += "; a brace is written twice: {{ or }}"
            raise PydanticCustomError("recipe_text", "{hint}", {"hint": hint}) from None
        for _, name, format_spec, conversion in parts:
            if name is not None and (name not in CAPTION_PLACEHOLDERS or format_spec or conversion):
                raise PydanticCustomError("recipe_text", "{hint}", {"hint": hint})
        return caption


class Recipe(BaseModel):
    """A recipe: one source, ordered steps, the number of candidates and the seed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    title: Annotated[str, Field(max_length=200)] = Field(
        "", description="Name of the series; by default the file's name."
    )
    description: Annotated[str, Field(max_length=5000)] = Field(
        "", description="A sentence or two for the gallery."
    )
    seed: Annotated[int, Field(ge=0, le=2**53 - 1)] = Field(
        0, description="Seed of all random values: another seed gives other candidates."
    )
    candidates: Annotated[int, Field(ge=1, le=MAX_CANDIDATES)] = Field(
        12, description="How many candidates a run draws."
    )
    source: SerializeAsAny[Source] = Field(description="Where each candidate starts.")
    steps: Annotated[list[SerializeAsAny[Step]], Field(max_length=MAX_STEPS)] = Field(
        [], description="What is done to it, in order."
    )
    requires: Annotated[list[PackageName], Field(max_length=100)] = Field(
        [],
        description="Packages with plug-ins that the recipe uses; `artgen check` names those to install.",
        json_schema_extra={"form": 'a list of package names, such as ["artgen-emboss"]'},
    )
    gallery: Gallery = Field(Gallery(), description="How the gallery presents the pieces.")

    @field_validator("source", mode="before")
    @classmethod
    def _build_source(cls, value: Any) -> Any:
        """Build the recipe's source from its table, by the class that its ``use`` key names."""
        return _build_part(SOURCES, value)

    @field_validator("steps", mode="before")
    @classmethod
    def _build_steps(cls, value: Any) -> Any:
        """Build each of the recipe's steps from its table, by the class that its ``use`` key names."""
        return [_build_part(STEPS, table) for table in value] if isinstance(value, list) else value

    _path: Path = PrivateAttr(default=Path("recipe.toml"))
    _text: str = PrivateAttr(default="")

    @property
    def path(self) -> Path:
        """The TOML file that the recipe was read from."""
        return self._path

    @property
    def folder(self) -> Path:
        """The recipe's folder, to which its paths are relative."""
        return self._path.parent

    @property
    def text(self) -> str:
        """The recipe file's text with the overrides of ``--set`` written into it."""
        return self._text

    def step_ids(self) -> tuple[str, ...]:
        """Return the ids of the recipe's steps in order."""
        return tuple(step.name for step in self.steps)

    def list_unlisted_packages(self) -> list[str]:
        """List the packages of the plug-ins that the recipe uses, without those in ``requires``."""
        plugins = filter(None, map(find_part_plugin, (self.source, *self.steps)))
        return sorted({plugin.package for plugin in plugins} - set(self.requires))

    def digest(self, draw_scheme: int = DRAW_SCHEME) -> str:
        """Return the SHA-256 (hexadecimal) of what determines the pixels: seed, source, steps, how they draw.

        Texts for the gallery, comments and the number of candidates do not change it.

        Args:
            draw_scheme: how values are drawn, see ``DRAW_SCHEME``; without draws it does not matter.
        """
        content = self.model_dump(mode="json", include={"seed", "source", "steps"})
        draws_values = any(draws_by_field(part) for part in (self.source, *self.steps))
        return json_hash(content | ({"draw_scheme": draw_scheme} if draws_values and draw_scheme > 1 else {}))

    def caption(self, candidate: int, seed: int, source: str) -> str:
        """Return the caption that a recipe gives to a candidate.

        Args:
            candidate: its number.
            seed: the run's seed.
            source: the source's description of the candidate.
        """
        return self.gallery.caption.format(title=self.title, index=candidate, seed=seed, source=source)


def _build_part(registry: PluginRegistry[Any], value: Any) -> Any:
    """Validate the table of a source or step by the class of its ``use`` key; other values stay."""
    if not isinstance(value, dict):
        return value
    part_class = registry.find(value.get("use"))
    if part_class is None:
        raise PydanticCustomError("unknown_use", "unknown use")
    return part_class.model_validate(value)


@dataclass(frozen=True)
class DrawnCandidate:
    """A recipe with all random values drawn for one candidate.

    Args:
        source: the source, without draws.
        steps: the steps in order, without draws.
        draws: the drawn values, by step id (``"source"`` for the source), then field.
        stream_candidates: the number of the candidate whose random streams a part uses, by step id. For a
            variation it is the candidate that the recipe drew, except for the steps that are redrawn.
    """

    source: Source
    steps: tuple[Step, ...]
    draws: dict[str, dict[str, Any]]
    stream_candidates: dict[str, int]


def draw_candidate(
    recipe: Recipe, seed: int, candidate: int | Lineage, recorded_draws: CandidateDraws | None = None
) -> DrawnCandidate:
    """Draw all random values of a recipe for one candidate.

    A value depends only on the seed, the candidate, the step's id and the field's name: neither on other
    steps nor on which candidates were drawn before. Over a run each value of a choice comes as often as any
    other (see ``SpreadStream``). The values of a variation start from its parent's.

    Args:
        recipe: the recipe.
        seed: the run's seed.
        candidate: the candidate's number, or its lineage if it is a variation.
        recorded_draws: the values that an earlier version drew, to be used instead.

    Raises:
        ArtgenError: a variation would equal its parent, since nothing in the steps is random; or the recipe
            cannot have drawn a recorded value.
    """
    lineage = Lineage.from_candidate(candidate)
    drawn_candidate = _draw_values(recipe, seed, lineage)
    if recorded_draws is not None:
        drawn_candidate = _replace_draws(recipe, drawn_candidate, recorded_draws)
    if not lineage.variation_numbers:
        return drawn_candidate
    redrawn_steps = find_redrawn_steps(recipe.steps, drawn_candidate.steps, recipe.folder, recipe.path.name)
    streams = drawn_candidate.stream_candidates | dict.fromkeys(redrawn_steps, lineage.number)
    return replace(drawn_candidate, stream_candidates=streams)


def _draw_values(recipe: Recipe, seed: int, lineage: Lineage) -> DrawnCandidate:
    """Draw a candidate's values; its parts use the random streams of the candidate that the recipe drew."""

    def open_stream(step_id: str, name: str) -> SpreadStream:
        return SpreadStream(derive_key(seed, 0, step_id, name), lineage.root)

    source, values = recipe.source.resolve_draws(partial(open_stream, SOURCE_ID))
    draws = {SOURCE_ID: values} if values else {}
    steps: list[Step] = []
    for step, shares in zip(recipe.steps, move_shares_by_step(recipe.steps), strict=True):
        drawn_step, values = step.resolve_draws(partial(open_stream, step.name))
        for field, field_draw in draws_by_field(step).items():
            for number in lineage.variation_numbers:
                rng = python_rng(derive_key(seed, number, step.name, f"vary.{field}"))
                values[field] = move_value(field_draw, values[field], rng, shares)
        steps.append(drawn_step.model_copy(update=values))
        if values:
            draws[step.name] = values
    stream_candidates = dict.fromkeys((SOURCE_ID, *recipe.step_ids()), lineage.root)
    return DrawnCandidate(source, tuple(steps), draws, stream_candidates)


def _replace_draws(recipe: Recipe, drawn_candidate: DrawnCandidate, draws: CandidateDraws) -> DrawnCandidate:
    """Replace the drawn values by recorded ones; they come from a file, so the recipe must allow them."""
    parts: list[Any] = []
    for part, drawn_part in zip(
        (recipe.source, *recipe.steps), (drawn_candidate.source, *drawn_candidate.steps), strict=True
    ):
        values = draws.get(part.name, {})
        for field, draw in draws_by_field(part).items():
            if not draw.can_give(values.get(field)):
                problem = f"recorded as {values.get(field)!r}"
                raise ArtgenError(f"{part.name}.{field}", problem, "a value that the recipe draws")
        parts.append(drawn_part.model_copy(update={field: values[field] for field in draws_by_field(part)}))
    return replace(
        drawn_candidate,
        source=parts[0],
        steps=tuple(parts[1:]),
        draws={name: dict(values) for name, values in draws.items()},
    )
