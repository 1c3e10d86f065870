"""``artgen run``, ``runs``, ``pick`` and ``reproduce`` as a person types them."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from artgen.cli.arguments.candidate_numbers import parse_candidate_numbers
from artgen.errors import ArtgenError


def artgen(place: Path, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", *arguments]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=240)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_a_run_says_what_is_next(sampled: Path) -> None:
    done = artgen(sampled, "run", "tiny.toml", "-n", "7", "--workers", "1")
    first, second = done.stdout.splitlines()
    assert first.startswith("1 made in ")
    assert "7 candidates in runs/tiny-" in first
    assert second.startswith("Next: artgen curate tiny-")
    assert ": 7 candidates, 6 already drawn" in done.stderr
    again = json.loads(artgen(sampled, "run", "tiny.toml", "--json").stdout)
    assert (again["made"], again["failed"], len(again["candidates"])) == ([], [], 7)
    assert again["candidates"][2]["draws"]["upscale"]["noise"] == pytest.approx(0.6, abs=0.4)


@pytest.mark.slow
def test_a_preview_and_another_seed_have_their_own_folder(sampled: Path) -> None:
    options = ["--seed", "6", "--set", "steps.grain.amount=0.5", "--preview", "--only", "1", "--workers", "1"]
    made = json.loads(artgen(sampled, "run", "tiny.toml", "--json", *options).stdout)
    assert made["made"] == [1]
    (candidate,) = made["candidates"]
    assert (candidate["seed"], candidate["width"]) == (6, 48)
    listed = json.loads(artgen(sampled, "runs", "--json").stdout)
    assert [row["candidates"] for row in listed] == [1, 6]
    assert listed[0]["run"].endswith("-preview")
    assert {row["title"] for row in listed} == {"Tiny"}
    assert artgen(sampled, "runs").stdout.count("\n") == 2
    assert "identical, every pixel of 48 x 48" in artgen(sampled, "reproduce", candidate["file"]).stdout


def test_failed_candidates_are_told_together(project: Path) -> None:
    recipe = project / "tiny.toml"
    recipe.write_text('[source]\nuse = "photos"\nimages = "pictures"\nper_photo = 2\nside = 16\n')
    (project / "pictures" / "1.png").write_bytes(b"")
    done = artgen(project, "run", "tiny.toml", "-n", "6", code=2)
    assert "4 candidates in runs/tiny-" in done.stdout
    assert "candidate 3-4: " in done.stderr
    assert "pictures/1.png: an empty file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "absent.toml"], "absent.toml: no such file"),
        (["run", "tiny.toml", "--only", "3,x"], "--only 3,x: 'x' is not a number; such as 3,7-9"),
        (["run", "tiny.toml", "--only", "0"], "numbers go from 1 to 1,000,000"),
        (["run", "tiny.toml", "-n", "0"], "try: artgen run --help"),
        (["run", "tiny.toml", "--device", "tpu"], "try: artgen run --help"),
        (["run", "tiny.toml", "--set", "steps.grow.scale=2"], "no step 'grow'"),
        (["run", "tiny.toml", "--runs", "tiny.toml"], "could not be written"),
        (["pick", "tiny"], "nothing to pick"),
        (["pick", "tiny", "3", "99"], "no candidate 99; it has 1-6"),
        (["pick", "other", "3"], "no such run in runs; there are: tiny-"),
        (["pick", "--from", "tiny.toml"], "no picks of a contact sheet"),
        (["pick", "--from", "absent.json"], "absent.json: cannot be read"),
        (["reproduce", "absent.png"], "absent.png: cannot be read (No such file"),
        (["reproduce", "pictures/1.png"], "carries no artgen provenance"),
        (["reproduce"], "try: artgen reproduce --help"),
    ],
)
def test_what_can_be_put_right_is_said(sampled: Path, arguments: list[str], message: str) -> None:
    assert message in artgen(sampled, *arguments, code=2).stderr


def test_picks_by_number_and_from_the_sheet(sampled: Path) -> None:
    assert artgen(sampled, "pick", "tiny", "2", "4-5").stdout.endswith(": 3 picks: 2, 4, 5\n")
    assert artgen(sampled, "pick", "tiny", "4", "--off").stdout.endswith(": 2 picks: 2, 5\n")
    name = json.loads(artgen(sampled, "runs", "--json").stdout)[0]["run"]
    exported = sampled / "picks.json"
    decided = {"2": {"mark": None}}  # taken back there; 5, which is not mentioned, stays
    exported.write_text(json.dumps({"format": 2, "run": name, "picks": [1], "decisions": decided}))
    done = json.loads(artgen(sampled, "pick", "--from", "picks.json", "--json").stdout)
    assert done == {"run": name, "picked": [1, 5]}
    artgen(sampled, "pick", "tiny", "3", "99", code=2)
    assert json.loads(artgen(sampled, "runs", "--json").stdout)[0]["picked"] == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b"{}",
        b'{"format": 1, "run": "tiny", "picks": [1]}',
        b'{"format": 2, "run": "../runs", "picks": [1]}',
        b'{"format": 2, "run": "a\\u0000b", "picks": [1]}',
        b'{"format": 2, "run": "tiny", "picks": ["1"]}',
        b'{"format": 2, "run": "tiny", "picks": [true]}',
        b'{"format": 2, "run": "tiny", "picks": [-1]}',
        b'{"format": 2, "run": 3, "picks": [1]}',
        b'{"format": 2, "run": "tiny", "picks": [], "decisions": {"1": {"mark": "picked"}}}',
        b'{"format": 2, "run": "tiny", "picks": [], "decisions": {"1": {"stars": 6}}}',
        b'{"format": 2, "run": "tiny", "picks": [], "decisions": {"1": {"stars": NaN}}}',
        b'{"format": 2, "run": "tiny", "picks": [], "decisions": {"../1": {}}}',
        b'{"format": 2, "run": "tiny", "picks": [], "decisions": {"1": {"title": "%s"}}}' % (b"x" * 201),
        b"\xff\xfe",
    ],
)
def test_hostile_picks_are_refused(tmp_path: Path, content: bytes) -> None:
    from artgen.cli.curation.picks import pick

    (tmp_path / "picks.json").write_bytes(content)
    with pytest.raises(ArtgenError, match="no picks of a contact sheet"):
        pick(from_=tmp_path / "picks.json", runs=tmp_path)


@pytest.mark.slow
def test_reproduce_says_whether_it_is_the_same(sampled: Path) -> None:
    files = sorted((sampled / "runs").glob("tiny-*/candidates/*.png"))
    done = artgen(sampled, "reproduce", *map(str, files[:2]))
    assert done.stdout.count(": identical, every pixel of 96 x 96") == 2
    (sampled / "broken.png").write_bytes(files[0].read_bytes()[:60])
    some = artgen(sampled, "reproduce", str(files[0]), "broken.png", "absent.png", str(files[1]), code=2)
    assert some.stdout.count(": identical, every pixel of 96 x 96") == 2
    assert [line.partition(":")[0] for line in some.stderr.splitlines()[-2:]] == ["broken.png", "absent.png"]
    told = json.loads(artgen(sampled, "reproduce", "broken.png", str(files[0]), "--json", code=2).stdout)
    assert (told[0]["file"], told[1]["identical"]) == ("broken.png", True)
    assert "no readable PNG" in told[0]["problem"]
    shutil.copy(files[0], sampled / "piece.png")
    (sampled / "pictures" / "0.png").write_bytes((sampled / "pictures" / "1.png").read_bytes())
    shutil.copy(sampled / "pictures" / "1.png", sampled / "pictures" / "2.png")
    result = json.loads(artgen(sampled, "reproduce", "piece.png", "--json", code=2).stdout)[0]
    assert not result["identical"]
    assert "pictures/0.png has changed" in result["differences"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("3,7-9", [3, 7, 8, 9]), ("1", [1]), ("9, 3 ,3", [3, 9]), ("2-2", [2])],
)
def test_numbers(text: str, found: list[int]) -> None:
    assert parse_candidate_numbers(text, "--only") == found


@pytest.mark.parametrize("text", ["", ",", "a", "3-", "-3", "9-3", "1,,2", "1.5", "²", "99999999", "0-5"])
def test_what_are_no_numbers(text: str) -> None:
    with pytest.raises(ArtgenError, match="--only"):
        parse_candidate_numbers(text, "--only")


def test_a_bug_in_a_worker_keeps_its_traceback(project: Path, tmp_path: Path) -> None:
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("raise RuntimeError('a broken torch')")
    path = os.pathsep.join([str(tmp_path / "broken"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", "artgen", "run", "tiny.toml", "--device", "cpu"],
        cwd=project,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 1
    assert "RuntimeError: a broken torch" in done.stderr


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_bars_on_a_terminal(project: Path) -> None:
    import pty

    main, side = pty.openpty()
    command = [sys.executable, "-m", "artgen", "run", "tiny.toml", "--only", "1-2", "--workers", "1"]
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=side,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(side)
    shown = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(main)
    process.communicate()
    assert process.returncode == 0
    assert b"candidate 1: " in shown
    assert b"of 2 candidates" in shown
    assert b"\x1b[?25h" in shown  # the cursor is back


def test_the_bar_of_a_failed_candidate_goes() -> None:
    from rich.console import Console
    from rich.progress import Progress, TextColumn

    from artgen.cli.terminal.run_progress import RunBars
    from artgen.events import CandidateDone, CandidateFailed, RunStarted, StepStarted

    columns = (TextColumn("{task.description}"), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(file=io.StringIO())) as progress:
        tell = RunBars(progress)
        tell(RunStarted("tiny", "runs/tiny", 3, 0))
        for candidate in (1, 2):
            tell(StepStarted(candidate, "source", 1, 4))
        tell(CandidateFailed(1, "1.png: an empty file"))
        tell(CandidateDone(2, "0002.png", 1.0))
        assert [task.description for task in progress.tasks] == ["tiny"]
        assert progress.tasks[0].completed == 2
        assert progress.tasks[0].fields["note"].startswith("1 of 3 candidates, 1 failed")
