"""Decisions in the file and in its index, undone and redone, shared by all processes."""

from __future__ import annotations

import json
import multiprocessing
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artgen.errors import ArtgenError
from artgen.runs.candidate import Candidate
from artgen.runs.database import RunDatabase
from artgen.runs.decision_log import append_action, read_actions
from artgen.runs.decisions import DecisionStore
from artgen.runs.history import UNDECIDED_VALUES, DecisionAction, DecisionChange
from artgen.runs.store import Run

Make = Callable[..., Path]
AUTHOR = {"author": "ada", "view": "sheet"}
FIELDS = {
    "mark": st.sampled_from(["kept", "rejected", None]),
    "stars": st.integers(0, 5),
    "title": st.text(max_size=6).filter(lambda text: text.isprintable()),
    "alt": st.sampled_from(["", "a wave", "☂ <b>"]),
}
CHANGES = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda field: st.builds(DecisionChange, st.integers(1, 4), st.just(field), FIELDS[field])
)
DOINGS = st.one_of(
    st.lists(CHANGES, min_size=1, max_size=4), st.sampled_from(["undo", "undo", "redo", "round", "reopen"])
)


class SnapshotHistory:
    """The simplest possible undo: a copy of all values for each action."""

    def __init__(self) -> None:
        self.states: list[dict[tuple[int, str], Any]] = [{}]
        self.at = 0

    def value(self, number: int, field: str) -> Any:
        return self.states[self.at].get((number, field), UNDECIDED_VALUES[field])

    def do(self, changes: list[DecisionChange]) -> None:
        state = dict(self.states[self.at])
        current = max((state.get((number, "round"), 1) for number in range(1, 5)), default=1)
        for number, field, value in changes:
            state[number, field] = value
            if (field, value) == ("mark", "kept"):
                state[number, "round"] = current
        self.states[self.at + 1 :] = [state]
        self.at += 1

    def round(self) -> bool:
        kept = [number for number in range(1, 5) if self.value(number, "mark") == "kept"]
        current = max(self.value(number, "round") for number in range(1, 5))
        state = dict(self.states[self.at])
        for number in kept:
            state |= {(number, "round"): current + 1, (number, "mark"): None}
        if kept:
            self.states[self.at + 1 :] = [state]
            self.at += 1
        return bool(kept)


def small_run(folder: Path, count: int = 4) -> Run:
    for name in ("recipe.toml", "run.db"):
        (folder / name).touch()
    database = RunDatabase(folder / "run.db", new=True)
    for number in range(1, count + 1):
        database.add_candidate(Candidate(number, 1, folder / "x", folder / "x", 8, 8, "", {}, ()))
    return Run(folder, database)


@given(st.lists(DOINGS, max_size=25))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sequence_of_doing_undoing_and_redoing_is_as_a_simple_model(doings: list[Any]) -> None:
    model = SnapshotHistory()
    with TemporaryDirectory() as place:
        folder = Path(place)
        run, other = small_run(folder), Run.open(folder)
        for doing in doings:
            match doing:
                case "undo":
                    assert (run.decisions.undo(**AUTHOR) is None) == (model.at == 0)
                    model.at = max(0, model.at - 1)
                case "redo":
                    assert (run.decisions.redo(**AUTHOR) is None) == (model.at + 1 == len(model.states))
                    model.at = min(len(model.states) - 1, model.at + 1)
                case "round":
                    if model.round():
                        run.decisions.start_next_round(**AUTHOR)
                    else:
                        with pytest.raises(ArtgenError, match="nothing is kept"):
                            run.decisions.start_next_round(**AUTHOR)
                case "reopen":
                    run.close()
                    run, other = other, Run.open(folder)
                case changes:
                    acted = run.decisions.decide(changes, **AUTHOR)
                    model.do(changes)
                    assert all(model.value(row.candidate, row.field) == row.value for row in acted.changes)
            for seen in (run, other):
                assert (seen.decisions.history.undo_count, seen.decisions.history.redo_count) == (
                    model.at,
                    len(model.states) - 1 - model.at,
                )
                for one in seen.candidates():
                    found = {field: getattr(one, field) for field in UNDECIDED_VALUES}
                    assert found == {field: model.value(one.index, field) for field in UNDECIDED_VALUES}
        # The file alone says the same.
        again = RunDatabase(folder / "again.db", new=True)
        for action in read_actions(folder):
            again.append_action(action)
        history = DecisionStore(folder, again).history
        assert (history.undo_count, history.redo_count) == (
            run.decisions.history.undo_count,
            run.decisions.history.redo_count,
        )
        assert all(history.value(n, f) == model.value(n, f) for n in range(1, 5) for f in UNDECIDED_VALUES)
        for open_ in (run, other, again):
            open_.close()


