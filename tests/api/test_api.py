"""The Python API as its users meet it: import, examples, types, and the notebook page of the docs."""

from __future__ import annotations

import doctest
import inspect
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import artgen
from artgen.steps.grain import GrainStep

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "PIL", "pydantic", "typer", "rich", "jinja2")
RECIPE = """
seed = 7
candidates = 3

[source]
use = "crops"

[[steps]]
use = "upscale"

[[steps]]
use = "grain"
"""
TRAINING_RECIPE = """
family = "upimage"
title = "Tiny"
data = ["builtin:textures"]
steps = 2
side = 128
width = 16
blocks = 2
widths = [16, 8]
critic_width = 8

[[sizes]]
crop = 16
batch = 3
"""


@pytest.fixture
def work_folder(tmp_path: Path) -> Path:
    (tmp_path / "sea.toml").write_text(RECIPE)
    (tmp_path / "tiny.toml").write_text(TRAINING_RECIPE)
    return tmp_path


def _python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )


def test_import_loads_nothing_heavy(tmp_path: Path) -> None:
    code = f"import artgen, sys; dir(artgen); print([name for name in {HEAVY} if name in sys.modules])"
    assert _python(code, tmp_path).stdout.strip() == "[]"


def test_import_is_quick(tmp_path: Path) -> None:
    def shortest(code: str) -> float:
        times = []
        for _ in range(7):
            start_time = time.perf_counter()
            _python(code, tmp_path)
            times.append(time.perf_counter() - start_time)
        return min(times)

    assert shortest("import artgen") - shortest("pass") < 0.04


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'stylise'"):
        artgen.stylise  # noqa: B018


@pytest.mark.parametrize("name", artgen.__all__)
def test_each_name_is_documented_with_an_example(name: str) -> None:
    documentation = inspect.getdoc(getattr(artgen, name)) or ""
    assert "Examples:" in documentation
    assert ">>> " in documentation


@pytest.mark.slow
def test_examples_run(work_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work_folder)
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for name in artgen.__all__:
        documentation = inspect.getdoc(getattr(artgen, name)) or ""
        examples = parser.get_doctest(documentation, {"artgen": artgen}, name, None, 0)
        assert examples.examples
        runner.run(examples)
    assert runner.summarize(verbose=False).failed == 0


@pytest.mark.slow
def test_the_notebook_page_runs(work_folder: Path) -> None:
    page = (ROOT / "docs" / "notebook.md").read_text()
    cells = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert all(f"artgen.{name}" in page for name in artgen.__all__)
    (work_folder / "sea.toml").unlink()  # the page writes its own
    done = _python("\n".join(cells), work_folder)
    assert done.returncode == 0, done.stderr
    assert (work_folder / "gallery" / "index.html").is_file()


@pytest.mark.slow
def test_a_script_needs_no_guard(work_folder: Path) -> None:
    """``if __name__ == "__main__"``, which processes that are spawned need otherwise."""
    (work_folder / "script.py").write_text(
        "import artgen\n"
        "print('started')\n"
        "with artgen.run('sea.toml', candidates=3, preview=True, workers=2) as run:\n"
        "    summary = artgen.publish(run, all_candidates=True, workers=2)\n"
        "print(len(summary.pieces))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=work_folder, env=environment, capture_output=True, text=True
    )
    assert done.stdout == "started\n3\n", done.stderr


def test_what_apply_cannot_use_is_refused() -> None:
    step = GrainStep(amount=0.2)
    with pytest.raises(artgen.ArtgenError, match=r"step grain: given with a Step: amount, sise; give them"):
        artgen.apply(step, Image.new("RGB", (8, 8)), amount=0.5, sise=2)
    for size in ((0, 5), (5, 0)):
        with pytest.raises(artgen.ArtgenError, match=f"{size[0]} x {size[1]} px; an image has at least 1 px"):
            artgen.apply(step, Image.new("RGB", size))


@pytest.mark.slow
def test_types_are_seen(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "from pathlib import Path\n"
        "import artgen\n"
        "from PIL import Image\n"
        "recipe = artgen.load_recipe('sea.toml')\n"
        "with artgen.run(recipe, candidates=2) as run:\n"
        "    widths: list[int] = [candidate.width for candidate in run.candidates()]\n"
        "picture: Image.Image = artgen.apply('grain', Path('a.png'), amount=0.5)\n"
        "models: list[Path] = artgen.train('tiny.toml')\n"
        "reveal_type(artgen.load_model('waves').metadata)\n"
        "artgen.run(3)\n"
    )
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "script.py"]
    checked = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    lines = checked.stdout.splitlines()
    assert any('Revealed type is "dict[str, str]"' in line for line in lines)
    assert [line for line in lines if "error" in line and "script.py:10" not in line] == [lines[-1]]
    assert any(
        'script.py:10: error: Argument 1 to "run" has incompatible type "int"' in line for line in lines
    )
