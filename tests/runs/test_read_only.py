"""Runs that can only be read, and runs whose database says odd things."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from artgen.runs.store import Run

ROOT = Path(__file__).parents[2]
CAPABILITIES = (1, 2)  # DAC_OVERRIDE and DAC_READ_SEARCH: root is then bound by permissions, as anybody
ODD_CELLS = {
    "draws that are no JSON": "UPDATE candidates SET draws = '{' WHERE number = 2",
    "draws that are a list": "UPDATE candidates SET draws = '[1]'",
    "deep draws": "UPDATE candidates SET draws = '" + '{"a":' * 900 + "1" + "}" * 900 + "'",
    "stages that are no JSON": "UPDATE candidates SET stages = 'x'",
    "a stage of two": "UPDATE candidates SET stages = '[[0, \"source\"]]'",
    "a stage elsewhere": 'UPDATE candidates SET stages = \'[[0, "../../../etc", "crops", 8, 8]]\'',
    "a width in words": "UPDATE candidates SET width = 'wide'",
    "a width of nothing": "UPDATE candidates SET width = 0",
    "seconds without end": "UPDATE candidates SET seconds = -9e999",
    "a number in words": "UPDATE candidates SET number = 'two' WHERE number = 2",
    "a caption of bytes": "UPDATE candidates SET caption = x'ff'",
    "a caption that is no UTF-8": "UPDATE candidates SET caption = CAST(x'ff00fe' AS TEXT)",
    "a parent in words": "UPDATE candidates SET variation_of = 'one'",
    "no table of candidates": "DROP TABLE candidates",
    "no table of facts": "DROP TABLE facts",
    "no column of captions": "ALTER TABLE candidates DROP COLUMN caption",
    "a decision that is no JSON": (
        "INSERT INTO decisions (at, who, view, action, kind, of, candidate, field, value)"
        " VALUES ('', '', '', 'ab', 'do', NULL, 1, 'mark', '{')"
    ),
    "a decision on a field of its own": (
        "INSERT INTO decisions (at, who, view, action, kind, of, candidate, field, value)"
        " VALUES ('', '', '', 'ab', 'do', NULL, 1, 'price', '3')"
    ),
    "an embedding of one byte": "INSERT OR REPLACE INTO embeddings VALUES (1, 'x', x'00')",
    "embeddings of two lengths": (
        "INSERT OR REPLACE INTO embeddings VALUES (1, 'x', x'0000'), (2, 'x', x'00000000')"
    ),
    "a variation of itself": "INSERT INTO variations VALUES (100001, 100001, '')",
}


@pytest.fixture
def run_folder(finished_run: Callable[..., Path]) -> Path:
    return finished_run("sea-12345678", shapes=[(40, 30), (40, 30)], picks=[2])


@pytest.mark.parametrize("statement", ODD_CELLS.values(), ids=ODD_CELLS)
def test_an_odd_database_is_rebuilt(run_folder: Path, statement: str) -> None:
    connection = sqlite3.connect(run_folder / "run.db")
    with connection:
        connection.execute(statement)
    connection.close()
    with Run.open(run_folder) as run:
        assert [candidate.index for candidate in run.candidates()] == [1, 2]
        assert [candidate.index for candidate in run.picks()] == [2]
        assert run.candidate(1).stages
    assert list(run_folder.glob("run.db.damaged-*"))


ODD_DECISIONS = {
    "a list": "[1]",
    "a number of 400 digits": '{"kind": "do", "rows": [[%s, "mark", "kept"]]}' % ("9" * 400),
    "endless": '{"kind": "do", "rows": [[1e999, "mark", "kept"]]}',
    "half a character": '{"kind": "do", "rows": [[1, "title", "\\ud800"]]}',
    "deep": '{"a":' * 5_000 + "1" + "}" * 5_000,
}


@pytest.mark.parametrize("line", ODD_DECISIONS.values(), ids=ODD_DECISIONS)
def test_odd_decisions_are_passed_over(run_folder: Path, line: str) -> None:
    others = '{"at": "", "who": "", "view": "", "action": "%s", "of": null, ' % ("ab" * 16)
    with (run_folder / "decisions.jsonl").open("a") as stream:
        stream.write(line.replace("{", others, 1) + "\n")
    with Run.open(run_folder) as run:
        assert [candidate.index for candidate in run.picks()] == [2]
        run.pick(1, True)
        assert [candidate.index for candidate in run.picks()] == [1, 2]


def test_decisions_in_a_pipe_do_not_hang(run_folder: Path, tmp_path: Path) -> None:
    (run_folder / "decisions.jsonl").unlink()
    os.mkfifo(run_folder / "decisions.jsonl")
    listed = _as_a_reader(tmp_path, "runs")
    assert "decisions.jsonl: not a regular file" in listed.stdout
    assert listed.returncode == 0


def _as_a_reader(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``artgen`` in a folder as somebody who may only do what permissions say."""

    def drop_capabilities() -> None:
        for capability in CAPABILITIES:
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)

    return subprocess.run(
        [sys.executable, "-m", "artgen", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        preexec_fn=drop_capabilities if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def archived_run(run_folder: Path) -> Iterator[Path]:
    paths = [run_folder, *run_folder.rglob("*")]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield run_folder
    for path in paths:
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.skipif(sys.platform != "linux", reason="drops capabilities of Linux")
def test_a_run_that_can_only_be_read(archived_run: Path, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in archived_run.rglob("*")}
    listed = json.loads(_as_a_reader(tmp_path, "runs", "--json").stdout)
    assert [(row["candidates"], row["picked"]) for row in listed] == [(2, 1)]
    for arguments in (
        ["publish", "sea", "--to", "site"],
        ["curate", "sea", "--static", "sheet"],
        ["film", "sea", "-o", "sea.mp4"],
    ):
        done = _as_a_reader(tmp_path, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
    for arguments in (["pick", "sea", 1], ["vary", "sea", 1], ["curate", "sea"]):
        refused = _as_a_reader(tmp_path, *arguments)
        assert refused.returncode == 2, (arguments, refused.stdout)
        assert "sea-12345678: can only be read; copy the run" in refused.stderr
        assert "--runs" in refused.stderr
    assert {path: path.stat().st_mtime_ns for path in archived_run.rglob("*")} == before