def test_undo_goes_back_over_150_actions_and_a_restart(tmp_path: Path) -> None:
    with small_run(tmp_path) as run:
        for step in range(150):
            run.decisions.decide([DecisionChange(1 + step % 4, "stars", 1 + step % 5)], **AUTHOR)
    with Run.open(tmp_path) as run:
        for left in reversed(range(150)):
            assert run.decisions.undo(**AUTHOR) is not None
            assert (run.decisions.history.undo_count, run.decisions.history.redo_count) == (left, 150 - left)
        assert [candidate.stars for candidate in run.candidates()] == [0, 0, 0, 0]
        assert run.decisions.undo(**AUTHOR) is None
        while run.decisions.redo(**AUTHOR):
            pass
        assert [candidate.stars for candidate in run.candidates()] == [4, 5, 2, 3]
    with closing(sqlite3.connect(tmp_path / "run.db")) as database:
        rows = database.execute("SELECT count(*) FROM decisions").fetchone()
    assert rows == (450,)


def test_the_same_action_twice_is_written_once(tmp_path: Path) -> None:
    with small_run(tmp_path) as run, Run.open(tmp_path) as other:
        changes = [DecisionChange(1, "mark", "kept"), DecisionChange(2, "mark", "rejected")]
        first = run.decisions.decide(changes, **AUTHOR, action_id="ab" * 16)
        again = other.decisions.decide(changes, **AUTHOR, action_id="ab" * 16)
        assert first == again
        assert (run.decisions.history.undo_count, other.decisions.history.undo_count) == (1, 1)
        went = run.decisions.start_next_round(**AUTHOR, action_id="cd" * 16)
        assert other.decisions.start_next_round(**AUTHOR, action_id="cd" * 16) == went
        assert run.candidate(1).round == 2
        with pytest.raises(ArtgenError, match="its id is no hexadecimal number"):
            run.decisions.decide(changes, **AUTHOR, action_id="../x")
    assert len((tmp_path / "decisions.jsonl").read_text().splitlines()) == 2


def test_rounds(tmp_path: Path) -> None:
    with small_run(tmp_path) as run:
        run.decisions.decide([DecisionChange(1, "mark", "kept"), DecisionChange(2, "mark", "kept")], **AUTHOR)
        run.decisions.decide([DecisionChange(3, "mark", "rejected")], **AUTHOR)
        run.decisions.start_next_round(**AUTHOR)
        assert [(c.round, c.mark) for c in run.candidates()] == [
            (2, None),
            (2, None),
            (1, "rejected"),
            (1, None),
        ]
        run.decisions.decide([DecisionChange(4, "mark", "kept")], **AUTHOR)
        assert run.candidate(4).round == 2
        run.decisions.start_next_round(**AUTHOR)
        assert [c.round for c in run.candidates()] == [2, 2, 1, 3]
        run.decisions.undo(**AUTHOR)
        run.decisions.undo(**AUTHOR)
        assert [(c.round, c.mark) for c in run.candidates()][3] == (1, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (DecisionChange(99, "mark", "kept"), "no candidate 99"),
        (DecisionChange(1, "colour", "red"), "no field 'colour'"),
        (DecisionChange(1, "mark", "picked"), "mark of candidate 1 is 'picked'; kept, rejected or null"),
        (DecisionChange(1, "mark", True), "mark of candidate 1 is True"),
        (DecisionChange(1, "stars", 6), "stars of candidate 1 is 6; 0 to 5"),
        (DecisionChange(1, "stars", True), "0 to 5"),
        (DecisionChange(1, "round", 2), "1 to 1"),
        (DecisionChange(1, "title", "x" * 201), "at most 200 characters"),
        (DecisionChange(1, "alt", "x" * 1001), "at most 1000 characters"),
        (DecisionChange(1, "title", "\ud800"), "at most 200 characters"),
        (DecisionChange(1, "title", None), "at most 200 characters"),
    ],
)
def test_what_cannot_be_decided_is_refused_whole(
    tmp_path: Path, change: DecisionChange, message: str
) -> None:
    with small_run(tmp_path) as run:
        with pytest.raises(ArtgenError, match=message):
            run.decisions.decide([DecisionChange(1, "mark", "kept"), change], **AUTHOR)
        assert (run.decisions.history.undo_count, run.picks()) == (0, [])
        with pytest.raises(ArtgenError, match="nothing to decide"):
            run.decisions.decide([], **AUTHOR)
    assert not (tmp_path / "decisions.jsonl").exists()


