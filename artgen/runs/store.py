"""A run on disk: its folder, its candidates, what the artist decided."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.io.files import atomic_write
from artgen.locks import alone
from artgen.runs.candidate import CANDIDATES, FIRST_VARIATION, STAGES, THUMBNAILS, Candidate, ranges
from artgen.runs.candidate import Stage as Stage
from artgen.runs.database import DamagedError, Database
from artgen.runs.decisions import Decisions, artist, now
from artgen.runs.history import KEPT, Acted, Value
from artgen.runs.history import Change as Change
from artgen.runs.lookup import DATABASE, RECIPE, recipe_name
from artgen.runs.lookup import find_run as find_run
from artgen.runs.lookup import list_runs as list_runs
from artgen.runs.rebuild import rebuild
from artgen.runs.row import Row

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.recipe import Lineage, Recipe

GONE = "gone"
RECIPE_FOLDER = "recipe folder"
"""The fact that says where the recipe's folder is, seen from the run's: both may be moved together."""


def lay_out(folder: Path, recipe: Recipe) -> None:
    """Make the folders of a run, and write its recipe, where they are not as they should be.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        for name in (CANDIDATES, STAGES, THUMBNAILS):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error.strerror or str(error)) from error
    file, text = folder / RECIPE, recipe.text.encode()
    if not file.is_file() or file.read_bytes() != text:
        atomic_write(file, text)


