"""What the artist decided: actions appended to ``decisions.jsonl``, undone and redone.

The file is the truth; the table in the database is an index of it. Undoing deletes nothing: it is one more
action, with the values from before. All tabs and processes share one history.
"""

from __future__ import annotations

import getpass
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from artgen.errors import ArtgenError
from artgen.runs import decision_log
from artgen.runs.database import Database
from artgen.runs.history import KEPT, REJECTED, Acted, Action, Change, History, Step, Value

LONGEST = {"title": 200, "alt": 1000}
LONGEST_NAME = 200
MOST_STARS = 5
INDEXED = "decisions indexed"
"""The fact that holds the stamp of the file that the table was made from."""
_ACTION = re.compile(r"[0-9a-f]{8,64}")
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


class Decisions:
    """The decisions of one run.

    Args:
        folder: the run's.
        database: its open database.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder, self._database = folder, database
        self._history, self._seen = History(), 0

    @property
    def history(self) -> History:
        """Everything decided up to now, by whichever process."""
        for last, action in self._database.actions(self._seen):
            self._history.take(action)
            self._seen = last
        return self._history

    def newer(self, since: int) -> tuple[list[Change], int]:
        """Rows after row ``since``, and the id of the last."""
        rows: list[Change] = []
        for last, action in self._database.actions(since):
            rows += action.rows
            since = last
        if any(row.field == "round" for row in rows):
            history = self.history
            rows += [Change(number, "round", history.value(number, "round")) for number in history.joined]
        return rows, since

    def index(self) -> None:
        """Make the table the same as the file, if the file has changed since it was.

        Actions that the file has lost are first put back into it from the table.

        Raises:
            WriteError: the disk is full or the folder not writable.
        """
        if self._database.fact(INDEXED) == decision_log.stamp(self._folder):
            return
        with self._database.together():
            actions = list(decision_log.replay(self._folder))
            indexed = [action for _, action in self._database.actions(0)]
            known = {action.action for action in indexed}
            if known - {action.action for action in actions}:
                actions = indexed + [action for action in actions if action.action not in known]
                decision_log.rewrite(self._folder, actions)
            if actions != indexed:
                self._database.rewrite(actions)
                self._history, self._seen = History(), 0
            self._database.remember(INDEXED, decision_log.stamp(self._folder))

    def decide(self, changes: Sequence[Change], *, who: str, view: str, action: str | None = None) -> Acted:
        """Write changes as one action. On disk when this returns.

        The same action again writes nothing. A kept one of an earlier round comes up to the current round.

        Raises:
            ArtgenError: no such candidate or field, a value that it cannot have, or the disk is full.
        """
        changes = tuple(changes)
        if not changes:
            raise ArtgenError("decision", "nothing to decide", "at least one change")

        def step(history: History) -> Step:
            current = history.round
            for change in changes:
                _check(change, current)
            self._check_there(change.candidate for change in changes)
            lifted = [
                Change(change.candidate, "round", current)
                for change in changes
                if change[1:] == ("mark", KEPT) and history.value(change.candidate, "round") != current
            ]
            return "do", None, (*changes, *lifted)

        return self._new(step, who, view, action)

    def next_round(self, *, who: str, view: str, action: str | None = None) -> Acted:
        """Every kept candidate goes on to the next round, undecided; the others stay behind.

        Raises:
            ArtgenError: nothing is kept, or the disk is full.
        """

        def step(history: History) -> Step:
            kept = [number for number in history.kept() if self._database.has(number)]
            if not kept:
                found = "nothing is kept, so nothing would go on"
                raise ArtgenError("next round", found, "keep a few candidates first")
            fields = (("round", history.round + 1), ("mark", None))
            return "do", None, [Change(number, field, value) for number in kept for field, value in fields]

        return self._new(step, who, view, action)

    def join(self, number: int) -> None:
        """Let a candidate that is about to be added begin in the current round: it is there to be judged."""
        if self.history.round > 1:
            self._new(
                lambda history: ("join", None, [Change(number, "round", history.round)]),
                *("artgen", "arrival", None),
            )

    def undo(self, *, who: str, view: str, action: str | None = None) -> Acted | None:
        """Take back the last action that is not taken back; None when there is none."""
        return self._act(History.undoing, who, view, action)

    def redo(self, *, who: str, view: str, action: str | None = None) -> Acted | None:
        """Do again what was undone last; None when there is nothing."""
        return self._act(History.redoing, who, view, action)

    def _new(self, step: Callable[[History], Step], who: str, view: str, action: str | None) -> Acted:
        acted = self._act(step, who, view, action)
        assert acted is not None
        return acted

    def _act(
        self, step: Callable[[History], Step | None], who: str, view: str, action: str | None
    ) -> Acted | None:
        action = uuid.uuid4().hex if action is None else action
        if not _ACTION.fullmatch(action):
            raise ArtgenError("decision", "its id is no hexadecimal number", "8 to 64 digits")
        with self._database.together():  # from here to the end, no other process decides
            self.index()  # a process may have been killed after it had written its line
            history = self.history
            if not history.knows(action):
                taken = step(history)
                if taken is None:
                    return None
                kind, of, rows = taken
                entry = Action(now(), who[:LONGEST_NAME], view[:LONGEST_NAME], action, kind, of, tuple(rows))
                self._database.write(entry)
                decision_log.append(self._folder, entry)  # last: what the database refuses is not decided
                self._database.remember(INDEXED, decision_log.stamp(self._folder))
        return self.history.acted(action)

    def _check_there(self, numbers: Iterable[int]) -> None:
        for number in dict.fromkeys(numbers):
            if not self._database.has(number):
                raise ArtgenError("decision", f"no candidate {number}", "the number of one that is there")


def _check(change: Change, current: int) -> None:
    value = change.value
    match change.field:
        case "mark":
            sound, right = value in (None, KEPT, REJECTED), f"{KEPT}, {REJECTED} or null"
        case "stars":
            sound, right = type(value) is int and 0 <= value <= MOST_STARS, f"0 to {MOST_STARS}"
        case "round":
            sound, right = type(value) is int and 1 <= value <= current, f"1 to {current}"
        case "title" | "alt":
            sound, right = (
                _is_text(value, LONGEST[change.field]),
                f"text of at most {LONGEST[change.field]} characters, no control characters",
            )
        case _:
            raise ArtgenError("decision", f"no field {change.field!r}", "mark, stars, round, title or alt")
    if not sound:
        found = f"{change.field} of candidate {change.candidate} is {value!r:.60}"
        raise ArtgenError("decision", found, right)


def _is_text(value: Value, longest: int) -> bool:
    """Whether it can be shown everywhere: no control characters, none that turn the text around it."""
    if not isinstance(value, str) or len(value) > longest:
        return False
    kinds = {unicodedata.category(character) for character in value.replace("\n", "")}
    return not kinds & {"Cc", "Cs"} and not _TURNING.search(value)


def artist() -> str:
    """Who decides: the name of the operating system's user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a number without a name, as in a container
        return "artist"


def now() -> str:
    """The time as decisions record it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
