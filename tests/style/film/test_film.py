"""Style transfer of films: paint follows the motion; frames, times and sound survive interruptions."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor

from artgen.errors import ArtgenError, WriteError
from artgen.events import Note
from artgen.imaging.film.frames import read_frames
from artgen.imaging.film.resumable import FRAMES_PER_SEGMENT, ResumableFilm
from artgen.imaging.image import resize
from artgen.imaging.io.files import write_png
from artgen.style.film.coherence import FilmPainter
from artgen.style.film.film import paint_film
from artgen.style.film.flow import estimate_motion, warp_along
from artgen.style.patch.patch import stylize_by_patches
from artgen.style.patch.presets import patch_preset
from artgen.style.request import StyleRequest

HEIGHT, WIDTH, STEP = 48, 64, 2
RATE = 44_100


def photograph(name: str) -> Tensor:
    return resize(torch.from_numpy(getattr(data, name)()).permute(2, 0, 1).float() / 255, (120, 160))


def pan(name: str, frames: int) -> list[Tensor]:
    """A camera that moves right over a photograph, ``STEP`` px a frame."""
    picture = photograph(name)
    return [picture[:, 30 : 30 + HEIGHT, 20 + STEP * n : 20 + STEP * n + WIDTH] for n in range(frames)]


def encode(
    path: Path, frames: list[Tensor], times: list[int] | None = None, sound: str | None = None
) -> Path:
    """A film of these frames, shown at ``times`` (ms; 12 a second), with a tone."""
    times = times or [round(n * 1000 / 12) for n in range(len(frames))]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=12)
        video.height, video.width = frames[0].shape[1:]
        video.pix_fmt, video.options = "yuv420p", {"crf": "10"}
        video.codec_context.time_base = video.time_base = Fraction(1, 1000)
        audio = container.add_stream(sound, rate=RATE) if sound else None
        if audio:
            audio.layout = "mono"
        for at, image in zip(times, frames, strict=True):
            pixels = (image * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start in range(0, RATE * len(frames) // 12 if audio else 0, 1024):
            wave = np.sin(np.arange(start, start + 1024) * 2 * np.pi * 440 / RATE)
            tone = av.AudioFrame.from_ndarray((wave * 8000).astype(np.int16)[None], "s16", "mono")
            tone.sample_rate, tone.pts, tone.time_base = RATE, start, Fraction(1, RATE)
            container.mux(audio.encode(tone))
        if audio:
            container.mux(audio.encode(None))
    return path


def shown(path: Path) -> tuple[list[float], list[np.ndarray]]:
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
        return [frame.time for frame in frames], [frame.to_ndarray(format="rgb24") for frame in frames]


def heard(path: Path) -> list[tuple[str, list[bytes]]]:
    """Each track's codec and packets."""
    tracks = []
    with av.open(str(path)) as container:
        for number, stream in enumerate(container.streams.audio):
            packets = [bytes(packet) for packet in container.demux(audio=number) if packet.size]
            tracks.append((stream.codec_context.name, packets))
            container.seek(0)
    return tracks


def negative(frame: Tensor, start: Tensor | None) -> Tensor:
    return 1 - frame


def test_flow_finds_the_way_and_does_not_believe_in_what_was_hidden() -> None:
    before, now = pan("coffee", 2)
    motion = estimate_motion(now, before)
    inner = motion.flow[:, 8:-8, 8:-8]
    assert inner[0].median() == pytest.approx(STEP, abs=0.2)
    assert inner[1].median() == pytest.approx(0, abs=0.2)
    assert motion.confidence[:, 8:-8, 8:-8].mean() > 0.8
    assert motion.confidence[:, :, -STEP + 1 :].max() < 0.5
    assert (warp_along(before, motion.flow) - now).abs()[:, 8:-8, 8:-8].mean() < 0.01


