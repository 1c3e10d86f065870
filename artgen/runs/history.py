"""The history of decisions: present values of all candidates, and what can be undone and redone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

KEPT_MARK, REJECTED_MARK = "kept", "rejected"
DecisionValue = str | int | None
ActionKind = Literal["do", "undo", "redo", "join"]
PendingAction = tuple[ActionKind, str | None, tuple["DecisionChange", ...]]
"""The kind of an action to be written, the id of the action that it undoes or redoes, and its changes."""
UNDECIDED_VALUES: dict[str, DecisionValue] = {"mark": None, "stars": 0, "round": 1, "title": "", "alt": ""}
"""Every field of a candidate that the artist decides, with its value before any decision."""


class DecisionChange(NamedTuple):
    """A decision that sets one field of one candidate to a value."""

    candidate: int
    field: str
    value: DecisionValue


@dataclass(frozen=True)
class ActionResult:
    """The outcome of an action on decisions, as the page gets it.

    Args:
        action_id: the id of the action.
        changes: the fields that it changed, with their present values.
    """

    action_id: str
    changes: tuple[DecisionChange, ...]


class DecisionAction(NamedTuple):
    """The artist's decisions that were made together and are undone together.

    Args:
        at: time, UTC, ISO 8601.
        who: who decided.
        view: the page or command in which it was decided.
        action: the id of the action, hexadecimal.
        kind: ``do``; ``undo`` or ``redo`` of another action; or ``join``: a new candidate begins in the
            current round, which nobody decided and nothing undoes.
        of: the id of that other action, which was a ``do``.
        rows: the changes, in order.
    """

    at: str
    who: str
    view: str
    action: str
    kind: ActionKind
    of: str | None
    rows: tuple[DecisionChange, ...]


class DecisionHistory:
    """The history of actions in the order in which all tabs and processes wrote them.

    Attributes:
        kept_times: when each candidate was last marked as kept, UTC, ISO 8601, the latest at the end;
            includes candidates that are no longer kept.
    """

    def __init__(self) -> None:
        self.kept_times: dict[int, str] = {}
        self._values: dict[int, dict[str, DecisionValue]] = {}
        self._joined_rounds: dict[int, int] = {}
        self._cached_round: int | None = None
        self._changes_by_action: dict[str, tuple[DecisionChange, ...]] = {}
        self._previous_changes: dict[str, tuple[DecisionChange, ...]] = {}
        self._marked_numbers: dict[int, None] = {}
        self._undoable_ids: list[str] = []
        self._redoable_ids: list[str] = []

    def apply(self, action: DecisionAction) -> None:
        """Apply one more action of the artist; an action that is known already changes nothing."""
        if action.action in self._changes_by_action:
            return
        if action.kind == "join":
            self._changes_by_action[action.action] = action.rows
            self._joined_rounds |= {change.candidate: int(change.value or 1) for change in action.rows}
            return
        changed_fields = dict.fromkeys((change.candidate, change.field) for change in action.rows)
        previous_changes = tuple(DecisionChange(*key, self.value(*key)) for key in changed_fields)
        self._cached_round = None
        for change in action.rows:
            self._values.setdefault(change.candidate, {})[change.field] = change.value
            if change.field == "mark":
                self._marked_numbers.pop(change.candidate, None)
                self._marked_numbers[change.candidate] = None
                if change.value == KEPT_MARK:
                    self.kept_times.pop(change.candidate, None)
                    self.kept_times[change.candidate] = action.at
        self._changes_by_action[action.action] = action.rows
        if action.kind == "do" or action.of is None:
            self._previous_changes[action.action] = previous_changes
            self._undoable_ids.append(action.action)
            self._redoable_ids.clear()
        elif action.kind == "undo":
            _move_id(action.of, self._undoable_ids, self._redoable_ids)
        else:
            _move_id(action.of, self._redoable_ids, self._undoable_ids)

    def value(self, candidate: int, field: str) -> DecisionValue:
        """Return the present value of a field that the artist decides about a candidate."""
        return self.values(candidate).get(field, UNDECIDED_VALUES[field])

    def values(self, candidate: int) -> dict[str, DecisionValue]:
        """Return the present values of a candidate's decided fields; do not modify them."""
        values = self._values.get(candidate, {})
        if candidate in self._joined_rounds and "round" not in values:
            # At most the current round: the start of the round that it joined may have been undone.
            return {"round": min(self._joined_rounds[candidate], self.current_round), **values}
        return values

    @property
    def joined_numbers(self) -> list[int]:
        """Numbers of the candidates that were added in a later round, and whose round nobody decided."""
        return [number for number in self._joined_rounds if "round" not in self._values.get(number, {})]

    def marked_numbers(self) -> list[int]:
        """Return the numbers of the candidates whose mark was ever decided, the latest at the end."""
        return list(self._marked_numbers)

    def kept_numbers(self) -> list[int]:
        """Return the numbers of the candidates that are kept now, rising."""
        return sorted(number for number, fields in self._values.items() if fields.get("mark") == KEPT_MARK)

    @property
    def current_round(self) -> int:
        """The highest round that any candidate has reached by being kept."""
        if self._cached_round is None:
            self._cached_round = max(
                (int(fields.get("round") or 1) for fields in self._values.values()), default=1
            )
        return self._cached_round

    def has_action(self, action_id: str) -> bool:
        """Return whether an action of this id was written to the history of decisions."""
        return action_id in self._changes_by_action

    def result_of(self, action_id: str) -> ActionResult:
        """Return the present values of the fields that a known action decided.

        If it changed a round, the rounds of candidates that joined one are among them.
        """
        keys = dict.fromkeys(
            (change.candidate, change.field) for change in self._changes_by_action[action_id]
        )
        if any(field == "round" for _, field in keys):
            keys |= dict.fromkeys((number, "round") for number in self.joined_numbers)
        return ActionResult(action_id, tuple(DecisionChange(*key, self.value(*key)) for key in keys))

    @property
    def undo_count(self) -> int:
        """Number of decisions' actions that can be undone."""
        return len(self._undoable_ids)

    @property
    def redo_count(self) -> int:
        """Number of decisions' actions that can be redone."""
        return len(self._redoable_ids)

    def next_undo(self) -> PendingAction | None:
        """Return the action that undoes the artist's last one; None if there is none."""
        if not self._undoable_ids:
            return None
        target_id = self._undoable_ids[-1]
        return "undo", target_id, self._previous_changes[target_id]

    def next_redo(self) -> PendingAction | None:
        """Return the action that redoes the artist's one undone last; None if there is none."""
        if not self._redoable_ids:
            return None
        target_id = self._redoable_ids[-1]
        return "redo", target_id, self._changes_by_action[target_id]


def _move_id(action_id: str, source: list[str], target: list[str]) -> None:
    """Move an action's id from the list of undoable ones to the other, if it is in the first."""
    # It may be missing or not the last: lines of the file can be damaged.
    if action_id in source:
        source.remove(action_id)
        target.append(action_id)
