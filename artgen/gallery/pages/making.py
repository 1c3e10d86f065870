"""Description of how a piece was made: from its recipe, its draws and its file's provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artgen.config.document import parse_toml
from artgen.errors import ArtgenError
from artgen.gallery.pages.credits import find_credits
from artgen.gallery.works.step_names import REPETITION_WORDS, STEP_NAME_BY_USE
from artgen.references import BUILTIN_PREFIX
from artgen.runs import provenance
from artgen.runs.provenance import UsedFile
from artgen.steps.base import SOURCE_ID

if TYPE_CHECKING:
    from artgen.runs.candidate import Candidate
    from artgen.style.library import ArtworkCredit


@dataclass(frozen=True)
class StepField:
    """One setting of a step on a piece's page; ``drawn`` if chance chose it for this candidate."""

    name: str
    value: str
    drawn: bool


@dataclass(frozen=True)
class AppliedStep:
    """The source or a step as it was applied to a piece."""

    id: str
    use: str
    fields: tuple[StepField, ...]


@dataclass(frozen=True)
class Making:
    """Everything a piece's page says about its making.

    Attributes:
        steps: the source and the steps, in order.
        credits: of the paintings and portraits that ship with artgen, where it came from some.
        files: models and pictures that decided the result, with their hashes.
        versions: of the software, as "artgen 0.1.0".
    """

    steps: tuple[AppliedStep, ...]
    credits: tuple[ArtworkCredit, ...]
    files: tuple[UsedFile, ...]
    versions: tuple[str, ...]


def describe_making(recipe_text: str, candidate: Candidate) -> Making:
    """Describe how ``candidate`` was made, from its run's recipe and its own file.

    A picture that lost its provenance (edited elsewhere) is still described by recipe and draws.
    """
    start, files, versions = _read_used_files(candidate)
    steps: list[AppliedStep] = []
    artwork_credits: list[ArtworkCredit] = []
    for id_, table in _read_recipe_parts(recipe_text):
        draws = candidate.draws.get(id_, {})
        values = {**table, **draws}
        fields = tuple(
            StepField(name, format_value(value), name in draws)
            for name, value in values.items()
            if name not in ("use", "id")
        )
        use = str(table.get("use", id_))
        steps.append(AppliedStep(id_, use, fields))
        if not _has_no_effect(values):
            artwork_credits.extend(find_credits(use, values, start))
    return Making(tuple(steps), tuple(dict.fromkeys(artwork_credits)), files, versions)


def describe_process(candidate: Candidate) -> str:
    """Return the wall label's line: the source and steps in order, each named once."""
    uses = [
        stage.use for stage in candidate.stages if not _has_no_effect(candidate.draws.get(stage.step, {}))
    ]
    parts = []
    for use in dict.fromkeys(uses):
        words = STEP_NAME_BY_USE.get(use, (use, use))[1]
        count = uses.count(use)
        parts.append(words.format(times=REPETITION_WORDS.get(count, f" {count} times")))
    if candidate.stages:
        parts[0] = f"{candidate.stages[0].width} px {parts[0]}"
    return ", ".join(parts)


def format_value(value: Any) -> str:
    """Format a step's setting for visitors: three significant digits, no quotes, no ``builtin:``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {format_value(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return " + ".join(format_value(inner) for inner in value)
    return str(value).removeprefix(BUILTIN_PREFIX)


def _read_used_files(candidate: Candidate) -> tuple[str | None, tuple[UsedFile, ...], tuple[str, ...]]:
    """Return what the picture's provenance holds: its first file, all files used, and software versions."""
    try:
        record = provenance.read_provenance(candidate.file)
    except ArtgenError:
        return None, (), ()
    versions = tuple(f"{name} {version}" for name, version in record.versions.items())
    return record.source_file, tuple(record.files), versions


def _read_recipe_parts(recipe_text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return a piece's source and each step of its recipe as (id, table)."""
    try:
        recipe = parse_toml(recipe_text)
    except ValueError:
        return
    if isinstance(source := recipe.get("source"), dict):
        yield SOURCE_ID, source
    for step in recipe.get("steps", []):
        yield str(step.get("id", step.get("use", ""))), step


def _has_no_effect(values: Mapping[str, Any]) -> bool:
    """Whether a step left the image unchanged, because its drawn strength is 0."""
    return 0 in (values.get("strength"), values.get("amount"))
