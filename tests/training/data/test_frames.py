"""Frames out of films: the right ones, framed as asked, the same after any stop, in constant memory."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artgen.errors import ArtgenError
from artgen.events import Note, WorkProgress, ignore_event
from artgen.training.data.frame_selection import FrameOptions, format_timestamp
from artgen.training.data.frames import extract_frames
from tests.training.data.films import FPS, shot, write_film

CUTS = ("chelsea", "coffee", "rocket", "astronaut")


@pytest.fixture(scope="module")
def cut_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four shots of 40 frames."""
    shots = (shot(name, 40, speed=speed) for name, speed in zip(CUTS, (0, 1, 2, 3), strict=True))
    return write_film(tmp_path_factory.mktemp("films") / "cut.mp4", itertools.chain(*shots))


def pictures(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.jpg"))}


def test_scenes_begin_where_the_film_was_cut(cut_film: Path, tmp_path: Path) -> None:
    count = extract_frames(cut_film, tmp_path, FrameOptions(scenes=True, size=(64, 64)), ignore_event)
    moments = [
        f"cut-{format_timestamp(number * 40 / FPS, '{:02}h{:02}m{:02}s{:03}')}.jpg" for number in range(4)
    ]
    assert list(pictures(tmp_path)) == moments
    assert (count.seen, count.kept, count.blank, count.complete) == (160, 4, 0, True)
    assert Image.open(tmp_path / moments[1]).copy().size == (64, 64)


def test_every_nth_and_a_part_of_the_film(cut_film: Path, tmp_path: Path) -> None:
    options = FrameOptions(every=10, start=2.0, end=4.0, alike=True, blank=True)
    count = extract_frames(cut_film, tmp_path, options, ignore_event)
    assert (count.seen, count.kept) == (50, 5)
    assert list(pictures(tmp_path))[1] == "cut-00h00m02s400.jpg"
    default = extract_frames(cut_film, tmp_path / "default", FrameOptions(most=3, alike=True), ignore_event)
    assert [name[-10:-4] for name in pictures(tmp_path / "default")] == ["00s000", "02s120", "04s240"]
    assert default.kept == 3


@pytest.mark.parametrize(
    ("fit", "size", "shape"),
    [
        ("crop", (64, 64), (64, 64)),
        ("pad", (64, 64), (64, 64)),
        ("keep", (60, 60), (60, 80)),
        ("crop", None, (120, 160)),
    ],
)
def test_framing(cut_film: Path, tmp_path: Path, fit: Any, size: Any, shape: tuple[int, int]) -> None:
    extract_frames(
        cut_film, tmp_path, FrameOptions(every=160, fit=fit, size=size, ending=".png"), ignore_event
    )
    pixels = np.asarray(Image.open(next(tmp_path.glob("*.png"))), float)
    assert pixels.shape == (*shape, 3)
    whole = Image.fromarray(next(shot("chelsea", 1, speed=0)))
    if fit == "pad":
        assert pixels[:8].max() == pixels[-8:].max() == 0
        pixels, whole = pixels[8:-8], whole.resize((64, 48), Image.Resampling.BOX)
    elif fit == "crop" and size:
        whole = whole.crop((20, 0, 140, 120)).resize((64, 64), Image.Resampling.BOX)
    else:
        whole = whole.resize((shape[1], shape[0]), Image.Resampling.BOX)
    assert np.abs(pixels - np.asarray(whole, float)).mean() < 6


def test_black_bars_come_off_and_blank_frames_are_counted(tmp_path: Path) -> None:
    def barred(picture: np.ndarray) -> np.ndarray:
        canvas = np.zeros((180, 160, 3), np.uint8)
        canvas[30:150] = picture
        return canvas

    black = [np.zeros((180, 160, 3), np.uint8)] * 25
    still = [barred(next(shot("coffee", 1)))] * 50
    film = write_film(tmp_path / "a.mp4", [*black, *map(barred, shot("chelsea", 50)), *still, *black])
    notes: list[str] = []
    options = FrameOptions(every=10, size=None)
    count = extract_frames(
        film, tmp_path / "out", options, lambda e: notes.append(e.message) if isinstance(e, Note) else None
    )
    assert count.seen == 150
    assert count.blank == 5
    assert count.alike >= 4
    assert count.kept + count.blank + count.alike == 15
    assert notes[0] == "black bars left out: 160 x 116 px are picture"
    for file in (tmp_path / "out").glob("*.jpg"):
        pixels = np.asarray(Image.open(file))
        assert pixels.shape == (116, 160, 3)
        assert pixels[0].mean() > 30
    extract_frames(film, tmp_path / "bars", FrameOptions(every=50, size=None, bars=True), ignore_event)
    assert {Image.open(file).copy().size for file in (tmp_path / "bars").glob("*.jpg")} == {(160, 180)}


@pytest.mark.parametrize(
    "options", [FrameOptions(scenes=True, size=(64, 64)), FrameOptions(every=3, size=(64, 64))]
)
@pytest.mark.parametrize("stop", [7, 99])
def test_a_stop_changes_nothing(cut_film: Path, tmp_path: Path, options: FrameOptions, stop: int) -> None:
    whole = extract_frames(cut_film, tmp_path / "whole", options, ignore_event)
    left = itertools.count(-stop)

    def interrupting(event: object) -> None:
        if isinstance(event, WorkProgress) and next(left) == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_frames(cut_film, tmp_path / "stopped", options, interrupting, save_seconds=-1)
    assert len(pictures(tmp_path / "stopped")) < len(pictures(tmp_path / "whole"))
    assert extract_frames(cut_film, tmp_path / "stopped", options, ignore_event) == whole
    assert pictures(tmp_path / "stopped") == pictures(tmp_path / "whole")
    events: list[object] = []
    assert extract_frames(cut_film, tmp_path / "stopped", options, events.append) == whole
    assert events == [Note(f"cut.mp4: all its frames are in {tmp_path / 'stopped'}")]


@pytest.mark.slow
def test_killed_and_run_again(cut_film: Path, tmp_path: Path) -> None:
    def command(folder: str) -> list[str]:
        frames = [*("data", "frames", str(cut_film), "-o", folder, "--every", "1")]
        return [sys.executable, "-m", "artgen", *frames, "--alike", "--size", "384", "--json"]

    place = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}}
    running = subprocess.Popen(
        command("killed"), **place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(pictures(tmp_path / "killed")) < 10:
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert len(pictures(tmp_path / "killed")) < 160
    done = subprocess.run(command("killed"), **place, capture_output=True, text=True, check=True)
    (report,) = json.loads(done.stdout)
    assert (report["kept"], report["complete"]) == (160, True)
    extract_frames(
        cut_film, tmp_path / "whole", FrameOptions(every=1, alike=True, size=(384, 384)), ignore_event
    )
    assert pictures(tmp_path / "killed") == pictures(tmp_path / "whole")
    assert not list((tmp_path / "killed").glob(".*"))


def test_another_film_or_wish_is_refused(cut_film: Path, tmp_path: Path) -> None:
    extract_frames(cut_film, tmp_path / "out", FrameOptions(every=80), ignore_event)
    with pytest.raises(ArtgenError, match=r"taken with other values of every; .*delete cut.frames.json"):
        extract_frames(cut_film, tmp_path / "out", FrameOptions(every=40), ignore_event)
    (tmp_path / "season2").mkdir()
    other = write_film(tmp_path / "season2" / "cut.mp4", shot("coffee", 30))
    with pytest.raises(ArtgenError, match="another film of this name"):
        extract_frames(other, tmp_path / "out", FrameOptions(every=80), ignore_event)
    (tmp_path / "out" / "cut.frames.json").write_text("{")
    with pytest.raises(ArtgenError, match="delete it to begin this film again"):
        extract_frames(cut_film, tmp_path / "out", FrameOptions(every=80), ignore_event)


PEAK = """
import resource, sys
from pathlib import Path
from artgen.events import ignore_event
from artgen.training.data.frames import extract_frames
from artgen.training.data.frame_selection import FrameOptions
options = FrameOptions(scenes=True, size=(64, 64))
count = extract_frames(Path(sys.argv[1]), Path(sys.argv[2]), options, ignore_event)
print(count.seen, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    noise = [chance.integers(0, 256, (72, 128, 3), dtype=np.uint8) for _ in range(20)]
    peaks = {}
    for length in (1000, 4000):
        film = write_film(
            tmp_path / f"{length}.avi", (noise[number // 75 % 20] for number in range(length)), "mpeg4"
        )
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(film), str(tmp_path / "out")],
            capture_output=True,
            text=True,
            check=True,
        )
        seen, kilobytes = map(int, done.stdout.split())
        assert seen == length
        peaks[length] = kilobytes / 1024
    assert peaks[4000] < peaks[1000] + 8
