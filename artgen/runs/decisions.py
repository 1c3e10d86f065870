"""Decisions of the artist: actions that are appended to ``decisions.jsonl``, undone and redone.

The table in the database is only an index of that file. Undoing deletes nothing: it appends another action
with the previous values. All browser tabs and processes share one history.
"""

from __future__ import annotations

import getpass
import re
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.runs import decision_log
from artgen.runs.database import RunDatabase
from artgen.runs.history import (
    KEPT_MARK,
    REJECTED_MARK,
    ActionResult,
    DecisionAction,
    DecisionChange,
    DecisionHistory,
    DecisionValue,
    PendingAction,
)

MAX_TEXT_CHARACTERS = {"title": 200, "alt": 1000}
MAX_ARTIST_NAME_CHARACTERS = 200
MAX_STARS = 5
INDEXED_DECISIONS_FACT = "decisions indexed"
"""Name of the fact that stores the stamp of the file which the table was built from."""
_ACTION_ID = re.compile(r"[0-9a-f]{8,64}")
_BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class DecisionStore:
    """The artist's decisions about one run, in ``decisions.jsonl`` and in the database's index.

    Args:
        folder: the run's folder.
        database: the run's open database.
    """

    def __init__(self, folder: Path, database: RunDatabase) -> None:
        self._folder, self._database = folder, database
        self._history, self._last_read_id = DecisionHistory(), 0

    @property
    def history(self) -> DecisionHistory:
        """The history of all decisions up to now, by any process."""
        for last_id, action in self._database.read_actions(self._last_read_id):
            self._history.apply(action)
            self._last_read_id = last_id
        return self._history

    def changes_since(self, after_id: int) -> tuple[list[DecisionChange], int]:
        """Return the changes after row ``after_id`` of the index, and the id of the last row.

        If a round changed, the present rounds of candidates that joined one are among the changes.
        """
        changes: list[DecisionChange] = []
        for last_id, action in self._database.read_actions(after_id):
            changes += action.rows
            after_id = last_id
        if any(change.field == "round" for change in changes):
            history = self.history
            changes += [
                DecisionChange(number, "round", history.value(number, "round"))
                for number in history.joined_numbers
            ]
        return changes, after_id

    def update_index(self, *, read_only: bool = False) -> None:
        """Update the database's index to the content of ``decisions.jsonl``, if that has changed.

        Actions that the file has lost are first written back to it from the table.

        Args:
            read_only: never write the file; only the table, which is a copy.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        if self._database.read_fact(INDEXED_DECISIONS_FACT) == decision_log.file_stamp(self._folder):
            return
        with self._database.transaction():
            file_actions = list(decision_log.read_actions(self._folder))
            indexed_actions = [action for _, action in self._database.read_actions(0)]
            indexed_ids = {action.action for action in indexed_actions}
            if indexed_ids - {action.action for action in file_actions}:
                file_actions = indexed_actions + [
                    action for action in file_actions if action.action not in indexed_ids
                ]
                if not read_only:
                    decision_log.rewrite_actions(self._folder, file_actions)
            if file_actions != indexed_actions:
                self._database.replace_actions(file_actions)
                self._history, self._last_read_id = DecisionHistory(), 0
            self._database.write_fact(INDEXED_DECISIONS_FACT, decision_log.file_stamp(self._folder))

    def decide(
        self, changes: Sequence[DecisionChange], *, author: str, view: str, action_id: str | None = None
    ) -> ActionResult | None:
        """Write the artist's changes as one action; it is on disk when this returns.

        An action whose id is known writes nothing. A kept candidate of an earlier round moves to the current
        round.

        Args:
            changes: at least one.
            author: who decided.
            view: the page or command in which it was decided.
            action_id: 8 to 64 hexadecimal digits; None makes a new id.

        Raises:
            ArtgenError: there is no such candidate or field, a value is not valid, or the disk is full.
        """
        if not changes:
            raise ArtgenError("decision", "nothing to decide", "at least one change")

        def build_action(history: DecisionHistory) -> PendingAction:
            current_round = history.current_round
            for change in changes:
                _check_change(change, current_round)
            for number in dict.fromkeys(change.candidate for change in changes):
                if not self._database.has_candidate(number):
                    expected = "the number of an existing candidate"
                    raise ArtgenError("decision", f"no candidate {number}", expected)
            advanced = [
                DecisionChange(change.candidate, "round", current_round)
                for change in changes
                if change[1:] == ("mark", KEPT_MARK)
                and history.value(change.candidate, "round") != current_round
            ]
            return "do", None, (*changes, *advanced)

        return self._write_action(build_action, author, view, action_id)

    def start_next_round(
        self, *, author: str, view: str, action_id: str | None = None
    ) -> ActionResult | None:
        """Move every kept candidate to the next round, undecided; the others stay in theirs.

        Args:
            author: who decided.
            view: the page or command in which it was decided.
            action_id: 8 to 64 hexadecimal digits; None makes a new id.

        Raises:
            ArtgenError: nothing is kept, or the disk is full.
        """

        def build_action(history: DecisionHistory) -> PendingAction:
            numbers = [number for number in history.kept_numbers() if self._database.has_candidate(number)]
            if not numbers:
                problem = "nothing is kept, so the next round would be empty"
                raise ArtgenError("next round", problem, "keep a few candidates first")
            fields = (("round", history.current_round + 1), ("mark", None))
            changes = (DecisionChange(number, field, value) for number in numbers for field, value in fields)
            return "do", None, tuple(changes)

        return self._write_action(build_action, author, view, action_id)

    def join_current_round(self, number: int) -> None:
        """Put a new candidate into the current round, in which it can be judged."""
        if self.history.current_round > 1:
            self._write_action(
                lambda history: ("join", None, (DecisionChange(number, "round", history.current_round),)),
                author="artgen",
                view="arrival",
            )

    def undo(self, *, author: str, view: str, action_id: str | None = None) -> ActionResult | None:
        """Undo the artist's last action that is not undone yet; return None if there is none."""
        return self._write_action(DecisionHistory.next_undo, author, view, action_id)

    def redo(self, *, author: str, view: str, action_id: str | None = None) -> ActionResult | None:
        """Redo the artist's action undone last; return None if there is none."""
        return self._write_action(DecisionHistory.next_redo, author, view, action_id)

    def _write_action(
        self,
        build_action: Callable[[DecisionHistory], PendingAction | None],
        author: str,
        view: str,
        action_id: str | None = None,
    ) -> ActionResult | None:
        """Write the action that ``build_action`` makes from the history, unless its id is known.

        Returns:
            What it changed; None if ``build_action`` returned None.
        """
        action_id = uuid.uuid4().hex if action_id is None else action_id
        if not _ACTION_ID.fullmatch(action_id):
            raise ArtgenError("decision", "its id is no hexadecimal number", "8 to 64 digits")
        with self._database.transaction():  # until its end no other process writes
            self.update_index()  # a process may have been killed between file and table
            history = self.history
            if not history.has_action(action_id):
                pending_action = build_action(history)
                if pending_action is None:
                    return None
                origin = author[:MAX_ARTIST_NAME_CHARACTERS], view[:MAX_ARTIST_NAME_CHARACTERS], action_id
                action = DecisionAction(utc_timestamp(), *origin, *pending_action)
                self._database.append_action(action)
                decision_log.append_action(
                    self._folder, action
                )  # last: what the database refuses is not decided
                self._database.write_fact(INDEXED_DECISIONS_FACT, decision_log.file_stamp(self._folder))
        return self.history.result_of(action_id)


