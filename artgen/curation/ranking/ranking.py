"""Ranking of a run's candidates: orders, near-duplicates, closest kept candidates, and a final set.

The other modules of this folder work with rows of an array; this one translates rows to candidates' numbers.
It computes in a thread of its own, so that saving decisions never waits, and refits the taste after them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from artgen.curation.ranking.snapshots import (
    DecisionSnapshot,
    EmbeddingSnapshot,
    read_decisions,
    read_embeddings,
)
from artgen.curation.server.run_thread import RunThread
from artgen.errors import ArtgenError

if TYPE_CHECKING:
    from artgen.curation.ranking.taste import FittedTaste, TasteModel

ResultT = TypeVar("ResultT")


class TooFewDecisionsError(ArtgenError):
    """The artist has not decided enough yet for a taste to be fitted."""


class CandidateRanker:
    """Ranks the candidates of one run, and keeps its results until the run changes.

    Args:
        run_thread: the thread that has the run open.
    """

    def __init__(self, run_thread: RunThread) -> None:
        self._run_thread = run_thread
        self._executor = ThreadPoolExecutor(1, "ranking")
        self._snapshot: EmbeddingSnapshot | None = None
        self._cached_fit: tuple[tuple[Any, int], FittedTaste] | None = None
        self._fit_lock = asyncio.Lock()
        self._has_changed = asyncio.Event()

    def notify(self) -> None:
        """Tell the ranker that decisions or candidates may have been added."""
        self._has_changed.set()

    def stop(self) -> None:
        """Cancel the ranking computations that have not started."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def refit_after_change(self) -> None:
        """Wait for decisions, then refit the taste once for all that were made meanwhile."""
        await self._has_changed.wait()
        self._has_changed.clear()
        if self._cached_fit is not None:  # the artist uses the taste
            with contextlib.suppress(TooFewDecisionsError):
                await self._fit_taste()

    async def order_candidates(self, criterion: str, candidate: int | None = None) -> tuple[list[int], bool]:
        """Sort the candidates by diversity, similarity to one of them, or taste.

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
        rows: Iterable[int] = range(len(snapshot.numbers))
        if criterion == "diverse":
            rows = await self._compute_once(snapshot, orders.order_by_diversity, snapshot.vectors)
        elif candidate in snapshot.row_by_number:
            row = snapshot.row_by_number[candidate]
            rows = await self._compute(orders.order_by_similarity, snapshot.vectors, row)
        return [*snapshot.to_numbers(rows), *snapshot.numbers_without], bool(snapshot.numbers_without)

    async def _order_by_taste(self) -> tuple[list[int], bool]:
        taste, snapshot, decisions = await self._fit_taste()
        undecided_rows = snapshot.to_rows(decisions.undecided)
        ranked = await self._compute(taste.rank, undecided_rows) if undecided_rows else []
        numbers = [*snapshot.to_numbers(ranked), *decisions.undecided, *decisions.not_undecided]
        return list(dict.fromkeys(numbers)), bool(snapshot.numbers_without)

    async def find_duplicate_groups(self) -> list[list[int]]:
        """Return the numbers of near-duplicates, two or more in each group."""
        from artgen.curation.ranking import duplicates

        snapshot = await self._update_snapshot()
        row_groups = await self._compute_once(snapshot, duplicates.find_duplicate_groups, snapshot.vectors)
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
        closest = await self._compute(taste.find_closest_kept, candidate_row, max_count + 1)
        others = [(row, similarity) for row, similarity in closest if row != candidate_row][:max_count]
        return [(snapshot.numbers[row], round(similarity, 4)) for row, similarity in others]

    async def propose_final_set(self, count: int) -> list[int]:
        """Propose some of the kept candidates as a final set, well liked and different from each other."""
        from artgen.curation.ranking import proposal

        taste: FittedTaste | None = None
        try:
            taste, snapshot, decisions = await self._fit_taste()
        except TooFewDecisionsError:
            snapshot, decisions = await self._read_snapshots()
        if len(kept_rows := snapshot.to_rows(decisions.kept)) <= count:
            return decisions.kept
        liking = [
            taste.score(row) if taste else decisions.stars.get(snapshot.numbers[row], 0) / 5
            for row in kept_rows
        ]
        rows = await self._compute(proposal.propose_final_set, snapshot.vectors, kept_rows, liking, count)
        return snapshot.to_numbers(rows)

    async def _fit_taste(self) -> tuple[FittedTaste, EmbeddingSnapshot, DecisionSnapshot]:
        """Return the taste fitted to the present decisions, and the snapshots that it was fitted to."""
        from artgen.curation.ranking.taste import TasteModel

        async with self._fit_lock:
            snapshot, decisions = await self._read_snapshots()
            liked_rows = snapshot.to_rows(decisions.liked)
            rejected_rows = snapshot.to_rows(decisions.rejected)
            if not liked_rows or not rejected_rows:
                expected = "keep at least one candidate and reject at least one"
                raise TooFewDecisionsError("taste", "your taste is not known yet", expected)
            state = (snapshot.version, decisions.last_decision_id)
            if self._cached_fit is None or self._cached_fit[0] != state:

                def build_model() -> TasteModel:
                    return TasteModel(snapshot.vectors, [json.loads(text) for text in snapshot.draws_json])

                model = await self._compute_once(snapshot, build_model)
                stars = {
                    snapshot.row_by_number[number]: star_count
                    for number, star_count in decisions.stars.items()
                    if number in snapshot.row_by_number
                }
                self._cached_fit = state, await self._compute(model.fit, liked_rows, rejected_rows, stars)
            return self._cached_fit[1], snapshot, decisions

    async def _read_snapshots(self) -> tuple[EmbeddingSnapshot, DecisionSnapshot]:
        """Return the present embeddings and decisions."""
        return await self._update_snapshot(), await self._run_thread.call(read_decisions)

    async def _update_snapshot(self) -> EmbeddingSnapshot:
        """Read the embeddings if they have changed since the last snapshot; return the current snapshot."""
        previous = self._snapshot
        self._snapshot = await self._run_thread.call(lambda run: read_embeddings(run, previous))
        return self._snapshot

    async def _compute_once(
        self, snapshot: EmbeddingSnapshot, function: Callable[..., ResultT], *arguments: Any
    ) -> ResultT:
        """Return a ranking function's result, stored with the snapshot under its name."""
        name = function.__name__
        if name not in snapshot.results:
            snapshot.results[name] = await self._compute(function, *arguments)
        result: ResultT = snapshot.results[name]
        return result

    async def _compute(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)
