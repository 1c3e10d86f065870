"""Downloads of weights from a real HTTP server: ranges, cuts, wrong bytes, bad mirrors, killed processes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file

from artgen.errors import ArtgenError, WriteError
from artgen.events import WorkProgress
from artgen.models.features import weight_files
from artgen.models.features.download import pull_weights
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import PublishedFile, WeightsInfo
from artgen.models.files.pickle_reader import read_weights_file

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class ServedFile:
    """How the server answers requests for one path."""

    body: bytes
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes after which the next responses end
    status: int = 200
    redirect_to: str | None = None
    length: bool = True
    pause_seconds: float = 0.0  # between chunks
    content_type: str = "application/octet-stream"
    requested_ranges: list[str | None] = field(default_factory=list)


class Server:
    """A real HTTP server, in a thread."""

    def __init__(self) -> None:
        self.files: dict[str, ServedFile] = {}
        files = self.files

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                file = files[self.path]
                requested_range = self.headers.get("Range")
                file.requested_ranges.append(requested_range)
                if file.redirect_to or file.status != 200:
                    self.send_response(302 if file.redirect_to else file.status)
                    if file.redirect_to:
                        self.send_header("Location", file.redirect_to)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                begin = 0
                if requested_range and file.ranges:
                    begin = int(requested_range.removeprefix("bytes=").rstrip("-"))
                body, total = file.body[begin:], len(file.body)
                if begin and not body:
                    self.send_error(416)
                    return
                self.send_response(206 if begin else 200)
                self.send_header("Content-Type", file.content_type)
                if file.length:
                    self.send_header("Content-Length", str(len(body)))
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{total - 1}/{total}")
                self.end_headers()
                body = body[: file.cuts.pop(0)] if file.cuts else body
                try:
                    for offset in range(0, len(body), 1 << 16):
                        self.wfile.write(body[offset : offset + (1 << 16)])
                        self.wfile.flush()
                        time.sleep(file.pause_seconds)
                except OSError:
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}{path}"

    def serve(self, path: str, file: ServedFile) -> str:
        self.files[path] = file
        return self.url(path)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Weights of VGG-19's first block and a half, and of a classifier."""
    generator = torch.Generator().manual_seed(0)
    shapes = {0: (64, 3, 3, 3), 2: (64, 64, 3, 3), 5: (128, 64, 3, 3)}
    state: dict[str, torch.Tensor] = {}
    for number, shape in shapes.items():
        state[f"features.{number}.weight"] = torch.randn(shape, generator=generator) / 20
        state[f"features.{number}.bias"] = torch.randn(shape[0], generator=generator) / 20
    return state | {"classifier.0.weight": torch.zeros(300, 300), "classifier.0.bias": torch.zeros(300)}


@pytest.fixture(scope="module")
def body(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("published") / "vgg.pth"
    torch.save(weights, file)
    return file.read_bytes()


class Publisher:
    """Weights that are published as one file.

    Args:
        body: the file.
        folder: where they are installed.
    """

    def __init__(self, body: bytes, folder: Path) -> None:
        self._body, self.folder = body, folder
        self()

    def __call__(self, *urls: str, size: int | None = None, size_known: bool = True) -> Path:
        """Publish them at some addresses; return the folder where they are installed."""
        sha256 = hashlib.sha256(self._body).hexdigest()
        size = (size or len(self._body)) if size_known else None
        source = PublishedFile("vgg.pth", sha256, size, urls)
        self.weights = WeightsInfo("vgg19", "features", "free", (source,))
        return self.folder


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes) -> Publisher:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(weight_files.WEIGHTS_FOLDER_VARIABLE, str(tmp_path / "own"))
    return Publisher(body, tmp_path / "own")


def test_only_features_are_kept_as_half_precision(
    server: Server, publish: Publisher, body: bytes, weights: dict[str, torch.Tensor]
) -> None:
    folder = publish(server.serve("/vgg.pth", ServedFile(body)))
    fractions: list[float] = []
    installed = pull_weights(publish.weights, lambda event: fractions.append(event.fraction))  # type: ignore[union-attr]
    assert [file.name for file in folder.iterdir()] == ["vgg19.safetensors"]
    assert installed.file == folder / "vgg19.safetensors" == weight_files.find_weights_file("vgg19", Path())
    assert installed.published_file == "vgg.pth"
    assert installed.layers == ["relu1_1", "relu1_2", "relu2_1"]
    table = read_weights_file(installed.file)
    assert set(table.weights) == {name for name in weights if name.startswith("features.")}
    for name, weight in table.weights.items():
        assert weight.dtype == torch.half
        assert torch.allclose(weight.float(), weights[name], atol=1e-4)
    assert table.metadata["preprocessing"] == "torchvision"
    assert load_vgg(installed.file).layer_names == installed.layers
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


