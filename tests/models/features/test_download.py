"""Weights over HTTP from a real server: ranges, cuts, wrong bytes, bad mirrors, processes that are killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file

from artgen.errors import ArtgenError, WriteError
from artgen.events import WorkProgress
from artgen.models.features import download, weight_files
from artgen.models.features.download import pull
from artgen.models.features.vgg import load_vgg
from artgen.models.features.weight_files import Source, Weights
from artgen.models.files.pickle_reader import read_table

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Place:
    """What a server does with one path."""

    body: bytes
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers end
    status: int = 200
    to: str | None = None  # a redirect
    length: bool = True
    slow: float = 0.0  # seconds between pieces
    kind: str = "application/octet-stream"
    asked: list[str | None] = field(default_factory=list)  # the ranges


class Server:
    """A real one, in a thread."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        places = self.places

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                place = places[self.path]
                asked = self.headers.get("Range")
                place.asked.append(asked)
                if place.to or place.status != 200:
                    self.send_response(302 if place.to else place.status)
                    if place.to:
                        self.send_header("Location", place.to)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and place.ranges else 0
                body, whole = place.body[begin:], len(place.body)
                if begin and not body:
                    self.send_error(416)
                    return
                self.send_response(206 if begin else 200)
                self.send_header("Content-Type", place.kind)
                if place.length:
                    self.send_header("Content-Length", str(len(body)))
                if begin:
                    self.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
                self.end_headers()
                body = body[: place.cuts.pop(0)] if place.cuts else body
                try:
                    for at in range(0, len(body), 1 << 16):
                        self.wfile.write(body[at : at + (1 << 16)])
                        self.wfile.flush()
                        time.sleep(place.slow)
                except OSError:
                    pass

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}{path}"

    def gives(self, path: str, place: Place) -> str:
        self.places[path] = place
        return self.url(path)


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """Of VGG-19's first block and a half, and of a classifier."""
    chance = torch.Generator().manual_seed(0)
    shapes = {0: (64, 3, 3, 3), 2: (64, 64, 3, 3), 5: (128, 64, 3, 3)}
    state: dict[str, torch.Tensor] = {}
    for number, shape in shapes.items():
        state[f"features.{number}.weight"] = torch.randn(shape, generator=chance) / 20
        state[f"features.{number}.bias"] = torch.randn(shape[0], generator=chance) / 20
    return state | {"classifier.0.weight": torch.zeros(300, 300), "classifier.0.bias": torch.zeros(300)}