def decide_much(folder: Path, number: int) -> None:
    with Run.open(folder) as run:
        for step in range(60):
            run.decisions.decide(
                [DecisionChange(number, "stars", 1 + step % 5)], author=f"process {number}", view="sheet"
            )
            if step % 3 == 0:
                run.decisions.undo(author=f"process {number}", view="sheet")


def test_two_processes_decide_at_once(tmp_path: Path) -> None:
    small_run(tmp_path).close()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=decide_much, args=(tmp_path, number)) for number in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    with Run.open(tmp_path) as run:
        assert run.decisions.history.undo_count == 80
        before, undoable = run.candidates(), run.decisions.history.undo_count
        (tmp_path / "run.db").rename(tmp_path / "kept.db")
        history = DecisionStore(tmp_path, RunDatabase(tmp_path / "kept.db")).history
        assert history.undo_count == undoable
    again = RunDatabase(tmp_path / "again.db", new=True)
    for action in read_actions(tmp_path):
        again.append_action(action)
    history = DecisionStore(tmp_path, again).history
    assert history.undo_count == undoable
    assert [history.value(c.index, "stars") for c in before] == [c.stars for c in before]


def test_a_disk_that_is_full_decides_nothing(tmp_path: Path) -> None:
    with small_run(tmp_path) as run:
        (tmp_path / "decisions.jsonl").mkdir()
        with pytest.raises(ArtgenError, match="could not be written"):
            run.decisions.decide([DecisionChange(1, "mark", "kept")], **AUTHOR)
        assert (run.picks(), run.decisions.history.undo_count) == ([], 0)
        (tmp_path / "decisions.jsonl").rmdir()
        run.decisions.decide([DecisionChange(1, "mark", "kept")], **AUTHOR)
        assert [candidate.index for candidate in run.picks()] == [1]


def lose_the_file(file: Path) -> None:
    file.unlink()


def lose_the_end(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def lose_lines_inside(file: Path) -> None:
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:1], b"{damaged\n", *lines[3:]]))


def lose_nothing(file: Path) -> None:
    assert file.is_file()


@pytest.mark.parametrize("lose", [lose_the_file, lose_the_end, lose_lines_inside, lose_nothing])
@pytest.mark.parametrize("when", ["before it is opened", "while it is open", "by a version before"])
def test_what_the_file_lost_is_put_back_from_its_index(
    tmp_path: Path, lose: Callable[[Path], None], when: str
) -> None:
    file = tmp_path / "decisions.jsonl"
    with small_run(tmp_path) as run:
        run.decisions.decide([DecisionChange(1, "mark", "kept"), DecisionChange(2, "stars", 3)], **AUTHOR)
        run.decisions.decide([DecisionChange(2, "stars", 4)], **AUTHOR)
        run.decisions.decide([DecisionChange(1, "mark", "rejected")], **AUTHOR)
        run.decisions.undo(**AUTHOR)
        run.decisions.decide([DecisionChange(2, "stars", 5), DecisionChange(3, "title", "Tide")], **AUTHOR)
        whole = file.read_bytes()
        if when == "while it is open":
            lose(file)
            run.decisions.decide([DecisionChange(4, "stars", 1)], **AUTHOR)
            assert file.read_bytes().startswith(whole)
    if when != "while it is open":
        lose(file)
    if when == "by a version before":  # which did not record which part of the file the table has
        with sqlite3.connect(tmp_path / "run.db") as connection:
            connection.execute("DELETE FROM facts")
    with Run.open(tmp_path) as run:
        run.decisions.decide([DecisionChange(4, "stars", 1)], **AUTHOR, action_id="ab" * 16)
        assert file.read_bytes().startswith(whole)
        before = run.candidates()
        assert [(c.mark, c.stars, c.title) for c in before] == [
            *(("kept", 0, ""), (None, 5, ""), (None, 0, "Tide"), (None, 1, "")),
        ]
        again = DecisionStore(tmp_path, RunDatabase(tmp_path / "again.db", new=True))
        again.update_index()
        assert [again.history.values(c.index) for c in before] == [
            run.decisions.history.values(c.index) for c in before
        ]
        assert (again.history.undo_count, again.changes_since(0)) == (
            run.decisions.history.undo_count,
            run.decisions.changes_since(0),
        )


