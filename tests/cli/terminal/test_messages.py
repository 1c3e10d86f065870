"""What reaches a terminal, and how a command ends that is told to stop."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from artgen.cli.terminal.messages import CleanStream
from artgen.imaging.io.files import TEMPORARY_FILE_PREFIX
from artgen.runs.store import Run

ROOT = Path(__file__).parents[3]
LONG_NAME = "a" * 300
HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202etxt.exe\x9b2J"
RECIPE = """
candidates = 40
[source]
use = "crops"
[[steps]]
use = "upscale"
"""


def _start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "artgen", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(folder: Path, *arguments: object) -> tuple[int, str, str]:
    process = _start(folder, *arguments)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", LONG_NAME],
        ["run", "recipe.toml", "--runs", LONG_NAME],
        ["publish", LONG_NAME],
        ["publish", "--settings", LONG_NAME],
        ["curate", LONG_NAME],
        ["reproduce", LONG_NAME],
        ["models", "show", LONG_NAME],
        ["schema", "-o", LONG_NAME],
        ["new", LONG_NAME],
        ["data", "check", LONG_NAME],
        ["check", "a\ud800b"],
    ],
    ids=lambda arguments: " ".join(arguments)[:20].encode(errors="replace").decode(),
)
def test_a_name_that_no_disk_takes_is_one_message(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    arguments = [os.fsdecode(argument.encode(errors="surrogatepass")) for argument in arguments]
    code, _, errors = _run(tmp_path, *arguments)
    assert code == 2
    assert "Traceback" not in errors
    assert len(errors) < 2000


def test_names_and_titles_cannot_steer_the_terminal(
    tmp_path: Path, finished_run: Callable[..., Path]
) -> None:
    run_folder = finished_run(shapes=[(40, 30)])
    recipe = run_folder / "recipe.toml"
    recipe.write_text(f"title = {json.dumps(HOSTILE)}\n{recipe.read_text().partition(chr(10))[2]}")
    (tmp_path / f"{HOSTILE}.toml").write_text("use = ")
    for arguments in (["runs"], ["check", f"{HOSTILE}.toml"], ["runs", "--json"], ["check", f"no{HOSTILE}"]):
        _, output, errors = _run(tmp_path, *arguments)
        assert not set(output + errors) & set("\x1b\x07\x9b\u202e")
        assert "\\u001b" in output + errors
    assert json.loads(_run(tmp_path, "runs", "--json")[1])[0]["title"] == HOSTILE
    with Run.open(run_folder) as run:
        assert run.title == HOSTILE


@pytest.mark.parametrize("arguments", [["steps"], ["schema"], ["steps", "--json"]], ids=" ".join)
def test_a_reader_that_has_read_enough_is_no_error(tmp_path: Path, arguments: list[str]) -> None:
    with _start(tmp_path, *arguments) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        ("OSError(errno.ENOSPC, 'No space left')", 2, "artgen: cannot be used (No space left)"),
        ("FileNotFoundError(errno.ENOENT, 'No such file', 'sea.png')", 2, "sea.png: cannot be used"),
        ("OSError(errno.EBADF, 'Bad file descriptor')", 1, "Traceback"),
        ("OSError('no number')", 1, "Traceback"),
    ],
)
def test_only_what_the_user_can_fix_loses_its_traceback(
    tmp_path: Path, error: str, code: int, words: str
) -> None:
    program = f"""
import errno
from artgen.cli.terminal.messages import run_command
def fail():
    raise {error}
run_command(fail)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code
    assert done.stderr.startswith(words)


def test_lines_are_cleaned_too() -> None:
    stream = io.StringIO()
    CleanStream(stream).writelines(["a\x1b", "\n"])
    assert stream.getvalue() == "a\\u001b\n"


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=["SIGTERM", "SIGHUP"])
def test_a_closed_terminal_ends_a_run_as_ctrl_c_does(tmp_path: Path, number: int) -> None:
    (tmp_path / "sea.toml").write_text(RECIPE)
    process = _start(tmp_path, "run", "sea.toml", "--workers", 1)
    deadline = time.monotonic() + 90
    while not list(tmp_path.glob("runs/*/candidates/*.png")) and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in range(2):  # the second while it tidies up
        process.send_signal(number)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "resume with: artgen run sea.toml --workers 1" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="has no such terminals")
def test_a_run_whose_terminal_is_gone_ends_as_by_ctrl_c(tmp_path: Path) -> None:
    from tests.terminals import run_until_terminal_closes

    (tmp_path / "sea.toml").write_text(RECIPE)
    command = [sys.executable, "-m", "artgen", "run", "sea.toml", "--workers", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    code = run_until_terminal_closes(
        command, lambda: any(tmp_path.glob("runs/*/candidates/*.png")), tmp_path, environment
    )
    assert code == 130
    assert not list(tmp_path.rglob(f"{TEMPORARY_FILE_PREFIX}*"))
