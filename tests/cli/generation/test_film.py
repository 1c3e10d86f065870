"""``artgen film`` as a person uses it; what it writes is read back by another library's reader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from artgen.imaging.io.files import read_image

Runs = Callable[..., Path]


def film(runs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "artgen", "film", "--runs", str(runs), *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def frames(file: Path) -> list[np.ndarray]:
    with av.open(str(file)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.mark.slow
def test_every_candidate_is_a_frame_in_order(finished_run: Runs, tmp_path: Path) -> None:
    folder = finished_run()
    done = film(tmp_path / "runs", "-o", str(tmp_path / "walk.mp4"), "--fps", "12", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["frames"], report["seconds"], report["width"], report["height"]) == (12, 1.0, 96, 96)
    shown = frames(tmp_path / "walk.mp4")
    assert len(shown) == 12
    for number, frame in enumerate(shown, 1):
        real = read_image(folder / "candidates" / f"{number:04d}.png").permute(1, 2, 0).numpy() * 255
        assert np.abs(frame - real).mean() < 6


@pytest.mark.slow
def test_a_part_of_a_walk_does_not_loop_and_says_so(finished_run: Runs, tmp_path: Path) -> None:
    folder = finished_run(shapes=[(32, 32)] * 4)
    recipe = folder / "recipe.toml"
    text = recipe.read_text("utf-8")
    for walk, says in ((4, False), (240, True)):
        recipe.write_text(text.replace("[source]", f"[source]\nwalk = {walk}"), "utf-8")
        done = film(tmp_path / "runs", "-o", str(tmp_path / "walk.mp4"))
        assert done.returncode == 0, done.stderr
        assert ("does not loop: artgen run RECIPE -n 240" in done.stdout) is says


@pytest.mark.slow
def test_picks_enlarged_beside_the_run(finished_run: Runs, tmp_path: Path) -> None:
    folder = finished_run(picks=[2, 9], shapes=[(96, 96)] * 9 + [(64, 96)])
    done = film(tmp_path / "runs", "abstracts", "--picks", "--enlarge", "2")
    assert done.returncode == 0, done.stderr
    assert "2 frames of 192 x 192 px, 0.1 s" in done.stdout
    assert [frame.shape for frame in frames(folder / "film.mp4")] == [(192, 192, 3)] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--picks"], "no picks (try: artgen pick abstracts-1a2b3c4d 3 7-9)"),
        ([], "most pictures have 96 x 96 px, but not candidate 10-11; a film wants one size"),
        (["-o", "film.gif"], "film.gif: a film that ends in .gif"),
        (["-o", "nowhere/film.mp4"], "no folder nowhere"),
        (["other"], "no such run"),
        (["--fps", "0"], "--fps"),
    ],
    ids=" ".join,
)
def test_what_is_in_the_way(finished_run: Runs, tmp_path: Path, arguments: list[str], message: str) -> None:
    folder = finished_run(shapes=[(96, 96)] * 9 + [(64, 96)] * 2)
    done = film(tmp_path / "runs", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.rglob("*.mp4"))


@pytest.mark.slow
def test_without_pyav_the_extra_is_named(finished_run: Runs, tmp_path: Path) -> None:
    folder = finished_run()
    code = "import sys; sys.modules['av'] = None; from artgen.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "film", str(folder)], capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 2
    assert "pip install 'artgen[video]'" in done.stderr