def test_a_line_that_was_not_indexed_is_indexed_by_whoever_decides_next(tmp_path: Path) -> None:
    action = DecisionAction(
        "2026-01-01", "ada", "sheet", "ab" * 16, "do", None, (DecisionChange(1, "stars", 2),)
    )
    with small_run(tmp_path) as run, Run.open(tmp_path) as other:
        run.decisions.decide([DecisionChange(2, "stars", 1)], **AUTHOR)
        append_action(tmp_path, action)  # and then its process was killed
        with pytest.raises(ArtgenError, match="no candidate 99"):
            run.decisions.decide([DecisionChange(99, "stars", 1)], **AUTHOR)
        other.decisions.decide([DecisionChange(1, "mark", "kept")], **AUTHOR)
        run.decisions.decide([DecisionChange(1, "stars", 3)], **AUTHOR)
        for seen in (run, other):
            assert (seen.decisions.history.undo_count, seen.candidate(1).stars) == (4, 3)
        for _ in range(2):
            other.decisions.undo(**AUTHOR)
        assert (run.candidate(1).mark, run.candidate(1).stars) == (None, 2)
        assert run.decisions.decide(
            [DecisionChange(1, "stars", 2)], **AUTHOR, action_id="ab" * 16
        ).changes == (DecisionChange(1, "stars", 2),)
        assert run.decisions.history.undo_count == 2


def test_changes_of_other_processes_are_returned(tmp_path: Path) -> None:
    with small_run(tmp_path) as run, Run.open(tmp_path) as other:
        cursor = run.database.read_cursor()
        assert run.changes_since(cursor) == ([], [], cursor)
        other.decisions.decide([DecisionChange(2, "mark", "kept")], **AUTHOR)
        other.decisions.undo(**AUTHOR)
        other.add_candidate(replace(run.candidate(1), index=9))
        other.remove_candidate(9)
        other.add_candidate(replace(run.candidate(1), index=10, variation_of=1))
        changes, rows, cursor = run.changes_since(cursor)
        assert changes[0] == DecisionChange(2, "mark", "kept")
        assert changes[-1] == DecisionChange(2, "mark", None)
        assert [(row.number, row.variation_of) for row, _ in rows] == [(10, 1)]
        assert cursor == run.database.read_cursor()
        assert run.changes_since(cursor) == ([], [], cursor)


def test_variations_have_numbers_of_their_own_and_stay_queued_until_generated(tmp_path: Path) -> None:
    with small_run(tmp_path) as run:
        assert run.queue_variations(2, 2) == [100_001, 100_002]
        run.add_candidate(replace(run.candidate(1), index=100_001, variation_of=2))
        assert run.queued_variations() == [(100_002, 2)]
        assert run.queue_variations(1, 1) == [100_003]
        assert run.queued_variations() == [(100_002, 2), (100_003, 1)]
        with pytest.raises(ArtgenError, match="no candidate 7"):
            run.queue_variations(7, 1)


def test_embeddings(tmp_path: Path) -> None:
    with small_run(tmp_path) as run:
        assert run.load_embeddings("a")[0].shape == (0,)
        run.save_embeddings("a", {number: np.full(5, number / 2, np.float32) for number in (3, 1)})
        run.save_embeddings("b", {2: np.zeros(7, np.float32)})
        numbers, vectors = run.load_embeddings("a")
        assert numbers.tolist() == [1, 3]
        assert vectors.dtype == np.float32
        assert vectors.tolist() == [[0.5] * 5, [1.5] * 5]
        run.remove_candidate(3)
        assert run.load_embeddings("a")[0].tolist() == [1]


def test_a_run_of_the_format_before_keeps_its_picks(finished_run: Make) -> None:
    folder = finished_run()
    (folder / "run.db").unlink()
    with closing(sqlite3.connect(folder / "run.db")) as database:
        database.executescript("CREATE TABLE candidates (number INTEGER); PRAGMA user_version=1;")
    lines = [(3, True), (5, True), (5, False), (7, True)]
    (folder / "decisions.jsonl").write_text(
        "".join(
            json.dumps({"at": "2026-01-01", "candidate": number, "field": "picked", "value": on}) + "\n"
            for number, on in lines
        )
    )
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [3, 7]
        assert len(run.candidates()) == 12
        assert run.decisions.history.undo_count == 4


def test_a_candidate_added_in_a_later_round_begins_in_it(finished_run: Callable[..., Path]) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        run.pick(3, True)
        run.decisions.start_next_round(author="me", view="sheet")
        run.add_candidate(replace(run.candidate(1), index=100_001, variation_of=3))
        assert [c.index for c in run.candidates() if c.round == 2] == [3, 100_001]
        assert run.decisions.history.undo_count == 2  # adding a candidate is no action of the artist
        run.decisions.undo(author="me", view="sheet")
        assert run.candidate(3).round == 1
        run.decisions.redo(author="me", view="sheet")
    (folder / "run.db").unlink()
    with Run.open(folder) as run:
        assert run.candidate(3).round == 2
        assert run.decisions.history.undo_count == 2


