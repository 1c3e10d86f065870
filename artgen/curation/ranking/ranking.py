"""Ranking of a run's candidates: orders, near-duplicates, closest kept candidates, and a final set.

The other modules of this folder work with rows of an array; this one translates rows to candidates' numbers.
It computes in a thread of its own, so that saving decisions never waits, and refits the taste after them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from artgen.curation.server.run_thread import RunThread
from artgen.errors import ArtgenError
from artgen.runs.history import KEPT_MARK, REJECTED_MARK
from artgen.runs.store import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.curation.ranking.taste import FittedTaste, TasteModel

ResultT = TypeVar("ResultT")


class TooFewDecisionsError(ArtgenError):
    """The artist has not decided enough yet for a taste to be fitted."""


@dataclass(frozen=True)
class EmbeddingSnapshot:
    """The run's embeddings at one moment.

    Args:
        version: changes whenever the embeddings change.
        numbers: the candidate's number of each row.
        vectors: float32 ``(n, D)``.
        draws_json: the candidate's draws as JSON, by row.
        numbers_without: numbers of candidates that have no embedding yet.
        row_by_number: the inverse of ``numbers``.
    """

    version: tuple[int, int]
    numbers: list[int]
    vectors: NDArray[np.float32]
    draws_json: list[str]
    numbers_without: list[int]
    row_by_number: dict[int, int] = field(default_factory=dict)

    def to_rows(self, numbers: Sequence[int]) -> list[int]:
        """Return the rows of those candidates that have an embedding."""
        return [self.row_by_number[number] for number in numbers if number in self.row_by_number]

    def to_numbers(self, rows: Iterable[Any]) -> list[int]:
        """Return the candidates' numbers of rows."""
        return [self.numbers[int(row)] for row in rows]