@pytest.fixture(scope="module")
def body(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("published") / "vgg.pth"
    torch.save(weights, file)
    return file.read_bytes()


Offer = Callable[..., Path]


@pytest.fixture
def offer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes) -> Offer:
    """Has ``vgg19`` come from these addresses, pinned to ``body``; tells the folder of the weights."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv(weight_files.PLACE, str(tmp_path / "own"))

    def offered(*urls: str, size: int | None = len(body)) -> Path:
        source = Source("vgg.pth", hashlib.sha256(body).hexdigest(), size, urls)
        monkeypatch.setitem(weight_files.KNOWN, "vgg19", Weights("vgg19", "features", "free", (source,)))
        return tmp_path / "own"

    return offered


def test_only_features_are_kept_as_half_precision(
    server: Server, offer: Offer, body: bytes, weights: dict[str, torch.Tensor]
) -> None:
    folder = offer(server.gives("/vgg.pth", Place(body)))
    told: list[float] = []
    adopted = pull("vgg19", lambda event: told.append(event.fraction))  # type: ignore[union-attr]
    assert [file.name for file in folder.iterdir()] == ["vgg19.safetensors"]
    assert adopted.file == folder / "vgg19.safetensors" == weight_files.find_weights("vgg19", Path())
    assert adopted.published == "vgg.pth"
    assert adopted.layers == ["relu1_1", "relu1_2", "relu2_1"]
    table = read_table(adopted.file)
    assert set(table.weights) == {name for name in weights if name.startswith("features.")}
    for name, weight in table.weights.items():
        assert weight.dtype == torch.half
        assert torch.allclose(weight.float(), weights[name], atol=1e-4)
    assert table.said["preprocessing"] == "torchvision"
    assert load_vgg(adopted.file).names == adopted.layers
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.mark.parametrize("size_known", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_cut_connection_goes_on_where_it_was_cut(
    server: Server, offer: Offer, body: bytes, size_known: bool, length: bool
) -> None:
    place = Place(body, cuts=[100_000, 150_000], length=length)
    offer(server.gives("/vgg.pth", place), size=len(body) if size_known else None)
    if not size_known and not length:  # nobody says how much is missing: the checksum does
        place.cuts = []
    adopted = pull("vgg19")
    assert adopted.published
    assert place.asked == [None, "bytes=100000-", "bytes=250000-"][: len(place.asked)]
    assert len(place.asked) == (3 if size_known or length else 1)


def test_what_came_before_a_kill_is_not_asked_for_again(server: Server, offer: Offer, body: bytes) -> None:
    place = Place(body)
    folder = offer(server.gives("/vgg.pth", place))
    folder.mkdir()
    (folder / "vgg.pth.part").write_bytes(body[:123_456])
    pull("vgg19")
    assert place.asked == ["bytes=123456-"]


@pytest.mark.parametrize("size_known", [True, False])
def test_killed_before_the_check_nothing_is_fetched_twice(
    server: Server, offer: Offer, body: bytes, size_known: bool
) -> None:
    place = Place(body)
    folder = offer(server.gives("/vgg.pth", place), size=len(body) if size_known else None)
    for name in ("vgg.pth.part", "vgg.pth"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)
        pull("vgg19")
        assert [file.name for file in folder.iterdir()] == ["vgg19.safetensors"]
    assert place.asked == [] if size_known else [f"bytes={len(body)}-"] * 2


def test_a_server_without_ranges_begins_again(server: Server, offer: Offer, body: bytes) -> None:
    place = Place(body, ranges=False, cuts=[90_000])
    offer(server.gives("/vgg.pth", place))
    assert pull("vgg19").published
    assert place.asked == [None, "bytes=90000-"]


def test_the_next_mirror_goes_on_where_the_last_failed(server: Server, offer: Offer, body: bytes) -> None:
    first = Place(body, cuts=[100_000, 0])
    gone, page, second = Place(b"", status=404), Place(b"<html>" * 99, kind="text/html"), Place(body)
    places = {"/first": first, "/gone": gone, "/page": page, "/second": second}
    offer(*(server.gives(path, place) for path, place in places.items()))
    assert pull("vgg19").published
    assert second.asked == ["bytes=100000-"]


def test_wrong_bytes_are_never_read(server: Server, offer: Offer, body: bytes) -> None:
    wrong = bytearray(body)
    wrong[5000] ^= 1
    first, second = Place(bytes(wrong)), Place(body)
    folder = offer(server.gives("/first", first))
    with pytest.raises(ArtgenError, match="gives another file: its checksum is wrong"):
        pull("vgg19")
    assert not list(folder.iterdir())
    offer(server.gives("/first", first), server.gives("/second", second))
    assert pull("vgg19").published
    assert second.asked == [None]  # nothing of the wrong file is built upon


def test_wrong_bytes_of_another_day_cost_one_more_download(server: Server, offer: Offer, body: bytes) -> None:
    place = Place(body)
    folder = offer(server.gives("/vgg.pth", place))
    folder.mkdir()
    (folder / "vgg.pth.part").write_bytes(b"\0" * 50_000)
    assert pull("vgg19").published
    assert place.asked == ["bytes=50000-", None]


def test_files_of_another_size_are_not_fetched_at_all(server: Server, offer: Offer, body: bytes) -> None:
    folder = offer(server.gives("/vgg.pth", Place(body + b"more")))
    with pytest.raises(ArtgenError, match=f"gives another file, of {len(body) + 4} bytes"):
        pull("vgg19")
    endless = Place(body * 2, length=False)
    offer(server.gives("/endless", endless))
    with pytest.raises(ArtgenError, match="gives more than the file"):
        pull("vgg19")
    assert not list(folder.iterdir())


def test_redirects_lead_to_the_web_only(server: Server, offer: Offer, body: bytes, tmp_path: Path) -> None:
    (tmp_path / "vgg.pth").write_bytes(body)
    local = (tmp_path / "vgg.pth").as_uri()
    for number, to in enumerate((local, "ftp://127.0.0.1/vgg.pth", "data:,x")):
        offer(server.gives(f"/{number}", Place(b"", to=to)))
        with pytest.raises(ArtgenError, match=r"not allowed|unknown url"):
            pull("vgg19")
    offer(local)
    with pytest.raises(ArtgenError, match="neither http nor https"):
        pull("vgg19")
    offer(server.gives("/moved", Place(b"", to=server.gives("/vgg.pth", Place(body)))))
    assert pull("vgg19").published


def test_an_address_of_ones_own_stands_in_for_all(server: Server, offer: Offer, body: bytes) -> None:
    known = Place(body)
    offer(server.gives("/known", known))
    assert pull("vgg19", mirrors=[server.gives("/own?x=1", Place(body))]).published
    assert known.asked == []


def test_nobody_there(offer: Offer) -> None:
    offer("http://127.0.0.1:9/vgg.pth", "http://no such host/vgg.pth")
    with pytest.raises(ArtgenError) as raised:
        pull("vgg19")
    assert "127.0.0.1:9: " in str(raised.value)
    assert "(try: artgen models import vgg19 FILE)" in str(raised.value)
    with pytest.raises(ArtgenError, match="import them"):
        pull("squeezenet")


def test_a_full_disk_is_said_before_anything_is_fetched(
    server: Server, offer: Offer, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(body)
    offer(server.gives("/vgg.pth", place))
    monkeypatch.setattr(download, "SPARE", 1 << 60)
    with pytest.raises(ArtgenError, match=r"MB are free there, .* are needed; make room"):
        pull("vgg19")
    assert place.asked == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_meanwhile_is_said(server: Server, offer: Offer, body: bytes) -> None:
    folder = offer(server.gives("/vgg.pth", Place(body)))
    folder.mkdir()
    (folder / "vgg.pth.part").symlink_to("/dev/full")
    with pytest.raises(WriteError, match="No space left"):
        pull("vgg19")
    assert not (folder / "vgg19.safetensors").exists()


def test_what_cannot_be_written_is_said(offer: Offer, tmp_path: Path) -> None:
    offer("http://127.0.0.1:9/vgg.pth")
    (tmp_path / "own").write_text("a file where the folder should be", "utf-8")
    with pytest.raises(WriteError, match="could not be written"):
        pull("vgg19")


def test_of_another_kind_of_file_the_same_is_kept(
    server: Server,
    offer: Offer,
    weights: dict[str, torch.Tensor],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer()
    save_file(weights, tmp_path / "other.safetensors")
    other = (tmp_path / "other.safetensors").read_bytes()
    url = server.gives("/model.safetensors", Place(other))
    sources = (
        Source("vgg.pth", "0" * 64, 10, ("http://127.0.0.1:9/vgg.pth",)),
        Source("vgg.safetensors", hashlib.sha256(other).hexdigest(), None, (url,)),
    )
    monkeypatch.setitem(weight_files.KNOWN, "vgg19", Weights("vgg19", "features", "free", sources))
    assert pull("vgg19").published == "vgg.safetensors"
    assert pull("vgg19", mirrors=[url]).published == "vgg.safetensors"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_stopped_command_goes_on(server: Server, offer: Offer, body: bytes, tmp_path: Path) -> None:
    place = Place(body, slow=0.25)
    folder = offer(server.gives("/vgg.pth", place))
    offered = (
        repr(weight_files.KNOWN["vgg19"]).replace("Weights(", "p.Weights(").replace("Source(", "p.Source(")
    )
    code = "from artgen.cli import main; from artgen.models.features import weight_files as p; "
    code += f"p.KNOWN['vgg19'] = {offered}"
    command = [sys.executable, "-c", f"{code}; main()", "models", "pull", "vgg19", "--json"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    part = folder / "vgg.pth.part"
    before = 0
    for how in (signal.SIGKILL, signal.SIGINT):
        running = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size > before) and time.monotonic() < until:
            time.sleep(0.01)
        running.send_signal(how)
        _, said = running.communicate()
        assert not (folder / "vgg19.safetensors").exists()
        assert before < part.stat().st_size < len(body)
        before = part.stat().st_size
        if how == signal.SIGINT:
            assert (running.returncode, said) == (130, "interrupted\n")
    place.slow = 0.0
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"published": "vgg.pth"' in done.stdout
    assert place.asked[-1] == f"bytes={before}-"
    assert (folder / "vgg19.safetensors").is_file()


def test_progress_is_of_bytes(server: Server, offer: Offer, body: bytes) -> None:
    offer(server.gives("/vgg.pth", Place(body)))
    said: list[str] = []

    def emit(event: object) -> None:
        assert isinstance(event, WorkProgress)
        said.append(event.said)

    pull("vgg19", emit)
    assert said[-1] == "checking"
    assert said[-2].startswith("1 of 1 MB from 127.0.0.1:")
