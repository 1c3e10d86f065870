"""The store of a run: what it records, and damage that it survives."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.io.files import read_image, write_png
from artgen.imaging.io.png_text import read_text
from artgen.runs.database import DATABASE_FORMAT_VERSION, RunDatabase
from artgen.runs.store import Run

Make = Callable[..., Path]


def test_a_run_opens_as_it_was_left(finished_run: Make) -> None:
    folder = finished_run(picks=[3, 5])
    with Run.open(folder) as run:
        candidates = run.candidates()
        assert [candidate.index for candidate in candidates] == list(range(1, 13))
        assert [candidate.index for candidate in run.picks()] == [3, 5]
        assert run.candidate(3).picked
        assert (run.name, run.title, run.seed) == ("abstracts-1a2b3c4d", "Abstracts", 2017)
        assert run.description == "Thumbnails, re-imagined."
        third = candidates[2]
        assert third.draws["style"]["strength"] == pytest.approx(0.33)
        assert [stage.step for stage in third.stages] == ["source", "style", "grain"]
        assert all(stage.preview.is_file() for stage in third.stages)
        assert third.file.is_file()
        assert third.thumbnail.is_file()


def test_a_pick_is_taken_back_and_every_decision_stays(finished_run: Make) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        for index, on in ((2, True), (4, True), (2, False), (2, True), (4, False)):
            run.pick(index, on)
        assert [candidate.index for candidate in run.picks()] == [2]
        with pytest.raises(ArtgenError, match="no candidate 99; it has 1-12"):
            run.pick(99, True)
    with closing(sqlite3.connect(folder / "run.db")) as database:
        rows = database.execute("SELECT candidate, value FROM decisions").fetchall()
    assert rows == [(2, '"kept"'), (4, '"kept"'), (2, "null"), (2, '"kept"'), (4, "null")]
    lines = (folder / "decisions.jsonl").read_text().splitlines()
    assert [json.loads(line)["rows"][0][2] for line in lines] == ["kept", "kept", None, "kept", None]


def damage_nothing(database: Path) -> None:
    database.unlink()


def damage_header(database: Path) -> None:
    database.write_bytes(b"this is no database" * 300)


def damage_by_truncation(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:5000])


def damage_pages(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[4096:] = b"\xa5" * (len(content) - 4096)
    database.write_bytes(content)


def damage_to_nothing(database: Path) -> None:
    database.write_bytes(b"")


@pytest.mark.parametrize(
    "damage", [damage_nothing, damage_header, damage_by_truncation, damage_pages, damage_to_nothing]
)
def test_the_database_is_rebuilt_from_the_pictures(
    finished_run: Make, damage: Callable[[Path], None]
) -> None:
    folder = finished_run(picks=[3, 5])
    with Run.open(folder) as run:
        before = run.candidates()
    damage(folder / "run.db")
    damaged = (folder / "run.db").read_bytes() if (folder / "run.db").exists() else None
    with Run.open(folder) as run:
        assert run.candidates() == [replace(candidate, seconds=0.0) for candidate in before]
        run.pick(7, True)
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [3, 5, 7]
    if damaged is not None:
        assert (folder / "run.db.damaged-1").read_bytes() == damaged


def test_a_rebuild_leaves_out_what_is_not_sound(finished_run: Make) -> None:
    folder = finished_run()
    (folder / "run.db").unlink()
    pictures = folder / "candidates"
    (pictures / "0002.png").write_bytes(b"")
    (pictures / "0004.png").write_bytes((pictures / "0005.png").read_bytes())
    (pictures / "notes.png").write_bytes((pictures / "0005.png").read_bytes())
    (folder / "stages" / "0006-1-style.webp").unlink()
    (folder / "thumbs" / "0007.webp").unlink()
    with Run.open(folder) as run:
        found = {candidate.index: candidate for candidate in run.candidates()}
    assert sorted(found) == [1, 3, 5, 6, 7, 8, 9, 10, 11, 12]
    assert [stage.step for stage in found[6].stages] == ["source", "grain"]
    assert found[7].thumbnail.is_file()


@pytest.mark.parametrize("words", ["x" * 100_000, "[" * 600])
def test_a_picture_with_excessive_draws_does_not_lock_the_run(finished_run: Make, words: str) -> None:
    folder = finished_run()
    picture = folder / "candidates" / "0002.png"
    provenance = json.loads(read_text(picture)["artgen"]) | {"draws": {"style": {"words": words}}}
    write_png(picture, read_image(picture), {"artgen": json.dumps(provenance)})
    (folder / "run.db").unlink()
    for _ in range(2):
        with Run.open(folder) as run:
            assert [candidate.index for candidate in run.candidates()] == [1, *range(3, 13)]
    assert not list(folder.glob("*.damaged*"))


class InterruptedDatabase(RunDatabase):
    """A database that SQLite stops reading while its rows are checked, as on a disk that fails."""

    def _check_rows(self) -> None:
        self._connection.set_progress_handler(lambda: 1, 1)
        super()._check_rows()


def test_a_database_that_cannot_be_read_now_is_not_called_damaged(finished_run: Make) -> None:
    with pytest.raises(WriteError, match="interrupted"):
        InterruptedDatabase(finished_run() / "run.db")


def test_torn_lines_of_the_file_of_decisions_are_passed_over(finished_run: Make) -> None:
    folder = finished_run(picks=[3])
    with (folder / "decisions.jsonl").open("ab") as file:
        file.write(b'{"at": "2026-01-01T00:00:00", "candi')
    with Run.open(folder) as run:
        run.pick(9, True)
    (folder / "run.db").unlink()
    with Run.open(folder) as run:
        assert [candidate.index for candidate in run.picks()] == [3, 9]


def test_a_run_without_its_recipe_still_opens(finished_run: Make) -> None:
    folder = finished_run()
    (folder / "recipe.toml").write_text("not [ toml")
    with Run.open(folder) as run:
        assert len(run.candidates()) == 12
        assert run.title == "Abstracts"
    (folder / "recipe.toml").unlink()
    with Run.open(folder) as run:
        assert run.recipe_text == ""


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtgenError, match="no run of artgen"):
        Run.open(tmp_path)
    with pytest.raises(ArtgenError, match="no run of artgen"):
        Run.open(tmp_path / "absent")


def test_a_newer_format_is_not_touched(finished_run: Make) -> None:
    folder = finished_run()
    connection = sqlite3.connect(folder / "run.db")
    connection.execute(f"PRAGMA user_version={DATABASE_FORMAT_VERSION + 1}")
    connection.close()
    with pytest.raises(ArtgenError, match="newer artgen"):
        Run.open(folder)
    assert not list(folder.glob("*.damaged*"))


def test_picks_while_candidates_are_added(finished_run: Make) -> None:
    folder = finished_run()
    with Run.open(folder) as run:
        model = run.candidate(1)

    def add() -> None:
        with Run.open(folder) as writer:
            for index in range(100, 160):
                writer.add_candidate(replace(model, index=index))

    adding = threading.Thread(target=add)
    adding.start()
    with Run.open(folder) as run:
        for index in range(1, 13):
            run.pick(index, True)
    adding.join()
    with Run.open(folder) as run:
        assert len(run.candidates()) == 72
        assert len(run.picks()) == 12