@pytest.mark.parametrize("size_known", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_cut_connection_is_resumed(
    server: Server, publish: Publisher, body: bytes, size_known: bool, length: bool
) -> None:
    file = ServedFile(body, cuts=[100_000, 150_000], length=length)
    publish(server.serve("/vgg.pth", file), size_known=size_known)
    if not size_known and not length:  # nobody knows how much is missing: the checksum decides
        file.cuts = []
    installed = pull_weights(publish.weights)
    assert installed.published_file
    assert file.requested_ranges == [None, "bytes=100000-", "bytes=250000-"][: len(file.requested_ranges)]
    assert len(file.requested_ranges) == (3 if size_known or length else 1)


def test_bytes_received_before_a_kill_are_not_requested_again(
    server: Server, publish: Publisher, body: bytes
) -> None:
    file = ServedFile(body)
    folder = publish(server.serve("/vgg.pth", file))
    folder.mkdir()
    (folder / "vgg.pth.part").write_bytes(body[:123_456])
    pull_weights(publish.weights)
    assert file.requested_ranges == ["bytes=123456-"]


@pytest.mark.parametrize("size_known", [True, False])
def test_killed_before_the_check_nothing_is_fetched_twice(
    server: Server, publish: Publisher, body: bytes, size_known: bool
) -> None:
    file = ServedFile(body)
    folder = publish(server.serve("/vgg.pth", file), size_known=size_known)
    for name in ("vgg.pth.part", "vgg.pth"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)
        pull_weights(publish.weights)
        assert [file.name for file in folder.iterdir()] == ["vgg19.safetensors"]
    assert file.requested_ranges == [] if size_known else [f"bytes={len(body)}-"] * 2


def test_a_server_without_ranges_begins_again(server: Server, publish: Publisher, body: bytes) -> None:
    file = ServedFile(body, ranges=False, cuts=[90_000])
    publish(server.serve("/vgg.pth", file))
    assert pull_weights(publish.weights).published_file
    assert file.requested_ranges == [None, "bytes=90000-"]


def test_the_next_mirror_resumes_where_the_last_failed(
    server: Server, publish: Publisher, body: bytes
) -> None:
    first = ServedFile(body, cuts=[100_000, 0])
    gone, page, second = (
        ServedFile(b"", status=404),
        ServedFile(b"<html>" * 99, content_type="text/html"),
        ServedFile(body),
    )
    files = {"/first": first, "/gone": gone, "/page": page, "/second": second}
    publish(*(server.serve(path, file) for path, file in files.items()))
    assert pull_weights(publish.weights).published_file
    assert second.requested_ranges == ["bytes=100000-"]


def test_wrong_bytes_are_never_read(server: Server, publish: Publisher, body: bytes) -> None:
    wrong = bytearray(body)
    wrong[5000] ^= 1
    first, second = ServedFile(bytes(wrong)), ServedFile(body)
    folder = publish(server.serve("/first", first))
    with pytest.raises(ArtgenError, match="gives another file: its checksum is wrong"):
        pull_weights(publish.weights)
    assert not list(folder.iterdir())
    publish(server.serve("/first", first), server.serve("/second", second))
    assert pull_weights(publish.weights).published_file
    assert second.requested_ranges == [None]  # nothing of the wrong file is built upon


def test_wrong_bytes_of_another_day_cost_one_more_download(
    server: Server, publish: Publisher, body: bytes
) -> None:
    file = ServedFile(body)
    folder = publish(server.serve("/vgg.pth", file))
    folder.mkdir()
    (folder / "vgg.pth.part").write_bytes(b"\0" * 50_000)
    assert pull_weights(publish.weights).published_file
    assert file.requested_ranges == ["bytes=50000-", None]


def test_files_of_another_size_are_not_fetched_at_all(
    server: Server, publish: Publisher, body: bytes
) -> None:
    folder = publish(server.serve("/vgg.pth", ServedFile(body + b"more")))
    with pytest.raises(ArtgenError, match=f"gives another file, of {len(body) + 4} bytes"):
        pull_weights(publish.weights)
    too_long = ServedFile(body * 2, length=False)
    publish(server.serve("/endless", too_long))
    with pytest.raises(ArtgenError, match="gives more than the file"):
        pull_weights(publish.weights)
    assert not list(folder.iterdir())


def test_redirects_lead_to_the_web_only(
    server: Server, publish: Publisher, body: bytes, tmp_path: Path
) -> None:
    (tmp_path / "vgg.pth").write_bytes(body)
    local = (tmp_path / "vgg.pth").as_uri()
    for number, to in enumerate((local, "ftp://127.0.0.1/vgg.pth", "data:,x")):
        publish(server.serve(f"/{number}", ServedFile(b"", redirect_to=to)))
        with pytest.raises(ArtgenError, match=r"not allowed|unknown url"):
            pull_weights(publish.weights)
    publish(local)
    with pytest.raises(ArtgenError, match="neither http nor https"):
        pull_weights(publish.weights)
    publish(server.serve("/moved", ServedFile(b"", redirect_to=server.serve("/vgg.pth", ServedFile(body)))))
    assert pull_weights(publish.weights).published_file


def test_a_given_mirror_replaces_the_known_addresses(server: Server, publish: Publisher, body: bytes) -> None:
    known = ServedFile(body)
    publish(server.serve("/known", known))
    assert pull_weights(publish.weights, mirrors=[server.serve("/own?x=1", ServedFile(body))]).published_file
    assert known.requested_ranges == []


def test_unreachable_servers_are_reported(publish: Publisher) -> None:
    publish("http://127.0.0.1:9/vgg.pth", "http://no such host/vgg.pth")
    with pytest.raises(ArtgenError) as raised:
        pull_weights(publish.weights)
    assert "127.0.0.1:9: " in str(raised.value)
    assert "(try: artgen models import vgg19 FILE)" in str(raised.value)
    with pytest.raises(ArtgenError, match="import them"):
        pull_weights(weight_files.get_weights_info("squeezenet"))


def test_a_full_disk_is_reported_before_any_download(server: Server, publish: Publisher, body: bytes) -> None:
    file = ServedFile(body)
    publish(server.serve("/vgg.pth", file), size=1 << 60)
    with pytest.raises(ArtgenError, match=r"MB are free there, .* are needed; make room"):
        pull_weights(publish.weights)
    assert file.requested_ranges == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_during_the_download_is_reported(
    server: Server, publish: Publisher, body: bytes
) -> None:
    folder = publish(server.serve("/vgg.pth", ServedFile(body)))
    folder.mkdir()
    (folder / "vgg.pth.part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="No space left"):
        pull_weights(publish.weights)
    assert not (folder / "vgg19.safetensors").exists()


def test_an_unwritable_folder_is_reported(publish: Publisher, tmp_path: Path) -> None:
    publish("http://127.0.0.1:9/vgg.pth")
    (tmp_path / "own").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(WriteError, match="could not be written"):
        pull_weights(publish.weights)


def test_a_safetensors_file_is_installed_too(
    server: Server,
    publish: Publisher,
    weights: dict[str, torch.Tensor],
    tmp_path: Path,
) -> None:
    save_file(weights, tmp_path / "other.safetensors")
    other = (tmp_path / "other.safetensors").read_bytes()
    url = server.serve("/model.safetensors", ServedFile(other))
    sources = (
        PublishedFile("vgg.pth", "0" * 64, 10, ("http://127.0.0.1:9/vgg.pth",)),
        PublishedFile("vgg.safetensors", hashlib.sha256(other).hexdigest(), None, (url,)),
    )
    publish.weights = WeightsInfo("vgg19", "features", "free", sources)
    assert pull_weights(publish.weights).published_file == "vgg.safetensors"
    assert pull_weights(publish.weights, mirrors=[url]).published_file == "vgg.safetensors"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_stopped_command_is_resumed(
    server: Server, publish: Publisher, body: bytes, tmp_path: Path
) -> None:
    file = ServedFile(body, pause_seconds=0.25)
    folder = publish(server.serve("/vgg.pth", file))
    program = f"""
from artgen.cli.terminal.messages import run_command
from artgen.models.features.download import pull_weights
from artgen.models.features.weight_files import PublishedFile, WeightsInfo
run_command(lambda: print(pull_weights({publish.weights!r}).published_file))
"""
    command = [sys.executable, "-c", program]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    part = folder / "vgg.pth.part"
    size_before = 0
    for stop_signal in (signal.SIGKILL, signal.SIGINT):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > size_before) and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(stop_signal)
        _, messages = process.communicate()
        assert not (folder / "vgg19.safetensors").exists()
        assert size_before < part.stat().st_size < len(body)
        size_before = part.stat().st_size
        if stop_signal == signal.SIGINT:
            assert (process.returncode, messages) == (130, "interrupted\n")
    file.pause_seconds = 0.0
    completed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout == "vgg.pth\n"
    assert file.requested_ranges[-1] == f"bytes={size_before}-"
    assert (folder / "vgg19.safetensors").is_file()


def test_progress_is_of_bytes(server: Server, publish: Publisher, body: bytes) -> None:
    publish(server.serve("/vgg.pth", ServedFile(body)))
    messages: list[str] = []

    def emit(event: object) -> None:
        assert isinstance(event, WorkProgress)
        messages.append(event.said)

    pull_weights(publish.weights, emit)
    assert messages[-1] == "checking"
    assert messages[-2].startswith("1 of 1 MB from 127.0.0.1:")
