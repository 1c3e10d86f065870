"""``picks.json``: what was decided on a mailed sheet. It comes from outside and is not trusted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from artgen.errors import ArtgenError
from artgen.runs.candidate import Candidate
from artgen.runs.decisions import LONGEST, MOST_STARS
from artgen.runs.history import KEPT, Change, Value

LARGEST = 64 << 20
Number = Annotated[int, Field(ge=1, lt=1 << 31)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^/\\\x00]+$")]


class Decided(BaseModel):
    """What was decided about one candidate; what is missing was not decided there."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    mark: Literal["kept", "rejected"] | None = None
    stars: Annotated[int, Field(ge=0, le=MOST_STARS)] = 0
    title: Annotated[str, Field(max_length=LONGEST["title"])] = ""
    alt: Annotated[str, Field(max_length=LONGEST["alt"])] = ""


class Picks(BaseModel):
    """The file."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    format: Literal[2]
    run: Name
    picks: Annotated[list[Number], Field(max_length=1_000_000)]
    decisions: dict[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,9}$")], Decided] = {}

    def changes(self, candidates: Iterable[Candidate]) -> list[Change]:
        """What it changes in a run: only candidates, and of those only fields, that it mentions.

        What is kept is said by ``picks`` alone: a mark "kept" that is not among them counts as none.

        Raises:
            ArtgenError: the run has not all of its candidates.
        """
        there = {candidate.index: candidate for candidate in candidates}
        decided = {int(number): one for number, one in self.decisions.items()}
        if missing := sorted({*self.picks, *decided} - there.keys()):
            raise ArtgenError(
                f"run {self.run}", f"no candidate {missing[0]}", "export them on the sheet again"
            )
        picked = set(self.picks)
        found: list[Change] = []
        for number in sorted({*picked, *decided}):
            one = decided.get(number)
            wanted: dict[str, Value] = one.model_dump(exclude_unset=True) if one else {}
            if number in picked:
                wanted["mark"] = KEPT
            elif wanted.get("mark") == KEPT:
                wanted["mark"] = None
            found += [
                Change(number, *item) for item in wanted.items() if item[1] != getattr(there[number], item[0])
            ]
        return found


def read_picks(file: Path) -> Picks:
    """The picks in a file.

    Raises:
        ArtgenError: it cannot be read, or is no such file.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise ArtgenError(str(file), f"cannot be read ({error.strerror or error})") from None
    wrong = ArtgenError(str(file), "no picks of a contact sheet", "export them on the sheet again")
    if len(content) > LARGEST:
        raise wrong
    try:
        return Picks.model_validate_json(content)
    except (ValidationError, RecursionError):
        raise wrong from None