@dataclass(frozen=True)
class DecisionSnapshot:
    """The run's decisions at one moment, as numbers of candidates.

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


class CandidateRanker:
    """Ranks the candidates of one run, and keeps its results until the run changes.

    Args:
        run_thread: the thread that has the run open.
    """

    def __init__(self, run_thread: RunThread) -> None:
        self._run_thread = run_thread
        self._executor = ThreadPoolExecutor(1, "ranking")
        self._snapshot: EmbeddingSnapshot | None = None
        self._cached_results: tuple[EmbeddingSnapshot, dict[str, Any]] | None = None
        self._cached_model: tuple[EmbeddingSnapshot, TasteModel] | None = None
        self._cached_fit: tuple[tuple[Any, int], FittedTaste] | None = None
        self._fit_lock = asyncio.Lock()
        self._has_changed = asyncio.Event()

    def notify(self) -> None:
        """Tell the ranker that decisions or candidates may have been added."""
        self._has_changed.set()

    def stop(self) -> None:
        """Cancel the computations that have not started."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def refit_after_change(self) -> None:
        """Wait for decisions, then refit the taste once for all that were made meanwhile."""
        await self._has_changed.wait()
        self._has_changed.clear()
        if self._cached_fit is not None:  # the artist uses the taste
            with contextlib.suppress(TooFewDecisionsError):
                await self._fit_taste()

    async def order_candidates(self, criterion: str, candidate: int | None = None) -> tuple[list[int], bool]:
        """Sort the candidates.

        Args:
            criterion: ``diverse``, ``like`` or ``taste``.
            candidate: number of the candidate that the first ones are most similar to, for ``like``.

        Returns:
            All numbers, those without an embedding last, and whether there are any without.

        Raises:
            TooFewDecisionsError: for ``taste``, before something is kept and something rejected.
        """
        if criterion == "taste":
            return await self._order_by_taste()
        from artgen.curation.ranking import orders

        snapshot = await self._update_snapshot()
        if not snapshot.numbers:
            return snapshot.numbers_without, bool(snapshot.numbers_without)
        rows: Iterable[Any]
        if criterion == "diverse":
            rows = await self._compute_once(
                snapshot, "diverse", lambda: orders.order_by_diversity(snapshot.vectors)
            )
        elif candidate in snapshot.row_by_number:
            row = snapshot.row_by_number[candidate]
            rows = await self._compute(lambda: orders.order_by_similarity(snapshot.vectors, row))
        else:
            rows = range(len(snapshot.numbers))
        return [*snapshot.to_numbers(rows), *snapshot.numbers_without], bool(snapshot.numbers_without)

    async def _order_by_taste(self) -> tuple[list[int], bool]:
        taste, snapshot, decisions = await self._fit_taste()
        undecided_rows = snapshot.to_rows(decisions.undecided)
        rows: Iterable[Any] = (
            await self._compute(lambda: taste.rank(undecided_rows)) if undecided_rows else ()
        )
        ranked = snapshot.to_numbers(rows)
        ranked_set = set(ranked)
        others = [
            number for number in (*decisions.undecided, *decisions.not_undecided) if number not in ranked_set
        ]
        return [*ranked, *others], bool(snapshot.numbers_without)

    async def find_duplicate_groups(self) -> list[list[int]]:
        """Return the numbers of near-duplicates, two or more in each group."""
        from artgen.curation.ranking import duplicates

        snapshot = await self._update_snapshot()
        if not snapshot.numbers:
            return []
        row_groups = await self._compute_once(
            snapshot, "groups", lambda: duplicates.find_duplicate_groups(snapshot.vectors)
        )
        return [snapshot.to_numbers(row_group) for row_group in row_groups]

    async def find_closest_kept(self, candidate: int, max_count: int = 3) -> list[tuple[int, float]]:
        """Return the kept candidates most similar to a candidate, each with its similarity from 0 to 1."""
        try:
            taste, snapshot, _ = await self._fit_taste()
        except TooFewDecisionsError:
            return []
        if candidate not in snapshot.row_by_number:
            return []
        candidate_row = snapshot.row_by_number[candidate]
        closest = await self._compute(lambda: taste.find_closest_kept(candidate_row, max_count + 1))
        return [
            (snapshot.numbers[int(row)], round(float(similarity), 4))
            for row, similarity in closest
            if int(row) != candidate_row
        ][:max_count]

    async def propose_final_set(self, count: int) -> list[int]:
        """Propose some of the kept candidates as a final set, well liked and different from each other."""
        from artgen.curation.ranking import proposal

        snapshot, decisions = await self._update_snapshot(), await self._run_thread.call(_read_decisions)
        kept_rows = snapshot.to_rows(decisions.kept)
        try:
            taste, snapshot, decisions = await self._fit_taste()
            kept_rows = snapshot.to_rows(decisions.kept)
            liking = [float(taste.score(row)) for row in kept_rows]
        except TooFewDecisionsError:
            liking = [decisions.stars.get(snapshot.numbers[row], 0) / 5 for row in kept_rows]
        if len(kept_rows) <= count:
            return decisions.kept
        rows: Iterable[Any] = await self._compute(
            lambda: proposal.propose_final_set(snapshot.vectors, kept_rows, liking, count)
        )
        return snapshot.to_numbers(rows)

    async def _fit_taste(self) -> tuple[FittedTaste, EmbeddingSnapshot, DecisionSnapshot]:
        """Return the taste fitted to the present decisions, and the snapshots that it was fitted to."""
        from artgen.curation.ranking.taste import TasteModel

        async with self._fit_lock:
            snapshot, decisions = await self._update_snapshot(), await self._run_thread.call(_read_decisions)
            liked_rows, rejected_rows = (
                snapshot.to_rows(decisions.liked),
                snapshot.to_rows(decisions.rejected),
            )
            if not liked_rows or not rejected_rows:
                problem = "your taste is not known yet"
                raise TooFewDecisionsError(
                    "taste", problem, "keep at least one candidate and reject at least one"
                )
            state = (snapshot.version, decisions.last_decision_id)
            if self._cached_fit is None or self._cached_fit[0] != state:
                if self._cached_model is None or self._cached_model[0] is not snapshot:
                    draws = await self._compute(lambda: [json.loads(text) for text in snapshot.draws_json])
                    self._cached_model = (
                        snapshot,
                        await self._compute(lambda: TasteModel(snapshot.vectors, draws)),
                    )
                model = self._cached_model[1]
                stars = {
                    snapshot.row_by_number[number]: star_count
                    for number, star_count in decisions.stars.items()
                    if number in snapshot.row_by_number
                }
                taste = await self._compute(lambda: model.fit(liked_rows, rejected_rows, stars))
                self._cached_fit = state, taste
            return self._cached_fit[1], snapshot, decisions

    async def _update_snapshot(self) -> EmbeddingSnapshot:
        """Read the embeddings if they have changed since the last snapshot; return the current snapshot."""
        from artgen.imaging.embedding import EMBEDDING_NAME

        previous = self._snapshot

        def read_if_changed(run: Run) -> EmbeddingSnapshot:
            version = run.database.read_cursor()[1], run.database.count_embeddings(EMBEDDING_NAME)
            if previous is not None and previous.version == version:
                return previous
            return _read_embeddings(run, EMBEDDING_NAME, version)

        self._snapshot = await self._run_thread.call(read_if_changed)
        return self._snapshot

    async def _compute_once(self, snapshot: EmbeddingSnapshot, key: str, function: Callable[[], Any]) -> Any:
        """Return the function's result, cached under ``key`` as long as the snapshot is the current one."""
        if self._cached_results is None or self._cached_results[0] is not snapshot:
            self._cached_results = snapshot, {}
        results = self._cached_results[1]
        if key not in results:
            results[key] = await self._compute(function)
        return results[key]

    async def _compute(self, function: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function)


def _read_embeddings(run: Run, embedding_name: str, version: tuple[int, int]) -> EmbeddingSnapshot:
    all_numbers, all_vectors = run.load_embeddings(embedding_name)
    draws_json = {row.number: row.draws for row, _ in run.rows_with_decisions()}
    # Between the two reads another process may have removed a candidate.
    rows = [row for row, number in enumerate(all_numbers.tolist()) if number in draws_json]
    numbers = [int(all_numbers[row]) for row in rows]
    row_by_number = {number: row for row, number in enumerate(numbers)}
    numbers_without = [number for number in draws_json if number not in row_by_number]
    return EmbeddingSnapshot(
        version,
        numbers,
        all_vectors[rows],
        [draws_json[number] for number in numbers],
        numbers_without,
        row_by_number,
    )


def _read_decisions(run: Run) -> DecisionSnapshot:
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
