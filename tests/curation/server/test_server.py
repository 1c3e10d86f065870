"""The sheet's server: every address, two tabs, other processes, and its end."""

from __future__ import annotations

import http.client
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from artgen.locks import lock_folder
from artgen.runs.store import DecisionChange, Run
from tests.curation.served import Client, CurateProcess, EventListener

TITLE = '<script>alert(1)</script> & "co" {{ 7 * 7 }}'
MakeRun = Callable[..., Path]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _made_runs: MakeRun) -> Iterator[CurateProcess]:
    import shutil

    folder = tmp_path_factory.mktemp("served") / "runs" / "abstracts-1a2b3c4d"
    source_folder = _made_runs(folder.name, ((96, 96),) * 6, TITLE, "<img src=x onerror=alert(1)> {index}")
    shutil.copytree(source_folder, folder)
    server = CurateProcess(folder)
    yield server
    assert server.stop()[0] == 0
    assert server.stderr_path.read_text() == ""


@pytest.fixture(scope="module")
def _signed_in_client(server: CurateProcess) -> Client:
    return server.client()


@pytest.fixture
def client(server: CurateProcess, _signed_in_client: Client) -> Client:
    """A tab of the browser that has signed in."""
    return server.new_tab(_signed_in_client)


@pytest.fixture
def listen(client: Client) -> Iterator[Callable[[], EventListener]]:
    listeners: list[EventListener] = []

    def open_listener() -> EventListener:
        listeners.append(EventListener(client, client.get("/api/run")["cursor"]))
        return listeners[-1]

    yield open_listener
    for listener in listeners:
        listener.close()


def candidate_data(client: Client, number: int) -> dict[str, Any]:
    candidates = client.get("/api/run")["candidates"]
    return next(candidate for candidate in candidates if candidate["number"] == number)


