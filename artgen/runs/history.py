"""What the rows of decisions come to: every value as it is now, and what can be undone and redone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

KEPT, REJECTED = "kept", "rejected"
Value = str | int | None
Kind = Literal["do", "undo", "redo", "join"]
Step = tuple[Kind, str | None, Sequence["Change"]]
"""The kind of an action that is about to be written, the action that it undoes or redoes, its changes."""
UNDECIDED: dict[str, Value] = {"mark": None, "stars": 0, "round": 1, "title": "", "alt": ""}
"""Every field of a candidate that an artist decides, as it is before anything is decided."""


class Change(NamedTuple):
    """One field of one candidate set to a value."""

    candidate: int
    field: str
    value: Value


@dataclass(frozen=True)
class Acted:
    """What an action did.

    Args:
        action: its id.
        rows: the fields that it touched, as they now are.
    """

    action: str
    rows: tuple[Change, ...]


class Action(NamedTuple):
    """Changes made at once, undone at once.

    Args:
        at: when, UTC, ISO 8601.
        who: who decided.
        view: what they saw when they did.
        action: its id, hexadecimal.
        kind: ``do``, or the undoing or redoing of another; ``join``: a new candidate begins in the current
            round, which nobody decided and nothing undoes.
        of: the id of that other, which was a ``do``.
        rows: the changes, in order.
    """

    at: str
    who: str
    view: str
    action: str
    kind: Kind
    of: str | None
    rows: tuple[Change, ...]


class History:
    """Actions in the order in which they were written, those of all tabs and processes together.

    Attributes:
        kept_at: when each candidate was last marked as kept, UTC, ISO 8601, the latest at the end;
            those that are not kept any more are among them.
    """

    def __init__(self) -> None:
        self.kept_at: dict[int, str] = {}
        self._values: dict[int, dict[str, Value]] = {}
        self._joined: dict[int, int] = {}
        self._round: int | None = None
        self._rows: dict[str, tuple[Change, ...]] = {}
        self._before: dict[str, tuple[Change, ...]] = {}
        self._marked: dict[int, None] = {}
        self._done: list[str] = []
        self._undone: list[str] = []

    def take(self, action: Action) -> None:
        """Follow one more action; one that is known already changes nothing."""
        if action.action in self._rows:
            return
        if action.kind == "join":
            self._rows[action.action] = action.rows
            self._joined |= {row.candidate: int(row.value or 1) for row in action.rows}
            return
        touched = dict.fromkeys((row.candidate, row.field) for row in action.rows)
        before = tuple(Change(*key, self.value(*key)) for key in touched)
        self._round = None
        for row in action.rows:
            self._values.setdefault(row.candidate, {})[row.field] = row.value
            if row.field == "mark":
                self._marked.pop(row.candidate, None)
                self._marked[row.candidate] = None
                if row.value == KEPT:
                    self.kept_at.pop(row.candidate, None)
                    self.kept_at[row.candidate] = action.at
        self._rows[action.action] = action.rows
        if action.kind == "do" or action.of is None:
            self._before[action.action] = before
            self._done.append(action.action)
            self._undone.clear()
        elif action.kind == "undo":
            _move(action.of, self._done, self._undone)
        else:
            _move(action.of, self._undone, self._done)

    def value(self, candidate: int, field: str) -> Value:
        """A field as it is now."""
        return self.values(candidate).get(field, UNDECIDED[field])

    def values(self, candidate: int) -> dict[str, Value]:
        """Every field that was ever decided of a candidate; not to be changed."""
        values = self._values.get(candidate, {})
        if candidate in self._joined and "round" not in values:
            # Not beyond the current round, for beginning that may have been undone since.
            return {"round": min(self._joined[candidate], self.round), **values}
        return values

    @property
    def joined(self) -> list[int]:
        """Numbers of the candidates that came in a later round and whose round nobody decided."""
        return [number for number in self._joined if "round" not in self._values.get(number, {})]

    def marked(self) -> list[int]:
        """Candidates whose mark was ever decided, the one decided last at the end."""
        return list(self._marked)

    def kept(self) -> list[int]:
        """Numbers of the candidates that are kept now, rising."""
        return sorted(number for number, fields in self._values.items() if fields.get("mark") == KEPT)

    @property
    def round(self) -> int:
        """The current round: the highest that any candidate has reached by being kept."""
        if self._round is None:
            self._round = max((int(fields.get("round") or 1) for fields in self._values.values()), default=1)
        return self._round

    def knows(self, action: str) -> bool:
        """Whether an action of this id was written."""
        return action in self._rows

    def acted(self, action: str) -> Acted:
        """Return each field that a known action touched as it is now; with a round those that came in it."""
        keys = dict.fromkeys((row.candidate, row.field) for row in self._rows[action])
        if any(field == "round" for _, field in keys):
            keys |= dict.fromkeys((number, "round") for number in self.joined)
        return Acted(action, tuple(Change(*key, self.value(*key)) for key in keys))

    @property
    def undoable(self) -> int:
        """How many actions can be undone."""
        return len(self._done)

    @property
    def redoable(self) -> int:
        """How many can be done again."""
        return len(self._undone)

    def undoing(self) -> Step | None:
        """Return the step that takes back the last action, if there is one."""
        return ("undo", self._done[-1], self._before[self._done[-1]]) if self._done else None

    def redoing(self) -> Step | None:
        """Return the step that does again the action last undone, if there is one."""
        return ("redo", self._undone[-1], self._rows[self._undone[-1]]) if self._undone else None


def _move(action: str, source: list[str], target: list[str]) -> None:
    # Where a damaged line was lost, or a process was killed as it wrote one, it may not be the last.
    if action in source:
        source.remove(action)
        target.append(action)