def test_undoing_a_round_moves_candidates_added_in_it(finished_run: Callable[..., Path]) -> None:
    with Run.open(finished_run()) as run:
        run.pick(3, True)
        run.decisions.start_next_round(author="me", view="sheet")
        run.add_candidate(replace(run.candidate(1), index=100_001, variation_of=3, round=1, mark=None))
        cursor = run.database.read_cursor()
        run.decisions.undo(author="me", view="sheet")
        assert {candidate.round for candidate in run.candidates()} == {1}
        assert DecisionChange(100_001, "round", 1) in run.changes_since(cursor)[0]  # pages receive it
        run.decisions.redo(author="me", view="sheet")
        assert [c.index for c in run.candidates() if c.round == 2] == [3, 100_001]


def test_a_picture_made_again_stays_in_its_round(finished_run: Callable[..., Path]) -> None:
    with Run.open(finished_run()) as run:
        run.pick(3, True)
        run.decisions.start_next_round(author="me", view="sheet")
        lost = run.candidate(5)
        run.remove_candidate(5)
        run.add_candidate(lost)
        assert run.candidate(5).round == 1


def test_a_database_from_a_backup_is_brought_up_to_date(finished_run: Callable[..., Path]) -> None:
    folder = finished_run(picks=(1,))
    backup = folder.parent / "run.db"
    with Run.open(folder) as run:
        run.write_fact("name", "value")
    backup.write_bytes((folder / "run.db").read_bytes())
    with Run.open(folder) as run:
        run.pick(2, True)
        run.pick(1, False)
        assert not run.database.is_replaced()
        for ending in ("-wal", "-shm"):
            (folder / f"run.db{ending}").unlink(missing_ok=True)
        backup.replace(folder / "run.db")
        assert run.database.is_replaced()
    for _ in range(2):
        with Run.open(folder) as run:
            assert [candidate.index for candidate in run.picks()] == [2]
            assert run.read_fact("name") == "value"


def test_a_refused_decision_counts_from_when_it_was_made_after_all(finished_run: Callable[..., Path]) -> None:
    folder = finished_run()
    action = "ab" * 16
    with Run.open(folder) as run, closing(sqlite3.connect(folder / "run.db")) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON decisions BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
        with pytest.raises(ArtgenError, match="disk is full"):
            run.decisions.decide([DecisionChange(1, "mark", "kept")], author="me", view="", action_id=action)
        database.execute("DROP TRIGGER full")
        run.decisions.decide([DecisionChange(1, "mark", "rejected")], author="me", view="")
        run.decisions.decide([DecisionChange(1, "mark", "kept")], author="me", view="", action_id=action)
        assert run.candidate(1).mark == "kept"
    (folder / "run.db").unlink()
    with Run.open(folder) as run:
        assert run.candidate(1).mark == "kept"


def _reopen(folder: Path, number: int) -> None:
    with Run.open(folder) as run:
        run.pick(number, True)


def test_two_processes_rebuild_one_after_the_other(finished_run: Callable[..., Path]) -> None:
    folder = finished_run(picks=(9,))
    (folder / "run.db").unlink()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_reopen, args=(folder, number)) for number in (1, 2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [1, 2, 9]
    assert not list(folder.glob("run.db.damaged*"))


def test_queued_variations_survive_a_damaged_database(finished_run: Callable[..., Path]) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        run.write_fact("recipe folder", "../..")
        queued_numbers = run.queue_variations(3, 2)
        run.pick(3, True)
    with sqlite3.connect(folder / "run.db") as database:
        database.execute("DROP TABLE decisions")
        database.execute("PRAGMA user_version=1")
    database.close()
    with Run.open(folder) as run:
        assert run.queued_variations() == [(number, 3) for number in queued_numbers]
        assert [candidate.index for candidate in run.picks()] == [3]
        assert run.read_fact("recipe folder") == "../.."


@pytest.mark.parametrize("title", ["a\0b", "tab\t", "\u202egnp.evil", "half \ud800"])
def test_texts_that_cannot_be_shown_everywhere_are_refused(
    finished_run: Callable[..., Path], title: str
) -> None:
    with Run.open(finished_run()) as run, pytest.raises(ArtgenError, match="no control characters"):
        run.decisions.decide([DecisionChange(1, "title", title)], author="me", view="")