@pytest.mark.slow
def test_paint_moves_with_the_film_and_a_cut_begins_anew(tmp_path: Path) -> None:
    """The issue's measure, with the true motion: a third of what painting every frame alone changes."""
    frames = pan("coffee", 5) + pan("chelsea", 4)
    film = encode(tmp_path / "film.mp4", frames, sound="aac")
    style = resize(photograph("astronaut"), (80, 80))
    painted: list[Tensor] = []

    def paint(frame: Tensor, start: Tensor | None, seed: int = 1) -> Tensor:
        request = StyleRequest(seed=seed, start_image=start)
        return stylize_by_patches(frame, [[style]], request, patch_preset("balanced"))

    result = paint_film(film, tmp_path / "out.mp4", paint, "a key", on_frame=painted.append)
    assert (result.frame_count, result.scene_count, result.sound_tracks) == (9, 2, 1)
    frames_read = [frame.to_tensor() for frame in read_frames(film)]
    painted_alone = [paint(frame, None, seed=number) for number, frame in enumerate(frames_read)]

    def changed(pictures: list[Tensor]) -> float:
        moved = [
            (after[:, :, :-STEP] - before[:, :, STEP:]).abs().mean()
            for scene in (pictures[:5], pictures[5:])
            for before, after in itertools.pairwise(scene)
        ]
        return float(torch.stack(moved).mean())

    assert changed(painted) <= changed(painted_alone) / 3
    # And it is no blur: strokes are about as strong in the end as where the scene began.
    rough = [float(picture.diff(dim=2).abs().mean()) for picture in (painted[0], painted[4])]
    assert rough[1] > 0.6 * rough[0]
    assert heard(tmp_path / "out.mp4") == heard(film)
    assert shown(tmp_path / "out.mp4")[0] == pytest.approx(shown(film)[0])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["film.mp4", "out.mp4"]


def test_what_moves_leaves_nothing_behind_and_light_that_fades_is_followed() -> None:
    background = photograph("coffee")[:, :HEIGHT, :WIDTH]
    moving_patch = photograph("chelsea")[:, 40:56, 60:76]
    painter = FilmPainter(negative)
    for number in range(10):
        frame = background * (1 - 0.06 * number)
        frame[:, 10:26, 4 + 3 * number : 20 + 3 * number] = moving_patch
        painted = painter.paint_next(frame)
    error = (painted - negative(frame, None)).abs()
    assert error.mean() < 0.06
    assert error[:, 8:28, :28].mean() < 0.1  # where the thing was before
    assert painter.fresh_starts == 1


@pytest.mark.parametrize(
    ("name", "sound", "is_copied"),
    [("film.mkv", "mp2", False), ("film.mov", "pcm_s16le", False), ("film.mkv", "ac3", True)],
)
def test_sound_is_taken_over_or_becomes_aac(tmp_path: Path, name: str, sound: str, is_copied: bool) -> None:
    film = encode(tmp_path / name, pan("coffee", 4), sound=sound)
    result = paint_film(film, tmp_path / "out.mp4", negative, "k")
    assert result.sound_tracks == 1
    [(codec, packets)] = heard(tmp_path / "out.mp4")
    assert codec == (sound if is_copied else "aac")
    with av.open(str(tmp_path / "out.mp4")) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / RATE
    assert seconds == pytest.approx(4 / 12, abs=0.06)
    assert not is_copied or packets == heard(film)[0][1]


def test_frames_keep_their_own_times(tmp_path: Path) -> None:
    times = [0, 40, 200, 240, 900]
    film = encode(tmp_path / "film.mkv", pan("coffee", 5), times)
    paint_film(film, tmp_path / "out.mp4", negative, "k")
    assert shown(tmp_path / "out.mp4")[0] == pytest.approx([at / 1000 for at in times], abs=0.0011)


def test_finished_frames_are_kept_and_the_others_painted_as_they_would_have_been(tmp_path: Path) -> None:
    film = encode(tmp_path / "film.mp4", pan("coffee", 6))
    uninterrupted: list[Tensor] = []
    paint_film(film, tmp_path / "whole.mp4", negative, "k", on_frame=uninterrupted.append)
    interrupted: list[Tensor] = []

    def stops(picture: Tensor) -> None:
        interrupted.append(picture)
        if len(interrupted) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        paint_film(film, tmp_path / "out.mp4", negative, "k", on_frame=stops)
    assert not (tmp_path / "out.mp4").exists()
    notes: list[str] = []
    result = paint_film(
        film,
        tmp_path / "out.mp4",
        negative,
        "k",
        on_frame=stops,
        emit=lambda event: notes.append(event.message) if isinstance(event, Note) else None,
    )
    assert (result.resumed_frames, notes) == (3, ["3 frames were painted before"])
    assert len(interrupted) == len(uninterrupted) == result.frame_count
    assert all(torch.equal(part, picture) for part, picture in zip(interrupted, uninterrupted, strict=True))