def test_the_page_and_the_run(server: CurateProcess, client: Client) -> None:
    assert server.ready_data == {"run": "abstracts-1a2b3c4d", "url": server.url, "candidates": 6, "picked": 0}
    status, headers, html = client.request("GET", "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<script>alert" not in html
    assert b"&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;co&#34; {{ 7 * 7 }}" in html
    for link in ("/page/main.js", "/page/grid/grid.js", "/page/sheet.css", "/page/viewer/viewer.css"):
        status, headers, _ = client.request("GET", link)
        kind = "text/javascript" if link.endswith("js") else "text/css"
        assert (status, headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert client.request("GET", link, if_none_match=headers["etag"])[0] == 304
    status, headers, text = client.request("GET", "/api/run")
    assert (status, headers["content-type"]) == (200, "application/json")
    run = json.loads(text)
    assert (run["name"], run["title"], run["seed"]) == ("abstracts-1a2b3c4d", TITLE, 2017)
    assert (run["queued"], run["drawing"]) == ([], False)
    assert [candidate["number"] for candidate in run["candidates"]] == [1, 2, 3, 4, 5, 6]
    fourth_candidate = run["candidates"][3]
    assert fourth_candidate == {
        "number": 4,
        "width": 96,
        "height": 96,
        "caption": "<img src=x onerror=alert(1)> 4",
        "seconds": 0,
        "draws": {"style": {"style": ["builtin:great-wave"], "strength": pytest.approx(0.34)}},
        "stages": [["source", "crops", 8, 8], ["style", "style", 96, 96], ["grain", "grain", 96, 96]],
    }
    assert "use = " in client.get("/api/recipe")["text"]


def test_pictures(server: CurateProcess, client: Client) -> None:
    for path, kind, file in (
        ("/thumb/3.webp", "image/webp", "thumbs/0003.webp"),
        ("/picture/3.png", "image/png", "candidates/0003.png"),
        ("/stage/3/1.webp", "image/webp", "stages/0003-1-style.webp"),
    ):
        status, headers, content = client.request("GET", path)
        assert (status, headers["content-type"]) == (200, kind)
        assert headers["cache-control"] == "private, no-cache"
        assert content == (server.run / file).read_bytes()
        assert client.request("GET", path, if_none_match=headers["etag"])[::2] == (304, b"")
        assert client.request("HEAD", path)[::2] == (200, b"")
    assert client.request("GET", "/picture/3.png", range="bytes=1-3")[::2] == (206, b"PNG")


@pytest.mark.parametrize(
    "path",
    [
        *("/thumb/99.webp", "/picture/99.png", "/stage/99/0.webp", "/stage/1/3.webp", "/stage/1/999.webp"),
        *("/thumb/0.webp", "/thumb/-1.webp", "/thumb/01.webp", "/thumb/1", "/thumb/1.png", "/picture/1.webp"),
        *("/thumb/../run.db", "/thumb/..%2frun.db", "/thumb/%2e%2e%2frun.db", "/thumb/%2e%2e/run.db"),
        *("/picture/../../../../etc/passwd", "/picture/..%2f..%2frecipe.toml", "/stage/../0.webp"),
        *("/stage/1/..%2f..%2frun.db", "/stage/%2e%2e%2f1/0.webp", "/thumb/1%00.webp", "/thumb/١.webp"),
        *("/page/..%2fapp.py", "/page/../app.py", "/page/index.html", "/page/.js", "/page/none.js"),
        *("/page/grid/../../app.py", "/page/grid/..%2fmain.js", "/page/grid/", "/page//main.js"),
        *("/thumb/" + "9" * 5000 + ".webp", "/run.db", "/api", "/api/other", "//etc/passwd", "/thumb/"),
    ],
)
def test_ids_are_numbers_and_never_paths(client: Client, path: str) -> None:
    from urllib.parse import quote

    status, headers, content = client.request("GET", quote(path, safe="/%."))
    assert (status, headers["content-type"]) == (404, "application/json")
    assert list(json.loads(content)) == ["error"]


def test_decisions_undo_redo_and_a_round(server: CurateProcess, client: Client) -> None:
    before = client.get("/api/run")
    action = uuid.uuid4().hex
    response = client.decide((1, "mark", "kept"), (1, "stars", 4), action=action)
    assert response == {
        "action": action,
        "rows": [[1, "mark", "kept"], [1, "stars", 4]],
        "undo": before["undo"] + 1,
        "redo": 0,
        "cursor": response["cursor"],
    }
    with Run.open(server.run) as run:  # on disk, for another process to read
        assert (run.candidate(1).mark, run.candidate(1).stars) == ("kept", 4)
    assert client.decide((1, "mark", "kept"), (1, "stars", 4), action=action) == response
    assert candidate_data(client, 1)["stars"] == 4
    undone = client.post("/api/undo", {"view": "sheet run"})
    assert (undone["rows"], undone["redo"]) == ([[1, "mark", None], [1, "stars", 0]], 1)
    assert "mark" not in candidate_data(client, 1)
    redone = client.post("/api/redo", {"view": "sheet run", "action": uuid.uuid4().hex})
    assert (redone["rows"], redone["redo"]) == (response["rows"], 0)
    next_round = client.post("/api/round", {"view": "sheet run", "action": uuid.uuid4().hex})
    assert next_round["rows"] == [[1, "round", 2], [1, "mark", None]]
    error = client.post("/api/round", {"view": "sheet run", "action": uuid.uuid4().hex}, 400)
    assert "nothing is kept" in error["error"]
    client.decide((2, "title", "Tide </script>"), (2, "alt", "a wave"))
    assert candidate_data(client, 2)["title"] == "Tide </script>"
    for _ in range(3):
        client.post("/api/undo", {"view": "sheet run"})
    without_undo = client.post("/api/undo", {"view": "sheet run"})
    assert (without_undo["action"], without_undo["undo"], without_undo["redo"]) == (None, 0, 3)
    rows = (server.run / "decisions.jsonl").read_text().splitlines()
    assert len(rows) == 8
    assert {json.loads(row)["view"] for row in rows} == {"sheet run"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/decisions", b""),
        ("/api/decisions", b"[]"),
        ("/api/decisions", b"[" * 100_000),
        ("/api/decisions", b"\xff\xfe"),
        ("/api/decisions", {"action": "ab" * 16, "view": "x"}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": []}),
        ("/api/decisions", {"action": "../../x", "view": "x", "rows": [[1, "mark", "kept"]]}),
        ("/api/decisions", {"action": 7, "view": "x", "rows": [[1, "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x" * 201, "rows": [[1, "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [["1", "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[True, "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[99, "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1e400, "mark", "kept"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "mark", "picked"]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "stars", 6]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "stars", True]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "stars", 2.5]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "title", {"a": 1}]]}),
        ("/api/decisions", {"action": "ab" * 16, "view": "x", "rows": [[1, "file", "/etc/passwd"]]}),
        ("/api/decisions", b'{"action":"abababab","view":"x","rows":[[1,"title","\\ud800"]]}'),
        ("/api/undo", {"view": 3}),
        ("/api/undo", {"view": "x", "action": "no"}),
        ("/api/redo", {}),
        ("/api/round", {"view": None}),
        ("/api/variations", {"candidate": 1, "count": 17}),
        ("/api/variations", {"candidate": 99, "count": 1}),
        ("/api/variations", {"candidate": "../1", "count": 1}),
    ],
)
def test_invalid_requests_are_rejected_with_a_message(client: Client, path: str, body: Any) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    before = client.get("/api/run")
    status, headers, response_body = client.request("POST", path, content)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert json.loads(response_body)["error"]
    assert client.get("/api/run") == before


@pytest.mark.parametrize(
    "path",
    [
        *("/api/order", "/api/order?by=price", "/api/order?by=like", "/api/order?by=like&candidate=../1"),
        *("/api/reasons", "/api/reasons?candidate=x", "/api/proposal", "/api/proposal?count=-1"),
        *("/api/events?cursor=x", "/api/events?cursor=1", "/api/events?cursor=1.2.3"),
    ],
)
def test_invalid_parameters_are_rejected(client: Client, path: str) -> None:
    assert client.get(path, 400)["error"]


def test_two_tabs_agree(client: Client, server: CurateProcess, listen: Callable[[], EventListener]) -> None:
    first, second = listen(), listen()
    other = server.new_tab(client)
    response = client.decide((3, "mark", "kept"))
    for listener in (first, second):
        event_id, data = listener.next("decisions")
        assert data == {"rows": [[3, "mark", "kept"]], "undo": response["undo"], "redo": 0}
        assert event_id == client.get("/api/run")["cursor"]
    other.post("/api/undo", {"view": "loupe"})
    event_id, data = first.next("decisions")
    assert (data["rows"], data["redo"]) == ([[3, "mark", None]], 1)
    # A tab that was disconnected receives what it missed, and only that.
    late_listener = EventListener(other, event_id)
    client.decide((3, "stars", 2))
    assert late_listener.next("decisions")[1]["rows"] == [[3, "stars", 2]]
    late_listener.close()
    client.post("/api/undo", {"view": "sheet"})


def test_changes_by_other_processes_arrive(
    client: Client, server: CurateProcess, listen: Callable[[], EventListener]
) -> None:
    listener = listen()
    _, queued = listener.next("queued")
    assert queued == {"queued": [], "drawing": False, "problem": None}
    with Run.open(server.run) as run:
        started_at = time.monotonic()
        run.add_candidate(replace(run.candidate(1), index=50, caption="new </script>", variation_of=1))
        event_id, data = listener.next("candidates")
        assert time.monotonic() - started_at < 1
        assert [(candidate["number"], candidate["variationOf"]) for candidate in data["candidates"]] == [
            (50, 1)
        ]
        assert data["candidates"][0] == candidate_data(client, 50)
        run.decisions.decide([DecisionChange(50, "mark", "rejected")], author="ada", view="command")
        assert listener.next("decisions")[1]["rows"] == [[50, "mark", "rejected"]]
        assert event_id.partition(".")[2] == client.get("/api/run")["cursor"].partition(".")[2]
        run.decisions.undo(author="ada", view="command")
        run.remove_candidate(50)


def test_variations_are_queued_for_a_run_at_work(
    client: Client, server: CurateProcess, listen: Callable[[], EventListener]
) -> None:
    listener = listen()
    with lock_folder(server.run):  # then the run at work draws them, and no process is started
        listener.next("queued", lambda data: data["drawing"])
        response = client.post("/api/variations", {"candidate": 2, "count": 2})
        assert response == {"queued": [[100_001, 2], [100_002, 2]]}
        assert listener.next("queued", lambda data: data["queued"])[1]["queued"] == response["queued"]
        assert client.get("/api/run")["queued"] == response["queued"]
        assert client.get("/api/run")["drawing"]
        with Run.open(server.run) as run:
            for number, parent in run.queued_variations():
                run.add_candidate(replace(run.candidate(parent), index=number, variation_of=parent))
        new_candidates = listener.next("candidates")[1]["candidates"]
        new_candidates += [] if len(new_candidates) == 2 else listener.next("candidates")[1]["candidates"]
        assert [candidate["number"] for candidate in new_candidates] == [100_001, 100_002]
        assert listener.next("queued", lambda data: not data["queued"])[1]["problem"] is None
    assert not listener.next("queued", lambda data: not data["drawing"])[1]["problem"]


def test_a_variation_that_cannot_be_drawn_is_reported(finished_run: MakeRun) -> None:
    folder = finished_run(shapes=((64, 64),))
    (folder / "recipe.toml").write_text("not [ toml")
    server = CurateProcess(folder)
    try:
        client = server.client()
        listener = EventListener(client, "0.0")
        client.post("/api/variations", {"candidate": 1, "count": 1})
        _, data = listener.next("queued", lambda data: data["problem"])
        assert "recipe" in data["problem"]
        assert (data["queued"], data["drawing"]) == ([[100_001, 1]], False)
        listener.close()
        assert server.stop()[0] == 0
    finally:
        server.kill()


@pytest.mark.slow
def test_variations_are_drawn_in_the_background_and_arrive(sampled: Path) -> None:
    (folder,) = (sampled / "runs").glob("tiny-*")
    server = CurateProcess(folder)
    try:
        client = server.client()
        listener = EventListener(client, client.get("/api/run")["cursor"])
        client.post("/api/variations", {"candidate": 3, "count": 2})
        listener.next("queued", lambda data: data["drawing"])
        new_candidates: list[dict[str, Any]] = []
        while len(new_candidates) < 2:
            new_candidates += listener.next("candidates", timeout_seconds=60)[1]["candidates"]
        assert {(candidate["number"], candidate["variationOf"]) for candidate in new_candidates} == {
            (100_001, 3),
            (100_002, 3),
        }
        _, data = listener.next("queued", lambda data: not data["drawing"], timeout_seconds=60)
        assert (data["queued"], data["problem"]) == ([], None)
        assert client.request("GET", "/picture/100001.png")[0] == 200
        # The process ends with the server; what is not drawn stays queued.
        client.post("/api/variations", {"candidate": 3, "count": 4})
        listener.next("queued", lambda data: data["drawing"])
        listener.close()
        code, seconds = server.stop()
        assert code == 0
        assert seconds < 3
        with lock_folder(folder), Run.open(folder) as run:
            assert run.queued_variations()
        assert server.stderr_path.read_text() == ""
    finally:
        server.kill()


@pytest.mark.slow
def test_drawing_variations_stops_when_the_server_is_killed(sampled: Path) -> None:
    (folder,) = (sampled / "runs").glob("tiny-*")
    server = CurateProcess(folder)
    try:
        client = server.client()
        listener = EventListener(client, client.get("/api/run")["cursor"])
        for _ in range(4):
            client.post("/api/variations", {"candidate": 3, "count": 16})
        listener.next("candidates", timeout_seconds=60)
    finally:
        server.kill()
    listener.ended.wait(5)
    time.sleep(2)
    with lock_folder(folder), Run.open(folder) as run:  # nothing is drawing there
        assert len(run.queued_variations()) > 16


def test_ctrl_c_ends_it_at_once_while_tabs_listen(finished_run: MakeRun) -> None:
    folder = finished_run(shapes=((64, 64),) * 2)
    server = CurateProcess(folder)
    try:
        client = server.client()
        listeners = [EventListener(client, "0.0") for _ in range(3)]
        client.decide((2, "mark", "kept"))
        for listener in listeners:
            listener.next("decisions")
        code, seconds = server.stop()
        assert code == 0
        assert seconds < 2
        assert all(listener.ended.wait(1) for listener in listeners)
        assert server.stderr_path.read_text() == ""
    finally:
        server.kill()


def decide_until_it_dies(client: Client, number: int, saved: list[tuple[int, str, Any]]) -> None:
    for step in range(10_000):
        row = (number, "stars", 1 + step % 5) if step % 2 else (number, "title", f"step {step}")
        try:
            client.decide(row)
        except (OSError, http.client.HTTPException):
            return
        saved.append(row)


@pytest.mark.parametrize("lost_files", [(), ("run.db",), ("run.db", "run.db-wal", "run.db-shm")])
def test_saved_decisions_survive_a_kill(finished_run: MakeRun, lost_files: tuple[str, ...]) -> None:
    folder = finished_run(shapes=((64, 64),) * 3)
    server = CurateProcess(folder)
    try:
        first = server.client()
        saved: dict[int, list[tuple[int, str, Any]]] = {number: [] for number in (1, 2, 3)}
        threads = [
            threading.Thread(target=decide_until_it_dies, args=(server.new_tab(first), number, rows))
            for number, rows in saved.items()
        ]
        for thread in threads:
            thread.start()
        while min(map(len, saved.values())) < 10:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGKILL)
        for thread in threads:
            thread.join()
    finally:
        server.kill()
    for name in lost_files:
        (folder / name).unlink(missing_ok=True)
    with Run.open(folder) as run:
        assert run.decisions.history.undo_count >= sum(map(len, saved.values()))
        for number, rows in saved.items():
            candidate = run.candidate(number)
            # One more may have been written and not acknowledged.
            for field in ("stars", "title"):
                values = [value for _, name, value in rows if name == field]
                later = (1 + len(rows) % 5, f"step {len(rows)}")
                assert getattr(candidate, field) in (values[-1], *later)
    assert list(folder.glob("candidates/*.png"))