def _check_change(change: DecisionChange, current_round: int) -> None:
    """Raise an error if a decision's field does not exist or cannot have the value."""
    value, max_characters = change.value, MAX_TEXT_CHARACTERS.get(change.field, 0)
    match change.field:
        case "mark":
            is_valid = value in (None, KEPT_MARK, REJECTED_MARK)
            expected = f"{KEPT_MARK}, {REJECTED_MARK} or null"
        case "stars":
            is_valid, expected = type(value) is int and 0 <= value <= MAX_STARS, f"0 to {MAX_STARS}"
        case "round":
            is_valid, expected = type(value) is int and 1 <= value <= current_round, f"1 to {current_round}"
        case "title" | "alt":
            is_valid = _is_displayable_text(value, max_characters)
            expected = f"text of at most {max_characters} characters, no control characters"
        case _:
            raise ArtgenError("decision", f"no field {change.field!r}", "mark, stars, round, title or alt")
    if not is_valid:
        problem = f"{change.field} of candidate {change.candidate} is {value!r:.60}"
        raise ArtgenError("decision", problem, expected)


def _is_displayable_text(value: DecisionValue, max_characters: int) -> bool:
    """Return whether a title or description is text without control or reversing characters."""
    if not isinstance(value, str) or len(value) > max_characters:
        return False
    categories = {unicodedata.category(character) for character in value.replace("\n", "")}
    return not categories & {"Cc", "Cs"} and not _BIDI_CONTROLS.search(value)


def current_user_name() -> str:
    """Return the name of the operating system's user, or ``artist`` if it has none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in a container
        return "artist"


def utc_timestamp() -> str:
    """Return the present time in UTC as ISO 8601, with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
