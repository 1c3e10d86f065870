"""Packages with plug-ins, installed into folders that a command line finds them in."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Artgen = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def example_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of ``examples/plugin``, built and installed by pip into a folder."""
    folder = tmp_path_factory.mktemp("packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", folder, ROOT / "examples" / "plugin"], check=True)
    return folder


@pytest.fixture
def artgen(tmp_path: Path) -> Artgen:
    """Run ``artgen`` in an empty folder, where it finds the packages of another folder."""

    def call(*arguments: object, packages: Path | None = None) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(map(str, filter(None, [packages, ROOT])))
        return subprocess.run(
            [sys.executable, "-m", "artgen", *map(str, arguments)],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return call


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Write a package with one entry point, as pip leaves it, and return the folder that it is in."""

    def write(entry_point: str, code: str, group: str = "artgen.steps", package: str = "odd") -> Path:
        folder = tmp_path / "packages"
        files: Mapping[str, str] = {
            f"{package}_module.py": code,
            f"{package}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
            f"{package}-1.0.dist-info/entry_points.txt": f"[{group}]\n{entry_point}\n",
        }
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return write
