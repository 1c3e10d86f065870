"""Snapshots of what a ranking of candidates is computed from: a run's embeddings, and its decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from artgen.imaging.embedding import EMBEDDING_NAME
from artgen.runs.history import KEPT_MARK, REJECTED_MARK
from artgen.runs.store import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class EmbeddingSnapshot:
    """The embeddings of a run's candidates at one moment.

    Args:
        version: changes whenever the embeddings change.
        numbers: the candidate's number of each row.
        vectors: float32 ``(n, D)``.
        draws_json: the candidate's draws as JSON, by row.
        numbers_without: numbers of candidates that have no embedding yet.
        results: what was computed from the embeddings, by any key.
    """

    version: tuple[int, int]
    numbers: list[int]
    vectors: NDArray[np.float32]
    draws_json: list[str]
    numbers_without: list[int]
    results: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def row_by_number(self) -> dict[int, int]:
        """The row of each candidate that has an embedding."""
        return {number: row for row, number in enumerate(self.numbers)}

    def to_rows(self, numbers: Sequence[int]) -> list[int]:
        """Return the rows of those candidates that have an embedding in ``vectors``."""
        return [self.row_by_number[number] for number in numbers if number in self.row_by_number]

    def to_numbers(self, rows: Iterable[int]) -> list[int]:
        """Return the numbers of the candidates in some rows of ``vectors``."""
        return [self.numbers[row] for row in rows]


@dataclass(frozen=True)
class DecisionSnapshot:
    """The artist's decisions in a run at one moment, as numbers of candidates.

    Args:
        last_decision_id: id of the last decision.
        liked: kept now, or advanced to a later round; the one decided last is at the end.
        kept: kept now.
        rejected: rejected now; the one decided last is at the end.
        undecided: undecided in the current round.
        not_undecided: all others: decided, or out of play.
        stars: stars of the candidates that have any.
    """

    last_decision_id: int
    liked: list[int]
    kept: list[int]
    rejected: list[int]
    undecided: list[int]
    not_undecided: list[int]
    stars: dict[int, int]


def read_embeddings(run: Run, previous: EmbeddingSnapshot | None) -> EmbeddingSnapshot:
    """Return the embeddings of a run; the previous snapshot if they have not changed since."""
    version = run.database.read_cursor()[1], run.database.count_embeddings(EMBEDDING_NAME)
    if previous is not None and previous.version == version:
        return previous
    all_numbers, all_vectors = run.load_embeddings(EMBEDDING_NAME)
    draws_json = {row.number: row.draws for row, _ in run.rows_with_decisions()}
    # Between the two reads another process may have removed a candidate.
    rows = [row for row, number in enumerate(all_numbers.tolist()) if number in draws_json]
    numbers = [int(all_numbers[row]) for row in rows]
    numbers_without = sorted(draws_json.keys() - set(numbers))
    return EmbeddingSnapshot(
        version, numbers, all_vectors[rows], [draws_json[number] for number in numbers], numbers_without
    )


def read_decisions(run: Run) -> DecisionSnapshot:
    """Return the present decisions of a run, sorted by what they say about the candidates."""
    history = run.decisions.history
    current_round = history.current_round
    snapshot = DecisionSnapshot(run.database.read_cursor()[0], [], [], [], [], [], {})
    for row, decisions in run.rows_with_decisions():
        number, mark = row.number, decisions.get("mark")
        if mark == KEPT_MARK:
            snapshot.kept.append(number)
        is_undecided = mark is None and decisions.get("round", 1) == current_round
        (snapshot.undecided if is_undecided else snapshot.not_undecided).append(number)
        if stars := decisions.get("stars"):
            snapshot.stars[number] = int(stars)
    present_numbers = {*snapshot.undecided, *snapshot.not_undecided}
    for number in history.marked_numbers():
        mark = history.value(number, "mark")
        if number in present_numbers and mark == REJECTED_MARK:
            snapshot.rejected.append(number)
        elif number in present_numbers and (mark == KEPT_MARK or history.value(number, "round") != 1):
            snapshot.liked.append(number)
    return snapshot
