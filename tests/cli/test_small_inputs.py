"""Small files that once took minutes or gigabytes: one clear message each, within seconds of CPU."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).parents[2]
CPU_SECONDS, MEMORY_BYTES = 20, 6 << 30
TEXTS = {
    "dots": "a." * 20_000 + "b = 1",
    "dots in a header": "[" + "a." * 20_000 + "b]",
    "dots in an array's header": "[[" + "a . " * 20_000 + "b]]",
    "quoted dots": '"a".' * 9_000 + "b = 1",
    "dots in an inline table": "x = {" + "a." * 20_000 + "b = 1}",
    "dots after a text": 'title = "a.b.c"\n' + "a.\t" * 20_000 + "b = 1",
    "dots after quotes in a comment": '# "\n' + "a." * 20_000 + "b = 1",
    "brackets": "x = " + "[" * 99_000 + "]" * 99_000,
    "inline tables": "x = " + "{a = " * 30_000 + "1" + "}" * 30_000,
    "digits": "seed = " + "9" * 5_000,
    "quotes": '"' * 199_000,
    "triple quotes": "'''" * 60_000,
    "backslashes": 'x = "' + "\\" * 199_000,
    "one long word": "x" * 199_000,
    "megabytes": "# " + "x" * 50_000_000,
}


def _limited(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run ``artgen`` with limits of CPU time and memory."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    return subprocess.run(
        [sys.executable, "-m", "artgen", *map(str, arguments)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def hostile_files(tmp_path: Path) -> list[Path]:
    files = [tmp_path / f"{name.replace(' ', '-')}.toml" for name in TEXTS]
    for file, text in zip(files, TEXTS.values(), strict=True):
        file.write_text(text)
    return files


def test_texts_that_are_checked(tmp_path: Path, hostile_files: list[Path]) -> None:
    checked = _limited(tmp_path, "check", *hostile_files)
    assert checked.returncode == 2, checked.stderr[-2000:]
    assert "Traceback" not in checked.stderr
    lines = checked.stderr.splitlines()
    for file in hostile_files:
        (line,) = (line for line in lines if line.startswith(f"{file}:"))
        assert len(line) < len(str(file)) + 200


@pytest.mark.parametrize("name", ["dots", pytest.param("megabytes", marks=pytest.mark.slow)])
def test_texts_that_are_trained_by_or_published_with(
    tmp_path: Path, hostile_files: list[Path], name: str
) -> None:
    for arguments in (["train", f"{name}.toml"], ["publish", "--settings", f"{name}.toml", "."]):
        refused = _limited(tmp_path, *arguments)
        assert refused.returncode == 2, refused.stderr[-2000:]
        assert refused.stderr.startswith(f"{name}.toml:")
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["dots", "inline tables", "digits"])
def test_texts_in_a_picture(tmp_path: Path, name: str) -> None:
    provenance = (
        '{"format": 1, "recipe_name": "a.toml", "recipe": %s, "digest": "%s", "seed": 1, "candidate": 1,'
        ' "preview": false, "device": "cpu", "caption": "", "draws": {}, "files": [], "stages": [],'
        ' "versions": {}}'
    )
    info = PngInfo()
    info.add_text("artgen", provenance % (f'"{TEXTS[name]}"', "0" * 64), zip=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png", pnginfo=info)
    refused = _limited(tmp_path, "reproduce", "a.png")
    assert refused.returncode == 2, refused.stderr[-2000:]
    assert "a.png: the recipe in it is not TOML" in refused.stderr
    assert "Traceback" not in refused.stderr
