"""The store of a run on disk: candidates, decisions, embeddings and queued variations."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.io.files import atomic_write
from artgen.locks import wait_for_lock
from artgen.runs.candidate import (
    CANDIDATES_FOLDER,
    FIRST_VARIATION_NUMBER,
    STAGES_FOLDER,
    THUMBNAILS_FOLDER,
    Candidate,
    format_number_ranges,
)
from artgen.runs.database import DatabaseDamagedError, RunDatabase
from artgen.runs.decisions import DecisionStore, current_user_name, utc_timestamp
from artgen.runs.history import KEPT_MARK, ActionResult, DecisionValue
from artgen.runs.history import DecisionChange as DecisionChange
from artgen.runs.lookup import DATABASE_FILE, RECIPE_FILE, recipe_name_of_run
from artgen.runs.lookup import find_run_folder as find_run_folder
from artgen.runs.lookup import list_run_folders as list_run_folders
from artgen.runs.rebuild import rebuild_database
from artgen.runs.row import CandidateRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.recipe import Lineage, Recipe

REMOVED_FACT = "gone"
RECIPE_FOLDER_FACT = "recipe folder"
"""Name of the fact that stores the recipe's folder, relative to the run's: both may be moved together."""


def prepare_run_folder(folder: Path, recipe: Recipe) -> None:
    """Create the folders of a run and write its recipe, unless they exist already.

    Raises:
        WriteError: the folder cannot be written.
    """
    try:
        for name in (CANDIDATES_FOLDER, STAGES_FOLDER, THUMBNAILS_FOLDER):
            (folder / name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(folder, error.strerror or str(error)) from error
    recipe_path, recipe_bytes = folder / RECIPE_FILE, recipe.text.encode()
    if not recipe_path.is_file() or recipe_path.read_bytes() != recipe_bytes:
        atomic_write(recipe_path, recipe_bytes)


class Run:
    """The store of one run. Use ``create`` or ``open``; close it, or use it in a ``with``.

    Args:
        folder: the run's folder.
        database: the run's open database.

    Attributes:
        decisions: the decisions of the artist.
    """

    def __init__(self, folder: Path, database: RunDatabase) -> None:
        self.folder = folder
        self._database = database
        self.decisions = DecisionStore(folder, database)

    @classmethod
    def create(cls, folder: Path, recipe: Recipe) -> Self:
        """Open the run of ``recipe`` in ``folder``, and create it first if it is new.

        Raises:
            ArtgenError: the folder cannot be written.
        """
        prepare_run_folder(folder, recipe)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open an existing run; a missing or damaged database is rebuilt from the pictures.

        Raises:
            ArtgenError: ``folder`` is not that of a run, or cannot be read.
        """
        if not (folder / RECIPE_FILE).is_file() and not (folder / DATABASE_FILE).is_file():
            raise ArtgenError(str(folder), "no run of artgen", "give the folder of a run", "artgen runs")
        run = cls._open_undamaged(folder)
        if run is None:
            with wait_for_lock(folder / f"{DATABASE_FILE}.lock"):
                run = cls._open_undamaged(folder)  # another process may have rebuilt it meanwhile
                if run is None:
                    rebuild_database(folder)
                    run = cls(folder, RunDatabase(folder / DATABASE_FILE))
        run.decisions.update_index()
        return run

    @classmethod
    def _open_undamaged(cls, folder: Path) -> Self | None:
        """Open an existing run; None if its database is missing or damaged."""
        database_path = folder / DATABASE_FILE
        try:
            return cls(folder, RunDatabase(database_path)) if database_path.is_file() else None
        except DatabaseDamagedError:
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
        """Name of the run: the recipe's name and the first digits of its digest."""
        return self.folder.resolve().name

    @cached_property
    def recipe_text(self) -> str:
        """The recipe in TOML, as it was run; empty if the file is lost."""
        try:
            return (self.folder / RECIPE_FILE).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    @property
    def title(self) -> str:
        """The recipe's title; if it has none, the recipe's name in words."""
        return str(
            self._recipe_table.get("title") or recipe_name_of_run(self.folder).replace("-", " ").capitalize()
        )

    @property
    def description(self) -> str:
        """The recipe's description, or an empty text."""
        return str(self._recipe_table.get("description", ""))

    @property
    def seed(self) -> int:
        """The seed of the run, shared by all candidates."""
        seed = self._recipe_table.get("seed", 0)
        return seed if isinstance(seed, int) else 0

    @cached_property
    def _recipe_table(self) -> dict[str, object]:
        """The recipe as a TOML table; empty if it cannot be read."""
        try:
            return tomllib.loads(self.recipe_text)
        except tomllib.TOMLDecodeError:
            return {}

    def candidates(self) -> list[Candidate]:
        """Return every finished candidate, sorted by number."""
        return list(self._build_candidates(self._database.read_rows()))

    def rows_with_decisions(self) -> list[tuple[CandidateRow, Mapping[str, DecisionValue]]]:
        """Return the row of every candidate with its decided values, sorted by number.

        Faster than ``candidates`` for thousands, since no JSON is parsed.
        """
        history = self.decisions.history
        return [(row, history.values(row.number)) for row in self._database.read_rows()]

    def _build_candidates(self, rows: Iterable[CandidateRow]) -> Iterator[Candidate]:
        """Build candidates from rows and the present decisions."""
        history = self.decisions.history
        return (row.to_candidate(self.folder, history.values(row.number)) for row in rows)

    def candidate(self, number: int) -> Candidate:
        """Return one candidate of the run by its number.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        if row := self._database.read_row(number):
            return row.to_candidate(self.folder, self.decisions.history.values(number))
        existing_ranges = format_number_ranges(candidate.index for candidate in self.candidates())
        expected = f"it has {existing_ranges}" if existing_ranges else "it has none yet"
        raise ArtgenError(f"run {self.name}", f"no candidate {number}", expected)

    def has_candidate(self, number: int) -> bool:
        """Return whether there is a candidate of this number."""
        return self._database.has_candidate(number)

    def add_candidate(self, candidate: Candidate) -> None:
        """Record a candidate whose files are complete; a new one begins in the current round."""
        is_known = self._database.has_candidate(candidate.index) or candidate.index in self._removed_numbers()
        if not is_known:
            self.decisions.join_current_round(candidate.index)
        self._database.add_candidate(candidate)

    def remove_candidate(self, number: int) -> None:
        """Remove a candidate whose picture is missing; if it is made again, it keeps its round."""
        self.write_fact(REMOVED_FACT, json.dumps(sorted({*self._removed_numbers(), number})))
        self._database.remove_candidate(number)

    def _removed_numbers(self) -> set[int]:
        """Return the numbers of candidates that were ever removed."""
        return set(json.loads(self.read_fact(REMOVED_FACT) or "[]"))

    def is_database_replaced(self) -> bool:
        """Return whether the database file was removed or replaced since this run was opened."""
        return self._database.is_replaced()

    def pick(self, number: int, picked: bool) -> None:
        """Mark a candidate as kept, or as undecided; it is on disk when this returns.

        Args:
            number: the candidate's number.
            picked: whether it is kept.

        Raises:
            ArtgenError: the run has no such candidate, or the disk is full.
        """
        self.candidate(number)
        self.decide(
            [DecisionChange(number, "mark", KEPT_MARK if picked else None)],
            author=current_user_name(),
            view="command",
        )

    def picks(self) -> list[Candidate]:
        """Return the candidates that the artist keeps, sorted by number."""
        return [candidate for candidate in self.candidates() if candidate.picked]

    def decide(
        self, changes: Sequence[DecisionChange], *, author: str, view: str, action_id: str | None = None
    ) -> ActionResult:
        """Write changes as one action; see ``DecisionStore.decide``."""
        return self.decisions.decide(changes, author=author, view=view, action_id=action_id)

    def undo(self, *, author: str, view: str, action_id: str | None = None) -> ActionResult | None:
        """Undo the last action; return None if there is none."""
        return self.decisions.undo(author=author, view=view, action_id=action_id)

    def redo(self, *, author: str, view: str, action_id: str | None = None) -> ActionResult | None:
        """Redo the action undone last; return None if there is none."""
        return self.decisions.redo(author=author, view=view, action_id=action_id)

    def start_next_round(self, *, author: str, view: str, action_id: str | None = None) -> ActionResult:
        """Move every kept candidate to the next round; see ``DecisionStore.start_next_round``."""
        return self.decisions.start_next_round(author=author, view=view, action_id=action_id)

    @property
    def undo_count(self) -> int:
        """Number of actions that can be undone."""
        return self.decisions.history.undo_count

    @property
    def redo_count(self) -> int:
        """Number of actions that can be redone."""
        return self.decisions.history.redo_count

    def data_version(self) -> int:
        """Return a number that changes when another process, or another ``Run``, has written."""
        return self._database.data_version()

    def cursor(self) -> tuple[int, int]:
        """Return the highest row id of a decision, and the highest arrival number of a candidate."""
        return self._database.read_cursor()

    def changes_since(
        self, cursor: tuple[int, int]
    ) -> tuple[list[DecisionChange], list[Candidate], tuple[int, int]]:
        """Return changes and candidates that any process added after ``cursor``, and the new cursor."""
        changes, last_decision_id = self.decisions.changes_since(cursor[0])
        last_arrival = max(cursor[1], self._database.read_cursor()[1])
        new_candidates = list(self._build_candidates(self._database.read_rows(after_arrival=cursor[1])))
        return changes, new_candidates, (last_decision_id, last_arrival)

    def save_embedding(self, number: int, embedding_name: str, vector: NDArray[np.float32]) -> None:
        """Store the embedding of a candidate as float16.

        Args:
            number: the candidate's number.
            embedding_name: name of the embedding's algorithm; vectors of different names are never mixed.
            vector: finite numbers, float32 ``(D,)``.
        """
        self.save_embeddings(embedding_name, {number: vector})

    def save_embeddings(self, embedding_name: str, vectors: Mapping[int, NDArray[np.float32]]) -> None:
        """Store embeddings of several candidates, by number, in one transaction."""
        rows = [
            (number, embedding_name, vector.astype("<f2").tobytes()) for number, vector in vectors.items()
        ]
        with self._database.transaction():
            self._database.write_embeddings(rows)

    def count_embeddings(self, embedding_name: str) -> int:
        """Return the number of embeddings of this name."""
        return self._database.count_embeddings(embedding_name)

    def list_candidates_without_embedding(self, embedding_name: str) -> list[int]:
        """List the numbers of the candidates that have no embedding of this name."""
        return self._database.list_candidates_without_embedding(embedding_name)

    def load_embeddings(self, embedding_name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Load numbers ``(n,)``, rising, and vectors float32 ``(n, D)`` of every embedding of this name."""
        import numpy as np

        rows = self._database.read_embeddings(embedding_name)
        numbers = np.array([number for number, _ in rows], np.int64)
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f2").astype(np.float32)
        return numbers, vectors.reshape(len(rows), -1) if rows else vectors.reshape(0, 0)

    def queue_variations(self, parent: int, count: int) -> list[int]:
        """Queue variations of a candidate and return their numbers.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        self.candidate(parent)
        with self._database.transaction():
            first_number = self._database.next_variation_number()
            numbers = list(range(first_number, first_number + count))
            for number in numbers:
                self._database.queue_variation(number, parent, utc_timestamp())
        return numbers

    def variations(self) -> dict[int, Lineage]:
        """Return the lineage of every variation, generated or queued, by number.

        Variations of which an ancestor is unknown are left out.
        """
        from artgen.recipe import Lineage

        lineages: dict[int, Lineage] = {}
        for number, parent in self._database.read_parents().items():  # a parent has the smaller number
            if parent < FIRST_VARIATION_NUMBER:
                lineages[number] = Lineage(parent).child(number)
            elif parent in lineages:
                lineages[number] = lineages[parent].child(number)
        return lineages

    def lineages(self, numbers: Iterable[int]) -> list[Lineage]:
        """Return the lineage of each number; a number that ``variations`` does not have has no ancestors."""
        from artgen.recipe import Lineage

        variations = self.variations()
        return [variations.get(number) or Lineage(number) for number in numbers]

    def queued_lineages(self) -> list[Lineage]:
        """Return the lineages of queued variations, except those that ``variations`` does not have."""
        queued_pairs = self.queued_variations()
        variations = self.variations() if queued_pairs else {}
        return [variations[number] for number, _ in queued_pairs if number in variations]

    def unqueue_variation(self, number: int) -> None:
        """Remove a variation that cannot be generated from the queue."""
        self._database.unqueue_variation(number)

    def queued_variations(self) -> list[tuple[int, int]]:
        """Return number and parent of every variation that is queued and not generated yet."""
        return self._database.list_queued_variations()

    def read_fact(self, name: str) -> str | None:
        """Read a stored fact about the run, such as the folder of its recipe; None if it is not stored."""
        return self._database.read_fact(name)

    def write_fact(self, name: str, value: str) -> None:
        """Store a fact about the run."""
        self._database.write_fact(name, value)