def test_a_port_in_use_and_a_missing_run_are_reported(server: CurateProcess, tmp_path: Path) -> None:
    def curate(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "artgen", "curate", "--no-browser", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    result = curate(str(server.run), "--port", str(server.port))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"port {server.port}: cannot be used (")
    assert result.stderr.count("\n") == 1
    result = curate("--runs", str(tmp_path))
    assert (result.returncode, result.stdout) == (2, "")
    assert "no runs here" in result.stderr


def test_it_prints_the_address_opens_a_browser_and_prints_the_next_command(
    finished_run: MakeRun, tmp_path: Path
) -> None:
    import os

    folder = finished_run(shapes=((64, 64),), picks=(1,))
    command = [sys.executable, "-m", "artgen", "curate"]
    root = str(Path(__file__).parents[3])
    environment = {**os.environ, "BROWSER": "echo opened %s", "PYTHONPATH": root, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            lines = sorted(process.stdout.readline().strip() for _ in range(3))
            process.send_signal(signal.SIGINT)
            remaining_output, errors = process.communicate(timeout=10)
        finally:
            process.kill()  # if it does not end by itself, the test fails
    assert lines[0] == f"{folder.name}: 1 candidates, 1 kept. Ctrl-C ends it."
    assert lines[1].startswith("http://127.0.0.1:")
    assert lines[2] == f"opened {lines[1]}"
    assert (process.returncode, errors) == (0, "")
    assert remaining_output.strip() == f"1 kept. Next: artgen publish {folder.name}"


@pytest.mark.slow
def test_it_ends_cleanly_at_any_signal(finished_run: MakeRun) -> None:
    folder = finished_run(shapes=((64, 64),))
    command = [sys.executable, "-u", "-m", "artgen", "curate", "--no-browser", str(folder)]
    cases = itertools.product((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), (0.0, 0.02, 0.1, 0.3), (1, 2))
    for signal_number, delay, signal_count in cases:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                process.stdout.readline()
                time.sleep(delay)
                for _ in range(signal_count):  # the second while it is ending
                    process.send_signal(signal_number)
                    time.sleep(0.02)
                remaining_output, errors = process.communicate(timeout=10)
            finally:
                process.kill()
        assert (process.returncode, errors) == (0, ""), (signal_number, delay, signal_count)
        assert remaining_output.endswith("nothing kept yet\n")
