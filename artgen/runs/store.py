"""The store of a run on disk: candidates, decisions, embeddings and queued variations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Self

from artgen.config.document import parse_toml, read_toml_text
from artgen.errors import ArtgenError, report_write_errors
from artgen.imaging.io.files import atomic_write
from artgen.runs.candidate import (
    CANDIDATES_FOLDER,
    FIRST_VARIATION_NUMBER,
    STAGES_FOLDER,
    THUMBNAILS_FOLDER,
    Candidate,
    CandidateRow,
    format_number_ranges,
)
from artgen.runs.database import RunDatabase
from artgen.runs.database_errors import DatabaseBusyError, ReadOnlyError
from artgen.runs.decisions import DecisionStore, current_user_name, utc_timestamp
from artgen.runs.history import KEPT_MARK, DecisionValue
from artgen.runs.history import DecisionChange as DecisionChange
from artgen.runs.lookup import RECIPE_FILE_NAME, is_run_folder, recipe_name_of_run
from artgen.runs.lookup import find_run_folder as find_run_folder
from artgen.runs.lookup import list_run_folders as list_run_folders
from artgen.runs.open_database import open_database, open_database_copy

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from artgen.recipe import Lineage, Recipe

RowWithDecisions = tuple[CandidateRow, Mapping[str, DecisionValue]]
"""The row of a candidate, and its values that were ever decided."""
REMOVED_CANDIDATES_FACT = "gone"
RECIPE_FOLDER_FACT = "recipe folder"
"""Name of the fact that stores the recipe's folder, relative to the run's: both may be moved together."""


def prepare_run_folder(folder: Path, recipe: Recipe) -> None:
    """Create the folders of a run and write its recipe, unless they exist already.

    Raises:
        WriteError: the folder cannot be written.
    """
    with report_write_errors(folder):
        for name in (CANDIDATES_FOLDER, STAGES_FOLDER, THUMBNAILS_FOLDER):
            (folder / name).mkdir(parents=True, exist_ok=True)
    recipe_path, recipe_bytes = folder / RECIPE_FILE_NAME, recipe.text.encode()
    if not recipe_path.is_file() or recipe_path.read_bytes() != recipe_bytes:
        atomic_write(recipe_path, recipe_bytes)


class Run:
    """The store of one run: its candidates, the artist's picks and its facts.

    ``artgen.run`` returns one; ``open`` opens that of a folder. Close it, or use it in a ``with`` statement.

    Args:
        folder: the run's folder.
        database: the run's open database.

    Attributes:
        database: the candidates, embeddings and queued variations as rows; written only through this class.
        decisions: the decisions of the artist.

    Raises:
        ArtgenError: the folder cannot be read or written.

    Examples:
        >>> with artgen.run("sea.toml", candidates=2, preview=True) as run:
        ...     run.pick(2, True)
        ...     [candidate.index for candidate in run.picks()]
        ...     run.candidate(2).read_tensor().shape  # float32, sRGB, 0 to 1
        [2]
        torch.Size([3, 128, 128])
    """

    def __init__(self, folder: Path, database: RunDatabase) -> None:
        self.folder = folder
        self.database = database
        self.decisions = DecisionStore(folder, database)
        self._copy_folder: TemporaryDirectory[str] | None = None
        self._write_error: ArtgenError | None = None

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

        Of a run that can only be read, or on a disk without locks, a temporary copy of the database is
        opened; everything that writes then raises ``ReadOnlyError``.

        Raises:
            ArtgenError: ``folder`` is not that of a run, or cannot be read.
        """
        if not is_run_folder(folder):
            raise ArtgenError(str(folder), "no run of artgen", "give the folder of a run", "artgen runs")
        try:
            run = cls(folder, open_database(folder))
            run.decisions.update_index()
        except (ReadOnlyError, DatabaseBusyError) as error:
            copy_folder = TemporaryDirectory(prefix="artgen-run-")
            run = cls(folder, open_database_copy(folder, Path(copy_folder.name)))
            run._copy_folder, run._write_error = copy_folder, error
            run.decisions.update_index(read_only=True)
            run.database.forbid_writing()
        return run

    def check_writable(self) -> None:
        """Raise an error if the run's folder can only be read.

        Raises:
            ReadOnlyError: or ``DatabaseBusyError``, as opening it for writing did.
        """
        if self._write_error is not None:
            raise self._write_error

    def close(self) -> None:
        """Close the run's database; everything is on disk already."""
        self.database.close()
        if self._copy_folder is not None:
            self._copy_folder.cleanup()

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
            return read_toml_text(self.folder / RECIPE_FILE_NAME)
        except ArtgenError:
            return ""

    @property
    def title(self) -> str:
        """The title of the run's recipe; if it has none, its name in words."""
        name_in_words = recipe_name_of_run(self.folder).replace("-", " ").capitalize()
        return str(self._recipe_table.get("title") or name_in_words)

    @property
    def description(self) -> str:
        """The description of the run's recipe, or an empty text."""
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
            return parse_toml(self.recipe_text)
        except ValueError:
            return {}

    @property
    def walk_length(self) -> int | None:
        """How many candidates make one round of the walk that the recipe's source takes; None without one."""
        source = self._recipe_table.get("source")
        walk = source.get("walk") if isinstance(source, dict) else None
        return walk if isinstance(walk, int) and walk > 0 else None

    def candidates(self) -> list[Candidate]:
        """Return every finished candidate, sorted by number."""
        return [row.to_candidate(self.folder, decisions) for row, decisions in self.rows_with_decisions()]

    def rows_with_decisions(self, after_arrival: int = 0) -> list[RowWithDecisions]:
        """Return the row of every candidate that arrived after ``after_arrival``, sorted by number.

        Faster than ``candidates`` for thousands, since no JSON is parsed.
        """
        history = self.decisions.history
        return [(row, history.values(row.number)) for row in self.database.read_rows(after_arrival)]

    def candidate(self, number: int) -> Candidate:
        """Return one candidate of the run by its number.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        if row := self.database.read_row(number):
            return row.to_candidate(self.folder, self.decisions.history.values(number))
        existing_ranges = format_number_ranges(row.number for row in self.database.read_rows())
        expected = f"it has {existing_ranges or 'none yet'}"
        raise ArtgenError(f"run {self.name}", f"no candidate {number}", expected)

    def add_candidate(self, candidate: Candidate) -> None:
        """Record a candidate whose files are complete; a new one begins in the current round."""
        is_known = self.database.has_candidate(candidate.index) or candidate.index in self._removed_numbers()
        if not is_known:
            self.decisions.join_current_round(candidate.index)
        self.database.add_candidate(candidate)

    def remove_candidate(self, number: int) -> None:
        """Remove a candidate whose picture is missing; if it is made again, it keeps its round."""
        self.write_fact(REMOVED_CANDIDATES_FACT, json.dumps(sorted({*self._removed_numbers(), number})))
        self.database.remove_candidate(number)

    def _removed_numbers(self) -> set[int]:
        """Return the numbers of candidates that were ever removed."""
        try:
            numbers = json.loads(self.read_fact(REMOVED_CANDIDATES_FACT) or "[]")
        except (ValueError, RecursionError):
            return set()
        return {number for number in numbers if type(number) is int} if isinstance(numbers, list) else set()

    def find_recipe_folder(self) -> Path | None:
        """Return the folder of the recipe that the run was made from, as recorded; None if there is none."""
        recorded_folder = self.read_fact(RECIPE_FOLDER_FACT)
        try:
            folder = self.folder / recorded_folder if recorded_folder else None
            return folder if folder is not None and folder.is_dir() else None
        except (OSError, ValueError):  # no name of a folder
            return None

    def pick(self, number: int, picked: bool) -> None:
        """Mark a candidate as kept by the artist, or as undecided; it is on disk when this returns.

        Args:
            number: the candidate's number.
            picked: whether it is kept.

        Raises:
            ArtgenError: the run has no such candidate, or the disk is full.
        """
        self.candidate(number)
        change = DecisionChange(number, "mark", KEPT_MARK if picked else None)
        self.decisions.decide([change], author=current_user_name(), view="command")

    def picks(self) -> list[Candidate]:
        """Return the candidates that the artist keeps, sorted by number."""
        return [candidate for candidate in self.candidates() if candidate.picked]

    def changes_since(
        self, cursor: tuple[int, int]
    ) -> tuple[list[DecisionChange], list[RowWithDecisions], tuple[int, int]]:
        """Return decisions and candidates that any process added to the run after ``cursor``."""
        changes, last_decision_id = self.decisions.changes_since(cursor[0])
        last_arrival = max(cursor[1], self.database.read_cursor()[1])
        return changes, self.rows_with_decisions(cursor[1]), (last_decision_id, last_arrival)

    def save_embeddings(self, embedding_name: str, vectors: Mapping[int, NDArray[np.float32]]) -> None:
        """Store embeddings of candidates as float16, in one transaction.

        Args:
            embedding_name: name of the embedding's algorithm; vectors of different names are never mixed.
            vectors: finite numbers, float32 ``(D,)``, by the candidate's number.
        """
        rows = [
            (number, embedding_name, vector.astype("<f2").tobytes()) for number, vector in vectors.items()
        ]
        with self.database.transaction():
            self.database.write_embeddings(rows)

    def load_embeddings(self, embedding_name: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Load numbers ``(n,)``, rising, and vectors float32 ``(n, D)`` of every embedding of this name."""
        import numpy as np

        rows = self.database.read_embeddings(embedding_name)
        numbers = np.array([number for number, _ in rows], np.int64)
        vectors = np.frombuffer(b"".join(vector for _, vector in rows), "<f2").astype(np.float32)
        return numbers, vectors.reshape(len(rows), -1) if rows else vectors.reshape(0, 0)

    def queue_variations(self, parent: int, count: int) -> list[int]:
        """Queue variations of a candidate and return their numbers.

        Raises:
            ArtgenError: the run has no such candidate.
        """
        self.candidate(parent)
        with self.database.transaction():
            first_number = self.database.next_variation_number()
            numbers = list(range(first_number, first_number + count))
            for number in numbers:
                self.database.queue_variation(number, parent, utc_timestamp())
        return numbers

    def variations(self) -> dict[int, Lineage]:
        """Return the lineage of every variation, generated or queued, by number.

        Variations of which an ancestor is unknown are left out.
        """
        from artgen.recipe import Lineage

        lineages: dict[int, Lineage] = {}
        for number, parent in self.database.read_parents().items():  # a parent has the smaller number
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
        self.database.unqueue_variation(number)

    def queued_variations(self) -> list[tuple[int, int]]:
        """Return number and parent of every variation that is queued and not generated yet."""
        return self.database.list_queued_variations()

    def read_fact(self, name: str) -> str | None:
        """Read a stored fact about the run, such as the folder of its recipe; None if it is not stored."""
        return self.database.read_fact(name)

    def write_fact(self, name: str, value: str) -> None:
        """Store a fact about the run under a name, in place of the fact stored there."""
        self.database.write_fact(name, value)