def test_other_settings_do_not_take_the_frames_of_these(tmp_path: Path) -> None:
    film = encode(tmp_path / "film.mp4", pan("coffee", 2))
    other = ResumableFilm(tmp_path / "out.mp4", "other")
    other.resume()
    other.add_frame(torch.zeros(3, 8, 8))
    notes: list[str] = []
    paint_film(
        film,
        tmp_path / "out.mp4",
        negative,
        "k",
        emit=lambda event: notes.append(event.message) if isinstance(event, Note) else None,
    )
    assert str(other.folder) in notes[0]
    assert other.folder.is_dir()
    assert shown(tmp_path / "out.mp4")[1][0].shape == (HEIGHT, WIDTH, 3)


@pytest.mark.slow
def test_a_reel_goes_on_at_any_frame_across_its_pieces(tmp_path: Path) -> None:
    source = encode(tmp_path / "film.mp4", pan("coffee", 2))
    count = 2 * FRAMES_PER_SEGMENT + 5
    levels = [number / count for number in range(count)]
    reel = ResumableFilm(tmp_path / "out.mp4", "k")
    for number, level in enumerate(levels):
        if number in (
            0,
            1,
            FRAMES_PER_SEGMENT - 1,
            FRAMES_PER_SEGMENT,
            FRAMES_PER_SEGMENT + 1,
            2 * FRAMES_PER_SEGMENT,
        ):
            reel = ResumableFilm(tmp_path / "out.mp4", "k")
            reel.resume()
            assert reel.frame_count == number
        reel.add_frame(torch.full((3, 16, 16), level))
        assert reel.read_last_frame().mean() == pytest.approx(level, abs=0.01)
    assert len(list(reel.folder.glob("*.png"))) < 10
    (reel.folder / "piece-rest.mp4").write_bytes(b"of a join that was killed")
    reel.resume()
    assert reel.frame_count == count
    reel.finish([n * 100 + n % 3 for n in range(count)], 1000, source)
    times, frames = shown(tmp_path / "out.mp4")
    assert times == pytest.approx([(n * 100 + n % 3) / 1000 for n in range(count)])
    assert [frame.mean() / 255 for frame in frames] == pytest.approx(levels, abs=0.02)
    assert not reel.folder.exists()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    reel = ResumableFilm(tmp_path / "out.mp4", "k")
    reel.resume()
    reel.folder.rmdir()
    with pytest.raises(WriteError, match="could not be written"):
        reel.add_frame(torch.zeros(3, 8, 8))
    with pytest.raises(ArtgenError, match="no such file"):
        paint_film(tmp_path / "none.mp4", tmp_path / "out.mp4", negative, "k")


@pytest.mark.slow
def test_a_killed_film_goes_on_and_is_the_same(tmp_path: Path) -> None:
    encode(tmp_path / "film.mp4", pan("coffee", 10), sound="aac")
    write_png(tmp_path / "style.png", photograph("astronaut"), {})
    command = [sys.executable, "-m", "artgen", "style", "film.mp4", "style.png", "-o"]

    def start(output: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, output], cwd=tmp_path, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    whole = start("whole.mp4")
    _, errors = whole.communicate()
    assert whole.returncode == 0, errors
    for frames in (2, 6):
        process = start("out.mp4")
        while process.poll() is None and len(list(tmp_path.glob(".out.mp4-*/*.png"))) < frames:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (tmp_path / "out.mp4").exists()
    last = start("out.mp4")
    out, errors = last.communicate()
    assert last.returncode == 0, errors
    assert "of them from before" in out
    (times, frames), (others, wholes) = shown(tmp_path / "out.mp4"), shown(tmp_path / "whole.mp4")
    assert times == others
    # The frames are the same to the last bit; x264 does not always encode them alike.
    assert max(np.abs(a.astype(float) - b).mean() for a, b in zip(frames, wholes, strict=True)) < 6
    assert heard(tmp_path / "out.mp4") == heard(tmp_path / "film.mp4")
    assert not list(tmp_path.glob(".out*"))
