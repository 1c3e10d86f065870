"""Films: written ones play and keep their colours; those of cameras are read upright, with their times."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.film.frames import read_film_info, read_frames
from artgen.imaging.film.writer import VideoWriter

COLOURS = torch.tensor(
    [
        [1.0, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [1, 1, 1],
        [0, 0, 0],
        [0.5, 0.25, 0.125],
        [0.2, 0.7, 0.9],
        [0.9, 0.8, 0.1],
    ]
)


def patches(height: int, width: int) -> torch.Tensor:
    """Eight flat colours in two rows of four."""
    small = COLOURS.T.reshape(3, 2, 4)
    return torch.nn.functional.interpolate(small[None], (height, width), mode="nearest")[0]


def middles(image: torch.Tensor) -> torch.Tensor:
    """The colour in the middle of each of the eight patches, ``(8, 3)``."""
    _, height, width = image.shape
    return image[:, height // 4 :: height // 2, width // 8 :: width // 4][:, :2, :4].reshape(3, 8).T


def encode(
    path: Path,
    pictures: list[np.ndarray],
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    times: list[int] | None = None,
    prepare: Callable[[av.VideoStream], None] = lambda stream: None,
) -> Path:
    """A film of RGB arrays by PyAV itself; ``times`` in milliseconds."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        prepare(stream)
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = times[number] if times else number * 40, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def bytes_of(image: torch.Tensor) -> np.ndarray:
    return (image.permute(1, 2, 0) * 255).round().byte().contiguous().numpy()


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    height=st.integers(1, 130), width=st.integers(1, 130), fps=st.sampled_from([1, 12.5, 24000 / 1001, 60])
)
def test_any_size_comes_back(tmp_path: Path, height: int, width: int, fps: float) -> None:
    path = tmp_path / "film.mp4"
    with VideoWriter(path, width, height, fps) as film:
        for grey in (0.2, 0.5, 0.8):
            film.add_frame(torch.full((3, height, width), grey))
    info = read_film_info(path)
    assert (info.width, info.height) == (width + width % 2, height + height % 2)
    assert info.fps == pytest.approx(fps, rel=1e-3)
    frames = list(read_frames(path))
    assert [frame.seconds for frame in frames] == pytest.approx([0, 1 / fps, 2 / fps], abs=2e-3)
    for frame, grey in zip(frames, (0.2, 0.5, 0.8), strict=True):
        assert (frame.to_tensor() - grey).abs().max() < 0.02
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]


def test_colours_survive_and_are_tagged(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    with VideoWriter(path, 256, 128, 25) as film:
        film.add_frame(patches(128, 256))
    (frame,) = read_frames(path)
    assert (middles(frame.to_tensor()) - COLOURS).abs().max() < 0.02
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        tags = (context.color_range, context.colorspace, context.color_primaries, context.color_trc)
        assert tags == (1, 1, 1, 1)
        assert (stream.codec_context.name, context.pix_fmt) == ("h264", "yuv420p")
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # plays before it is loaded


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "tolerance"),
    [
        ("a.mkv", "libx264", "yuv444p10le", 0.02),
        ("a.mkv", "ffv1", "bgr0", 0.005),
        ("a.mkv", "libx264", "yuvj422p", 0.02),
        ("a.gif", "gif", "rgb8", 0.3),
        ("a.avi", "mpeg4", "yuv420p", 0.05),
        ("a.webm", "libvpx-vp9", "yuva420p", 0.03),
    ],
)
def test_odd_pixel_formats(tmp_path: Path, name: str, codec: str, pixels: str, tolerance: float) -> None:
    path = encode(tmp_path / name, [bytes_of(patches(64, 128))] * 3, codec=codec, pixels=pixels)
    frames = list(read_frames(path))
    assert len(frames) == 3
    assert (middles(frames[0].to_tensor()) - COLOURS).abs().max() < tolerance


