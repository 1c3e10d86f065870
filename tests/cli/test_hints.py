"""Commands that messages propose can be pasted into a shell, whatever the files are called."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from artgen.cli import app
from artgen.errors import artgen_command

NAMES = ("two words", "it's", "a;b & c", "$HOME `id`", "[x] (y)*", 'say "hi"', "größer # 1")
TRAINING = 'family = "pix2pix"\ndata = "pictures"\nsteps = 1\n[pairs]\nuse = "edges"\n'


def said(*arguments: object) -> str:
    """Return all that a command says, with its error."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return f"{result.output}\n{result.exception or ''}"


def proposed(text: str) -> list[str]:
    """Return the words of the last command that a text proposes, as a shell reads them."""
    commands = re.findall(
        r"(?:\(try: |Next: |then: |then )(artgen [^\n]*?)(?:, then artgen[^\n]*)?\)?\n", f"{text}\n"
    )
    return shlex.split(commands[-1])


@pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
@pytest.mark.parametrize("name", NAMES)
def test_commands_that_are_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished_run: Callable[..., Path], name: str
) -> None:
    run = finished_run(name, shapes=[(24, 20)])
    monkeypatch.chdir(tmp_path)
    assert proposed(said("new", name)) == ["artgen", "run", f"{name}.toml"]
    assert proposed(said("new", name)) == ["artgen", "check", f"{name}.toml"]
    (tmp_path / f"{name}.toml").write_text(TRAINING, "utf-8")
    assert proposed(said("run", f"{name}.toml")) == ["artgen", "train", f"{name}.toml"]
    assert proposed(said("preview", name)) == ["artgen", "publish", "--to", name]
    assert proposed(said("film", name, "--picks")) == ["artgen", "pick", name, "3", "7-9"]
    pick = proposed(said("publish", name))
    assert pick == ["artgen", "pick", name, "1"]
    assert f"{name}: 1 pick: 1" in said(*pick[1:])
    assert run.is_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")
@pytest.mark.parametrize("name", [*NAMES, "back\\slash", "tab\tand\nline", "~", "!x", ""])
def test_a_shell_reads_them(name: str) -> None:
    script = f'artgen() {{ printf "%s|" "$@"; }}; {artgen_command("run", name, "--only", 3)}'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    assert shown.stdout == f"run|{name}|--only|3|"


def test_folders_are_not_proposed_for_files(tmp_path: Path) -> None:
    (tmp_path / "dreams.toml").mkdir()
    assert "did you mean" not in said("check", tmp_path / "dream.toml")
    (tmp_path / "drums.toml").write_text("")
    assert "did you mean" in said("check", tmp_path / "drum.toml")
    assert "dreams.toml" not in said("check", tmp_path / "dream.toml")
