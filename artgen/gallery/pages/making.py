"""How a piece was made, in the words of its page: from the recipe, the draws and the file itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artgen.config.document import parse_toml
from artgen.errors import ArtgenError
from artgen.gallery.pages.credits import credits
from artgen.gallery.works.step_names import REPETITION_WORDS, STEP_WORDS
from artgen.references import BUILTIN_PREFIX
from artgen.runs import provenance
from artgen.runs.provenance import UsedFile
from artgen.steps.base import SOURCE_ID

if TYPE_CHECKING:
    from artgen.runs.candidate import Candidate
    from artgen.style.library import ArtworkCredit


@dataclass(frozen=True)
class Field:
    """One setting of a step; ``drawn`` if chance chose it for this candidate."""

    name: str
    value: str
    drawn: bool


@dataclass(frozen=True)
class StepMade:
    """The source or a step as it was applied."""

    id: str
    use: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Making:
    """Everything a piece's page says about its making.

    Attributes:
        steps: the source and the steps, in order.
        credits: of the paintings and portraits that ship with artgen, where it came from some.
        files: models and pictures that decided the result, with their hashes.
        versions: of the software, as "artgen 0.1.0".
    """

    steps: tuple[StepMade, ...]
    credits: tuple[ArtworkCredit, ...]
    files: tuple[UsedFile, ...]
    versions: tuple[str, ...]


def making(recipe_text: str, candidate: Candidate) -> Making:
    """Read how ``candidate`` was made out of its run's recipe and its own file.

    A picture that lost its provenance (edited elsewhere) is still described by recipe and draws.
    """
    start, files, versions = _carried(candidate)
    steps: list[StepMade] = []
    credited: list[ArtworkCredit] = []
    for id_, table in _parts(recipe_text):
        draws = candidate.draws.get(id_, {})
        values = {**table, **draws}
        fields = tuple(
            Field(name, plain(value), name in draws)
            for name, value in values.items()
            if name not in ("use", "id")
        )
        use = str(table.get("use", id_))
        steps.append(StepMade(id_, use, fields))
        if not _idle(values):
            credited.extend(credits(use, values, start))
    return Making(tuple(steps), tuple(dict.fromkeys(credited)), files, versions)


def process(candidate: Candidate) -> str:
    """Write the wall label's line: what was done, in order, each once."""
    uses = [stage.use for stage in candidate.stages if not _idle(candidate.draws.get(stage.step, {}))]
    parts = []
    for use in dict.fromkeys(uses):
        words = STEP_WORDS.get(use, (use, use))[1]
        count = uses.count(use)
        parts.append(words.format(times=REPETITION_WORDS.get(count, f" {count} times")))
    if candidate.stages:
        parts[0] = f"{candidate.stages[0].width} px {parts[0]}"
    return ", ".join(parts)


def plain(value: Any) -> str:
    """Write a setting for a reader: three significant digits, no quotes, no ``builtin:``."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return " + ".join(plain(inner) for inner in value)
    return str(value).removeprefix(BUILTIN_PREFIX)


def _carried(candidate: Candidate) -> tuple[str | None, tuple[UsedFile, ...], tuple[str, ...]]:
    """Return what the picture's provenance holds: its first file, all files used, and software versions."""
    try:
        carried = provenance.read_provenance(candidate.file)
    except ArtgenError:
        return None, (), ()
    versions = tuple(f"{name} {version}" for name, version in carried.versions.items())
    return carried.source_file, tuple(carried.files), versions


def _parts(recipe_text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return the source and each step of a recipe as (id, table)."""
    try:
        recipe = parse_toml(recipe_text)
    except ValueError:
        return
    if isinstance(source := recipe.get("source"), dict):
        yield SOURCE_ID, source
    for step in recipe.get("steps", []):
        yield str(step.get("id", step.get("use", ""))), step


def _idle(values: Mapping[str, Any]) -> bool:
    """Whether a step left the image as it was: chance gave it none of its strength."""
    return 0 in (values.get("strength"), values.get("amount"))