def test_grey_film(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mkv", [bytes_of(patches(64, 128))], codec="ffv1", pixels="gray")
    (frame,) = read_frames(path)
    image = frame.to_tensor()
    assert image.shape == (3, 64, 128)
    assert (image[0] - image[2]).abs().max() < 0.01


@pytest.mark.parametrize(("degrees", "quarters"), [(90, 1), (180, 2), (-90, 3)])
def test_a_phone_held_upright(tmp_path: Path, degrees: int, quarters: int) -> None:
    picture = bytes_of(patches(64, 128))

    def turn(stream: av.VideoStream) -> None:
        stream.set_display_rotation(degrees)

    path = encode(tmp_path / "a.mp4", [picture], prepare=turn)
    (frame,) = read_frames(path)
    assert (frame.height, frame.width) == ((128, 64) if quarters % 2 else (64, 128))
    expected = np.rot90(picture, quarters)
    assert np.abs(frame.to_rgb().astype(int) - expected).mean() < 6
    assert frame.to_rgb((32, 16)).shape == (32, 16, 3)
    assert read_film_info(path).width == frame.width


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    def widen(stream: av.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)

    path = encode(tmp_path / "a.mp4", [bytes_of(patches(96, 120))], prepare=widen)
    (frame,) = read_frames(path)
    assert frame.to_rgb().shape == (96, 160, 3)
    assert (middles(frame.to_tensor()) - COLOURS).abs().max() < 0.02


def test_each_frame_has_its_own_time(tmp_path: Path) -> None:
    times = [0, 40, 1000, 1033, 5000]
    pictures = [np.full((32, 32, 3), 40 * number, np.uint8) for number in range(5)]
    path = encode(tmp_path / "a.mp4", pictures, times=times)
    assert [frame.seconds for frame in read_frames(path)] == pytest.approx(
        [t / 1000 for t in times], abs=2e-3
    )
    some = list(read_frames(path, start=0.5, end=2))
    assert [frame.seconds for frame in some] == pytest.approx([1.0, 1.033], abs=2e-3)
    assert [int(frame.to_rgb().mean()) // 38 for frame in some] == [2, 3]


def test_starting_late_gives_the_same_frames(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    path = encode(tmp_path / "a.mp4", list(chance.integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)))
    all_frames = [(frame.seconds, frame.to_rgb()) for frame in read_frames(path)]
    late = [(frame.seconds, frame.to_rgb()) for frame in read_frames(path, start=11.0)]
    assert len(all_frames) == 300
    assert late[0][0] == 11.0
    for (seconds, pixels), (same, again) in zip(all_frames[-len(late) :], late, strict=True):
        assert seconds == same
        assert np.array_equal(pixels, again)


def test_damaged_packets_are_reported_and_left_out(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    pictures = list(chance.integers(0, 256, (20, 64, 64, 3), dtype=np.uint8))
    path = encode(tmp_path / "a.avi", pictures, codec="png", pixels="rgb24")
    data = bytearray(path.read_bytes())
    at = data.index(b"IHDR", len(data) // 2)
    data[at : at + 300] = bytes(300)
    path.write_bytes(data)
    problems: list[str] = []
    frames = list(read_frames(path, on_damaged_packet=problems.append))
    assert len(frames) in (18, 19)  # a decoder with threads may lose the packet it was handed meanwhile
    assert len(problems) == 1
    assert all(any(np.array_equal(frame.to_rgb(), picture) for picture in pictures) for frame in frames)


def test_a_film_that_ends_too_early(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    path = encode(tmp_path / "a.mkv", list(chance.integers(0, 256, (50, 64, 64, 3), dtype=np.uint8)))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert 5 < len(list(read_frames(path))) < 50


def test_a_file_that_is_no_film_is_an_error(tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("no film at all " * 100)
    with pytest.raises(ArtgenError, match=r"notes.mp4: not a film that can be read"):
        next(read_frames(text))
    with pytest.raises(ArtgenError, match="no such file"):
        read_film_info(tmp_path / "gone.mp4")
    with pytest.raises(ArtgenError, match="not a file"):
        next(read_frames(tmp_path))
    sound = tmp_path / "sound.wav"
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), "s16", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(ArtgenError, match="holds no moving pictures"):
        next(read_frames(sound))


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"the old film")
    film = VideoWriter(path, 32, 32, 25)
    film.add_frame(torch.rand(3, 32, 32))
    with pytest.raises(ZeroDivisionError), film:
        film.add_frame(torch.rand(3, 32, 32) * (1 / 0))
    with (
        pytest.raises(ArtgenError, match="40 x 32 px in a film of 32 x 32"),
        VideoWriter(path, 32, 32, 25) as film,
    ):
        film.add_frame(torch.rand(3, 32, 40))
    with VideoWriter(path, 32, 32, 25):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["film.mp4"]
    assert path.read_bytes() == b"the old film"
    nowhere = tmp_path / "no" / "folder" / "film.mp4"
    with pytest.raises(WriteError, match="could not be written"), VideoWriter(nowhere, 32, 32, 25) as film:
        film.add_frame(torch.rand(3, 32, 32))


def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import resource, signal, torch\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "from pathlib import Path\n"
        "from artgen.cli.terminal import messages\n"
        "from artgen.imaging.film.writer import VideoWriter\n"
        "def write():\n"
        "    with VideoWriter(Path('film.mp4'), 128, 128, 25) as film:\n"
        "        for _ in range(20):\n"
        "            film.add_frame(torch.rand(3, 128, 128))\n"
        "messages.run_command(write)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("film.mp4: could not be written (")
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['av'] = None\n"
        "from pathlib import Path\n"
        "from artgen.cli.terminal import messages\n"
        "from artgen.imaging.film.writer import VideoWriter\n"
        "messages.run_command(lambda: VideoWriter(Path('film.mp4'), 32, 32, 25))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr == "films: PyAV is not installed (try: pip install 'artgen[video]')\n"
    assert list(tmp_path.iterdir()) == []
