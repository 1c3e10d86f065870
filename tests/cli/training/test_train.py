"""``artgen train`` before it trains: what it says of a wrong recipe, and when it is stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
RECIPE = """
family = "upimage"
title = "Tiny"
data = ["builtin:textures"]
steps = 2
"""


def _train(folder: Path, torch_code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder in which importing torch runs other code."""
    (folder / "torch").mkdir()
    (folder / "torch" / "__init__.py").write_text(torch_code)
    return subprocess.run(
        [sys.executable, "-m", "artgen", "train", "tiny.toml", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [[], ["--threads", "2"], ["--tensorboard"]], ids="".join)
def test_a_wrong_recipe_is_refused_before_torch_is_imported(tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE.replace("steps = 2", "steps = -2"))
    trained = _train(tmp_path, "raise SystemExit('torch is imported')", *arguments)
    assert trained.returncode == 2
    assert trained.stderr.startswith("tiny.toml:5: steps: -2")


@pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")
def test_stopped_before_its_folder_exists_it_promises_nothing(tmp_path: Path) -> None:
    (tmp_path / "tiny.toml").write_text(RECIPE)
    trained = _train(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGINT)")
    assert (trained.returncode, trained.stderr.strip()) == (130, "interrupted")
    assert not (tmp_path / "training-runs").exists()
