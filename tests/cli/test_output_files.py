"""Outputs that are no regular files: written through and left what they are, or refused; never replaced."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from artgen.errors import ArtgenError, WriteError
from artgen.imaging.film.resumable import ResumableFilm
from artgen.imaging.film.writer import VideoWriter
from artgen.imaging.io.files import atomic_file, atomic_write

ROOT = Path(__file__).parents[2]
NULL, FULL = os.makedev(1, 3), os.makedev(1, 7)


def artgen(folder: Path, *arguments: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "artgen", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        **({"stdout": subprocess.PIPE} | {"stderr": subprocess.PIPE, "timeout": 300} | more),  # type: ignore[call-overload]
    )


def device(folder: Path, name: str, number: int) -> Path:
    """A device of our own, like ``/dev/full``: nobody else needs it when it is replaced by a file."""
    try:
        os.mknod(folder / name, 0o600 | stat.S_IFCHR, number)
    except PermissionError:
        pytest.skip("only root makes devices")
    return folder / name


class Pipe:
    """A FIFO, and what comes out of it."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path, self._read = path, list[bytes]()
        self._reader = threading.Thread(target=self._take, daemon=True)
        self._reader.start()

    def _take(self) -> None:
        with suppress(OSError):  # nobody wrote, and the test's folder is gone
            self._read.append(self.path.read_bytes())

    def content(self) -> bytes:
        """All of it, once the writer has closed it; the FIFO is still one."""
        self._reader.join(60)
        assert stat.S_ISFIFO(self.path.lstat().st_mode)
        return self._read[0]


def test_the_schema_into_a_pipe_and_a_device(tmp_path: Path) -> None:
    pipe, full = Pipe(tmp_path / "pipe"), device(tmp_path, "full", FULL)
    assert artgen(tmp_path, "schema", "-o", "pipe").returncode == 0
    assert json.loads(pipe.content())["title"]
    done = artgen(tmp_path, "schema", "-o", "full")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"full: could not be written (No space left on device)")
    assert full.lstat().st_rdev == FULL
    assert sorted(os.listdir(tmp_path)) == ["full", "pipe"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_its_name(tmp_path: Path, name: str) -> None:
    with (tmp_path / "schema.json").open("wb") as file:
        file.write(b"before ")
        file.flush()
        assert artgen(tmp_path, "schema", "-o", name, stdout=file).returncode == 0
        assert os.fstat(file.fileno()).st_nlink == 1  # still the file that was opened
    text = (tmp_path / "schema.json").read_bytes()
    assert text.startswith(b"before ")
    assert json.loads(text[7:])["title"]


def test_nothing_is_written_where_it_fails(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "pipe")

    def fail() -> None:
        with atomic_file(pipe.path) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    atomic_write(pipe.path, b"whole")
    assert pipe.content() == b"whole"


def test_through_a_link(tmp_path: Path) -> None:
    null = device(tmp_path, "null", NULL)
    (tmp_path / "link").symlink_to("null")
    atomic_write(tmp_path / "link", b"text")
    assert (tmp_path / "link").is_symlink()
    assert null.lstat().st_rdev == NULL


def test_films_want_a_file(tmp_path: Path) -> None:
    null = device(tmp_path, "null.mp4", NULL)
    for write in (lambda: VideoWriter(null, 16, 16, 24), lambda: ResumableFilm(null, "0" * 12)):
        with pytest.raises(ArtgenError, match=r"null\.mp4: no regular file; name a file"):
            write()
    assert null.lstat().st_rdev == NULL
    assert os.listdir(tmp_path) == ["null.mp4"]


def test_a_socket(tmp_path: Path) -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        with pytest.raises(WriteError):
            atomic_write(tmp_path / "socket", b"text")
        assert stat.S_ISSOCK((tmp_path / "socket").lstat().st_mode)


def test_a_pipe_where_a_new_recipe_wants_its_schema(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "recipe.schema.json")
    assert artgen(tmp_path, "new", "dreams").returncode == 0
    assert stat.S_ISFIFO((tmp_path / "recipe.schema.json").lstat().st_mode)
    done = artgen(tmp_path, "new", "recipe.schema.json/x")
    assert (done.returncode, b"Traceback" in done.stderr) == (2, False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("out.json", ("schema", "--training", "-o")),
        ("out.html", ("curate", "abstracts", "--static")),
        ("out.png", ("style", "a.png", "great-wave", "--method=patch", "--preset=bold", "--force", "-o")),
        ("out.webp", ("style", "a.png", "great-wave", "--method=patch", "--preset=bold", "--force", "-o")),
        ("out.pth", ("models", "export", "G.safetensors", "-o")),
        ("out.safetensors", ("models", "import", "in.pth", "-o")),
        ("out.mp4", ("film", "abstracts", "-o")),
        ("out.toml", ("new",)),
    ],
)
def test_every_command_with_an_output(
    tmp_path: Path, finished_run: Callable[..., Path], kind: str, name: str, arguments: tuple[str, ...]
) -> None:
    finished_run(shapes=((32, 32),) * 2)
    Image.effect_noise((24, 24), 60).convert("RGB").save(tmp_path / "a.png")
    if "models" in arguments:
        import torch

        from artgen.models.architectures.resnet import ResNet, ResNetConfig
        from artgen.models.files.checkpoint import save_model
        from artgen.models.files.cyclegan_pix2pix import export_state_dict

        network = ResNet(ResNetConfig(width=8, blocks=6, rise="transposed"))
        save_model(tmp_path / "G.safetensors", network, {})
        torch.save(export_state_dict("G", network), tmp_path / "in.pth")
    pipe = Pipe(tmp_path / name) if kind == "pipe" else None
    if pipe is None:
        device(tmp_path, name, NULL)
    before = (tmp_path / name).lstat()
    done = artgen(tmp_path, *arguments, name)
    after = (tmp_path / name).lstat()
    assert (before.st_ino, before.st_mode, before.st_rdev) == (after.st_ino, after.st_mode, after.st_rdev)
    assert b"Traceback" not in done.stderr
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    if name in ("out.mp4", "out.toml"):
        assert done.returncode == 2
    else:
        assert done.returncode == 0, done.stderr
        assert pipe is None or len(pipe.content()) > 100
