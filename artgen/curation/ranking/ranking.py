"""What is known of a run's candidates beyond their pictures: likeness, near-duplicates, the artist's taste.

The rooms' functions speak of rows of an array; here rows become candidates' numbers. Nothing of it runs
where decisions are saved: a thread of its own computes, and the taste is fitted to the latest.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from artgen.curation.server.run_thread import Keeper
from artgen.errors import ArtgenError
from artgen.runs.history import KEPT, REJECTED
from artgen.runs.store import Run

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.curation.ranking.taste import Opinion, Taste

T = TypeVar("T")


class TooSoonError(ArtgenError):
    """The artist has not decided enough yet."""


@dataclass(frozen=True)
class Known:
    """Embeddings at one moment.

    Args:
        stamp: changes when they change.
        numbers: the candidate of each row.
        vectors: float32 ``(n, D)``.
        draws: JSON, by row.
        without: candidates that have no embedding yet.
    """

    stamp: tuple[int, int]
    numbers: list[int]
    vectors: NDArray[np.float32]
    draws: list[str]
    without: list[int]
    row: dict[int, int] = field(default_factory=dict)

    def rows(self, numbers: Sequence[int]) -> list[int]:
        """The rows of those candidates that have one."""
        return [self.row[number] for number in numbers if number in self.row]

    def named(self, rows: Iterable[Any]) -> list[int]:
        """The candidates of rows."""
        return [self.numbers[int(row)] for row in rows]


@dataclass(frozen=True)
class Judged:
    """Decisions at one moment.

    Args:
        stamp: the id of the last.
        liked: kept now, or gone on to a later round; the one decided last at the end.
        kept: kept now.
        rejected: rejected now; the one decided last at the end.
        open: undecided ones of the current round.
        others: all the rest.
        stars: of those that have any.
    """

    stamp: int
    liked: list[int]
    kept: list[int]
    rejected: list[int]
    open: list[int]
    others: list[int]
    stars: dict[int, int]


class Knowledge:
    """Answers about one run.

    Args:
        keeper: the run.
    """

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._thread = ThreadPoolExecutor(1, "knowledge")
        self._known: Known | None = None
        self._orders: tuple[Known, dict[str, Any]] | None = None
        self._taste: tuple[Known, Taste] | None = None
        self._fitted: tuple[tuple[Any, int], Opinion] | None = None
        self._fitting = asyncio.Lock()
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """Something may have been decided or added."""
        self._changed.set()

    def stop(self) -> None:
        """Give up what is not begun."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def keep_fitted(self) -> None:
        """Wait for decisions, then refit the taste; of many that came meanwhile the latest counts."""
        await self._changed.wait()
        self._changed.clear()
        if self._fitted is not None:  # it was asked for
            with contextlib.suppress(TooSoonError):
                await self._opinion()

    async def order(self, by: str, candidate: int | None = None) -> tuple[list[int], bool]:
        """Numbers in an order, and whether some have no embedding: those are last.

        Args:
            by: ``diverse``, ``like`` or ``taste``.
            candidate: what they should be like.

        Raises:
            TooSoonError: of the taste, before something is kept and something rejected.
        """
        if by == "taste":
            return await self._by_taste()
        from artgen.curation.ranking import orders

        known = await self._now()
        if not known.numbers:
            return known.without, bool(known.without)
        rows: Iterable[Any]
        if by == "diverse":
            rows = await self._once(known, "diverse", lambda: orders.diverse(known.vectors))
        elif candidate in known.row:
            row = known.row[candidate]
            rows = await self._think(lambda: orders.like(known.vectors, row))
        else:
            rows = range(len(known.numbers))
        return [*known.named(rows), *known.without], bool(known.without)

    async def _by_taste(self) -> tuple[list[int], bool]:
        opinion, known, judged = await self._opinion()
        undecided = known.rows(judged.open)
        rows: Iterable[Any] = await self._think(lambda: opinion.order(undecided)) if undecided else ()
        first = known.named(rows)
        placed = set(first)
        rest = [number for number in (*judged.open, *judged.others) if number not in placed]
        return [*first, *rest], bool(known.without)

    async def groups(self) -> list[list[int]]:
        """Near-duplicates, two or more in each group."""
        from artgen.curation.ranking import duplicates

        known = await self._now()
        if not known.numbers:
            return []
        found = await self._once(known, "groups", lambda: duplicates.groups(known.vectors))
        return [known.named(group) for group in found]

    async def reasons(self, candidate: int, count: int = 3) -> list[tuple[int, float]]:
        """The kept pieces that a candidate is closest to, each with its likeness from 0 to 1."""
        try:
            opinion, known, _ = await self._opinion()
        except TooSoonError:
            return []
        if candidate not in known.row:
            return []
        row = known.row[candidate]
        found = await self._think(lambda: opinion.reasons(row, count + 1))
        return [(known.numbers[int(r)], round(float(likeness), 4)) for r, likeness in found if int(r) != row][
            :count
        ]

    async def proposal(self, count: int) -> list[int]:
        """A final set out of what is kept: liked, and spread."""
        from artgen.curation.ranking.proposal import proposed

        known, judged = await self._now(), await self._keeper.do(_judged)
        kept = known.rows(judged.kept)
        try:
            opinion, known, judged = await self._opinion()
            kept = known.rows(judged.kept)
            liking = [float(opinion.score(row)) for row in kept]
        except TooSoonError:
            liking = [judged.stars.get(known.numbers[row], 0) / 5 for row in kept]
        if len(kept) <= count:
            return judged.kept
        rows: Iterable[Any] = await self._think(lambda: proposed(known.vectors, kept, liking, count))
        return known.named(rows)

    async def _opinion(self) -> tuple[Opinion, Known, Judged]:
        from artgen.curation.ranking.taste import Taste

        async with self._fitting:
            known, judged = await self._now(), await self._keeper.do(_judged)
            liked, rejected = known.rows(judged.liked), known.rows(judged.rejected)
            if not liked or not rejected:
                found = "your taste is not known yet"
                raise TooSoonError("taste", found, "keep at least one candidate and reject at least one")
            state = (known.stamp, judged.stamp)
            if self._fitted is None or self._fitted[0] != state:
                if self._taste is None or self._taste[0] is not known:
                    draws = await self._think(lambda: [json.loads(text) for text in known.draws])
                    self._taste = known, await self._think(lambda: Taste(known.vectors, draws))
                taste = self._taste[1]
                stars = {known.row[n]: value for n, value in judged.stars.items() if n in known.row}
                opinion = await self._think(lambda: taste.fit(liked, rejected, stars))
                self._fitted = state, opinion
            return self._fitted[1], known, judged

    async def _now(self) -> Known:
        from artgen.imaging.embedding import NAME

        before = self._known

        def look(run: Run) -> Known:
            stamp = run.cursor()[1], run.embedded(NAME)
            return before if before is not None and before.stamp == stamp else _known(run, NAME, stamp)

        self._known = await self._keeper.do(look)
        return self._known

    async def _once(self, known: Known, what: str, work: Callable[[], Any]) -> Any:
        if self._orders is None or self._orders[0] is not known:
            self._orders = known, {}
        found = self._orders[1]
        if what not in found:
            found[what] = await self._think(work)
        return found[what]

    async def _think(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _known(run: Run, name: str, stamp: tuple[int, int]) -> Known:
    numbers, vectors = run.embeddings(name)
    draws = {row.number: row.draws for row, _ in run.rows()}
    there = [at for at, number in enumerate(numbers.tolist()) if number in draws]
    listed = [int(numbers[at]) for at in there]
    row = {number: at for at, number in enumerate(listed)}
    without = [number for number in draws if number not in row]
    return Known(stamp, listed, vectors[there], [draws[number] for number in listed], without, row)


def _judged(run: Run) -> Judged:
    history = run.decisions.history
    current = history.round
    judged = Judged(run.cursor()[0], [], [], [], [], [], {})
    for row, decided in run.rows():
        number, mark, reached = row.number, decided.get("mark"), decided.get("round", 1)
        if mark == KEPT:
            judged.kept.append(number)
        (judged.open if mark is None and reached == current else judged.others).append(number)
        if stars := decided.get("stars"):
            judged.stars[number] = int(stars)
    there = {*judged.open, *judged.others}
    for number in history.marked():
        mark = history.value(number, "mark")
        if number in there and mark == REJECTED:
            judged.rejected.append(number)
        elif number in there and (mark == KEPT or history.value(number, "round") != 1):
            judged.liked.append(number)
    return judged