class Run:
    """The store of one run. Use ``create`` or ``open``; close it, or use it in a ``with``.

    Args:
        folder: the run's folder.
        database: its open database.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database
        self.decisions = Decisions(folder, database)

    @classmethod
    def create(cls, folder: Path, recipe: Recipe) -> Self:
        """Open the run of ``recipe`` in ``folder``, beginning it if it is new.

        Raises:
            ArtgenError: the folder cannot be written.
        """
        lay_out(folder, recipe)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an existing run; a missing or damaged database is rebuilt from the pictures.

        Raises:
            ArtgenError: ``folder`` holds no run, or cannot be read.
        """
        if not (folder / RECIPE).is_file() and not (folder / DATABASE).is_file():
            raise ArtgenError(str(folder), "no run of artgen", "give the folder of a run", "artgen runs")
        run = cls._sound(folder)
        if run is None:
            with alone(folder / f"{DATABASE}.lock"):
                run = cls._sound(folder)  # another process may have been quicker
                if run is None:
                    rebuild(folder)
                    run = cls(folder, Database(folder / DATABASE))
        run.decisions.index()
        return run

    @classmethod
    def _sound(cls, folder: Path) -> Self | None:
        file = folder / DATABASE
        try:
            return cls(folder, Database(file)) if file.is_file() else None
        except DamagedError:
            return None

    def close(self) -> None:
        """Close the database; everything is on disk already."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The folder's name: the recipe's and the beginning of its digest."""
        return self.folder.resolve().name

    @cached_property
    def recipe_text(self) -> str:
        """The recipe as run, in TOML; empty when the file is lost."""
        try:
            return (self.folder / RECIPE).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def title(self) -> str:
        """The recipe's title, or the recipe's name in words when it has none."""
        return str(self._recipe.get("title") or recipe_name(self.folder).replace("-", " ").capitalize())

    @property
    def description(self) -> str:
        """The recipe's description, or nothing."""
        return str(self._recipe.get("description", ""))

    @property
    def seed(self) -> int:
        """The seed of every candidate."""
        seed = self._recipe.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    @cached_property
    def _recipe(self) -> dict[str, object]:
        try:
            return tomllib.loads(self.recipe_text)
        except tomllib.TOMLDecodeError:
            return {}

    def candidates(self) -> list[Candidate]:
        """Every finished candidate, by index."""
        return list(self._candidates(self._database.rows()))

    def rows(self) -> list[tuple[Row, Mapping[str, Value]]]:
        """Every candidate, by number, as it is stored, with what was decided: fast for thousands."""
        history = self.decisions.history
        return [(row, history.values(row.number)) for row in self._database.rows()]

    def _candidates(self, rows: Iterable[Row]) -> Iterator[Candidate]:
        history = self.decisions.history
        return (row.candidate(self.folder, history.values(row.number)) for row in rows)

    def candidate(self, index: int) -> Candidate:
        """One candidate.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        if row := self._database.row(index):
            return row.candidate(self.folder, self.decisions.history.values(index))
        others = ranges(candidate.index for candidate in self.candidates())
        there = f"it has {others}" if others else "it has none yet"
        raise ArtgenError(f"run {self.name}", f"no candidate {index}", there)

    def has(self, index: int) -> bool:
        """Whether there is such a candidate."""
        return self._database.has(index)

    def add(self, candidate: Candidate) -> None:
        """Record a candidate whose files are complete. A new one begins in the current round."""
        known = self._database.has(candidate.index) or candidate.index in self._gone()
        if not known:
            self.decisions.join(candidate.index)
        self._database.add(candidate)

    def remove(self, index: int) -> None:
        """Forget a candidate whose picture is gone. Made again, it is in the round that it was in."""
        self.remember(GONE, json.dumps(sorted({*self._gone(), index})))
        self._database.remove(index)

    def _gone(self) -> set[int]:
        return set(json.loads(self.fact(GONE) or "[]"))

    def replaced(self) -> bool:
        """Whether another file has taken the place of the database that this one holds open."""
        return self._database.replaced()

    def pick(self, index: int, on: bool) -> None:
        """Keep a candidate, or not any more. On disk when this returns.

        Raises:
            ArtgenError: the run has no such candidate, or the disk is full.
        """
        self.candidate(index)
        self.decide([Change(index, "mark", KEPT if on else None)], who=artist(), view="command")

    def picks(self) -> list[Candidate]:
        """The candidates the artist keeps, by index."""
        return [candidate for candidate in self.candidates() if candidate.picked]

    def decide(self, changes: Sequence[Change], *, who: str, view: str, action: str | None = None) -> Acted:
        """Write changes as one action, as ``Decisions.decide``."""
        return self.decisions.decide(changes, who=who, view=view, action=action)

    def undo(self, *, who: str, view: str, action: str | None = None) -> Acted | None:
        """Take back the last action, if there is one."""
        return self.decisions.undo(who=who, view=view, action=action)

    def redo(self, *, who: str, view: str, action: str | None = None) -> Acted | None:
        """Do again what was undone last, if anything was."""
        return self.decisions.redo(who=who, view=view, action=action)

    def next_round(self, *, who: str, view: str, action: str | None = None) -> Acted:
        """Let what is kept go on to the next round, as ``Decisions.next_round``."""
        return self.decisions.next_round(who=who, view=view, action=action)

    @property
    def undoable(self) -> int:
        """How many actions can be undone."""
        return self.decisions.history.undoable

    @property
    def redoable(self) -> int:
        """How many actions can be done again."""
        return self.decisions.history.redoable

    def version(self) -> int:
        """A number that changes when another process, or another ``Run``, has written."""
        return self._database.version()

    def cursor(self) -> tuple[int, int]:
        """How far the run has come: the highest id of a decision, the highest arrival of a candidate."""
        return self._database.cursor()

    def since(self, cursor: tuple[int, int]) -> tuple[list[Change], list[Candidate], tuple[int, int]]:
        """What was decided and added after ``cursor``, by any process, and the cursor after that."""
        rows, decided = self.decisions.newer(cursor[0])
        added = max(cursor[1], self._database.cursor()[1])
        new = list(self._candidates(self._database.rows(since=cursor[1])))
        return rows, new, (decided, added)

    def embed(self, number: int, name: str, vector: NDArray[np.float32]) -> None:
        """Keep a candidate's embedding, float32 ``(D,)``, as float16.

        Args:
            number: the candidate's.
            name: of what computed it; vectors of another name are never mixed in.
            vector: finite numbers.
        """
        self.embed_all(name, {number: vector})

    def embed_all(self, name: str, vectors: Mapping[int, NDArray[np.float32]]) -> None:
        """Keep embeddings of several candidates at once."""
        rows = [(number, name, vector.astype("<f2").tobytes()) for number, vector in vectors.items()]
        with self._database.together():
            self._database.embed(rows)

    def embedded(self, name: str) -> int:
        """How many embeddings of that name there are."""
        return self._database.embedded(name)

    def lacking(self, name: str) -> list[int]:
        """Numbers of the candidates that have no embedding of that name."""
        return self._database.lacking(name)

    def embeddings(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Numbers ``(n,)``, rising, and vectors float32 ``(n, D)`` of every embedding of that name."""
        import numpy as np

        rows = self._database.embeddings(name)
        numbers = np.array([number for number, _ in rows], np.int64)
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f2").astype(np.float32)
        return numbers, vectors.reshape(len(rows), -1) if rows else vectors.reshape(0, 0)

    def queue_variations(self, parent: int, count: int) -> list[int]:
        """Ask for variations of a candidate; returns their numbers.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        self.candidate(parent)
        with self._database.together():
            first = self._database.next_variation()
            numbers = list(range(first, first + count))
            for number in numbers:
                self._database.queue(number, parent, now())
        return numbers

    def variations(self) -> dict[int, Lineage]:
        """Return every variation, made or asked for, by number; none of which an ancestor is lost."""
        from artgen.recipe import Lineage

        known: dict[int, Lineage] = {}
        for number, parent in self._database.parents().items():  # a parent has the smaller number
            if parent < FIRST_VARIATION:
                known[number] = Lineage(parent).child(number)
            elif parent in known:
                known[number] = known[parent].child(number)
        return known

    def lineages(self, numbers: Iterable[int]) -> list[Lineage]:
        """Return the lineage of each candidate: one that ``variations`` lacks comes from no other."""
        from artgen.recipe import Lineage

        known = self.variations()
        return [known.get(number) or Lineage(number) for number in numbers]

    def waiting(self) -> list[Lineage]:
        """Return the variations that are asked for and not made yet, as far as ``variations`` has them."""
        queued = self.queued()
        known = self.variations() if queued else {}
        return [known[number] for number, _ in queued if number in known]

    def withdraw(self, number: int) -> None:
        """Ask no more for a variation that cannot be made."""
        self._database.unqueue(number)

    def queued(self) -> list[tuple[int, int]]:
        """Number and parent of every variation that is asked for and not made yet."""
        return self._database.queued()

    def fact(self, name: str) -> str | None:
        """Something remembered about the run, such as where its recipe lies."""
        return self._database.fact(name)

    def remember(self, name: str, value: str) -> None:
        """Remember something about the run."""
        self._database.remember(name, value)
