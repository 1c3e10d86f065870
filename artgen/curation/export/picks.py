"""``picks.json``: the decisions made on a mailed sheet. The file comes from outside and is not trusted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from artgen.errors import ArtgenError
from artgen.runs.candidate import Candidate
from artgen.runs.decisions import MAX_STARS, MAX_TEXT_CHARACTERS
from artgen.runs.history import KEPT_MARK, DecisionChange, DecisionValue
from artgen.runs.provenance import CandidateNumber

MAX_PICKS_FILE_BYTES = 64 << 20
RunName = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\\\x00]+$")]


class CandidateDecisions(BaseModel):
    """The decisions in ``picks.json`` about one candidate; a field it lacks was not decided there."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    mark: Literal["kept", "rejected"] | None = None
    stars: Annotated[int, Field(ge=0, le=MAX_STARS)] = 0
    title: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS["title"])] = ""
    alt: Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS["alt"])] = ""


class PicksFile(BaseModel):
    """Content of ``picks.json``, the decisions made on a mailed contact sheet."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    format: Literal[2]
    run: RunName
    picks: Annotated[list[CandidateNumber], Field(max_length=1_000_000)]
    decisions: dict[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$")], CandidateDecisions] = {}

    def changes(self, candidates: Iterable[Candidate]) -> list[DecisionChange]:
        """Return what ``picks.json`` changes in a run: only candidates and fields that it mentions.

        Only ``picks`` says what is kept: a mark "kept" of a candidate that is not listed there is cleared.

        Args:
            candidates: the run's candidates.

        Raises:
            ArtgenError: the run lacks a candidate of the file.
        """
        candidate_by_number = {candidate.index: candidate for candidate in candidates}
        decisions_by_number = {int(number): decisions for number, decisions in self.decisions.items()}
        if missing := sorted({*self.picks, *decisions_by_number} - candidate_by_number.keys()):
            raise ArtgenError(
                f"run {self.run}", f"no candidate {missing[0]}", "export them on the sheet again"
            )
        picked_numbers = set(self.picks)
        changes: list[DecisionChange] = []
        for number in sorted({*picked_numbers, *decisions_by_number}):
            decisions = decisions_by_number.get(number)
            values: dict[str, DecisionValue] = decisions.model_dump(exclude_unset=True) if decisions else {}
            if number in picked_numbers:
                values["mark"] = KEPT_MARK
            elif values.get("mark") == KEPT_MARK:
                values["mark"] = None
            candidate = candidate_by_number[number]
            changes += [
                DecisionChange(number, field, value)
                for field, value in values.items()
                if value != getattr(candidate, field)
            ]
        return changes


def read_picks(file: Path) -> PicksFile:
    """Read and validate ``picks.json``.

    Raises:
        ArtgenError: it cannot be read, or is not such a file.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_PICKS_FILE_BYTES + 1)
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from None
    invalid = ArtgenError(str(file), "no picks of a contact sheet", "export them on the sheet again")
    if len(content) > MAX_PICKS_FILE_BYTES:
        raise invalid
    try:
        return PicksFile.model_validate_json(content)
    except (ValidationError, RecursionError):
        raise invalid from None
