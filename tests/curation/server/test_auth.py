"""Who is let in: one browser, with a one-time token, from the page itself."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.curation.served import Client, Served

Make = Callable[..., Path]
DECISION = json.dumps({"action": "ab" * 16, "view": "x", "rows": [[1, "mark", "kept"]]}).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, _made_runs: Make) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("gated") / "runs" / "abstracts-1a2b3c4d"
    shutil.copytree(_made_runs(folder.name, ((64, 64),) * 2, "Abstracts", "{index}"), folder)
    server = Served(folder)
    yield server
    assert server.stop()[0] == 0
    assert server.errors.read_text() == ""


@pytest.fixture(scope="module")
def client(served: Served) -> Client:
    return served.client()


def test_every_answer_has_its_headers(client: Client) -> None:
    for path in ("/", "/api/run", "/thumb/1.webp", "/picture/1.png", "/page/main.js", "/none"):
        _, headers, _ = client.ask("GET", path)
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    _, headers, _ = Client(client.port).ask("GET", "/")
    assert "default-src 'none'" in headers["content-security-policy"]


def test_the_cookie_is_kept_from_scripts_and_other_sites(tmp_path: Path, finished_run: Make) -> None:
    server = Served(finished_run(shapes=((64, 64),)))
    try:
        token = server.url.partition("?token=")[2]
        assert len(token) >= 32
        fresh = Client(server.port)
        for wrong in ("", "x", token[:-1], token + "x", "%00", "%ff", token.swapcase()):
            assert fresh.ask("GET", f"/?token={wrong}")[0] == 403
        assert fresh.ask("GET", f"/api/run?token={token}")[0] == 403
        assert fresh.ask("POST", f"/?token={token}", b"{}")[0] in (403, 405)
        _, headers, _ = fresh.ask("GET", f"/?token={token}")
        assert "location" not in headers  # after a click elsewhere a redirect would lose the cookie
        parts = {part.strip() for part in headers["set-cookie"].split(";")[1:]}
        assert parts == {"Path=/", "HttpOnly", "SameSite=Strict"}
        assert headers["set-cookie"].startswith(f"artgen-{server.port}=")
        assert token not in headers["set-cookie"]
        assert Client(server.port).ask("GET", f"/?token={token}")[0] == 403
        server.stop()
    finally:
        server.end()


def test_a_used_token_lets_nobody_else_in_but_does_not_shut_out_who_is_in(
    served: Served, client: Client
) -> None:
    token = served.url.partition("?token=")[2]
    status, headers, page = Client(served.port).ask("GET", f"/?token={token}")
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"artgen curate" in page
    assert "set-cookie" not in headers
    assert client.ask("GET", f"/?token={token}")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/api/run", "/api/events", "/thumb/1.webp", "/picture/1.png", "/stage/1/0.webp", "/page/main.js"],
)
def test_without_the_cookie_nothing_is_shown(served: Served, client: Client, path: str) -> None:
    name, _, secret = client.cookie.partition("=")
    stranger = Client(served.port)
    for cookie in (
        None,
        "",
        "artgen=1",
        f"{name}=",
        f"{name}=x{secret}",
        f"artgen-1={secret}",
        f"x{name}={secret}",
    ):
        status, _, content = stranger.ask("GET", path, cookie=cookie)
        assert status == 403
        assert b"abstracts" not in content.lower()
    assert stranger.ask("POST", "/api/decisions", DECISION)[0] == 403


def test_another_run_has_another_token_and_cookie(served: Served, client: Client, finished_run: Make) -> None:
    other = Served(finished_run(shapes=((64, 64),)))
    try:
        token = other.url.partition("?token=")[2]
        assert Client(served.port).ask("GET", f"/?token={token}")[0] == 403
        inside = other.client()
        assert client.ask("GET", "/api/run", cookie=inside.cookie)[0] == 403
        renamed = f"artgen-{served.port}={inside.cookie.partition('=')[2]}"
        assert client.ask("GET", "/api/run", cookie=renamed)[0] == 403
        # A browser sends the cookies of every port.
        assert client.ask("GET", "/api/run", cookie=f"{inside.cookie}; {client.cookie}")[0] == 200
        other.stop()
    finally:
        other.end()


@pytest.mark.parametrize(
    "host", ["example.com", "example.com:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example.com:{port}",
             "localhost:{port}.example.com", "[::1]:{port}", "user@127.0.0.1:{port}", ""]
)  # fmt: skip
def test_another_host_is_refused(client: Client, host: str) -> None:
    named = host.format(port=client.port)
    assert client.ask("GET", "/api/run", host=named)[0] in (400, 403)
    assert client.ask("GET", "/", host=named)[0] in (400, 403)
    assert client.ask("POST", "/api/undo", b'{"view":"x"}', host=named)[0] in (400, 403)


def test_localhost_is_our_name_too(client: Client) -> None:
    name = f"localhost:{client.port}"
    assert client.ask("GET", "/api/run", host=name)[0] == 200
    body = b'{"view":"x"}'
    assert client.ask("POST", "/api/redo", body, host=name, origin=f"http://{name}")[0] == 200
    assert client.ask("POST", "/api/redo", body, host=name)[0] == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://example.com"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://127.0.0.1:{port}"}, 403),
        ({"origin": None}, 403),
        ({"origin": None, "sec_fetch_site": "cross-site"}, 403),
        ({"origin": None, "sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_type": "text/plain; application/json"}, 415),
        ({"content_type": None}, 415),
    ],
)
def test_only_the_page_decides(client: Client, headers: dict[str, str | None], status: int) -> None:
    before = client.get("/api/run")
    sent = {name: value and value.format(port=client.port) for name, value in headers.items()}
    assert client.ask("POST", "/api/decisions", DECISION, **sent)[0] == status
    assert client.get("/api/run") == before


def test_the_page_may_say_so_in_either_way(client: Client) -> None:
    for headers in (
        {"origin": None, "sec_fetch_site": "same-origin"},
        {"content_type": "Application/JSON; charset=utf-8"},
    ):
        assert client.ask("POST", "/api/redo", b'{"view":"x"}', **headers)[0] == 200


def test_other_pages_may_not_even_show_the_pictures(client: Client) -> None:
    for site in ("cross-site", "same-site"):
        assert client.ask("GET", "/thumb/1.webp", sec_fetch_site=site)[0] == 403
    assert client.ask("GET", "/thumb/1.webp", origin="http://example.com")[0] == 403
    assert client.ask("GET", "/thumb/1.webp", sec_fetch_site="same-origin")[0] == 200
    assert client.ask("GET", "/", sec_fetch_site="none")[0] == 200


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "BREW"])
def test_only_get_and_post(client: Client, method: str) -> None:
    assert client.ask(method, "/api/run")[0] in (400, 405)


def test_get_changes_nothing_and_post_reads_nothing(client: Client) -> None:
    assert client.ask("GET", "/api/undo")[0] == 405
    assert client.ask("POST", "/api/run", b"{}")[0] == 405


def test_a_huge_body_is_not_read(client: Client) -> None:
    for length in ((1 << 20) + 1, 20 << 20):
        with contextlib.suppress(OSError):  # it answers and hangs up before all is sent
            assert client.ask("POST", "/api/decisions", b" " * length)[0] == 413
    assert client.ask("POST", "/api/decisions", None, content_length="99999999999")[0] == 413
    assert client.ask("POST", "/api/decisions", None, content_length="-1")[0] in (400, 413)
    # And one that does not say how long it is.
    pieces = b"".join(b"%x\r\n%s\r\n" % (1 << 16, b" " * (1 << 16)) for _ in range(20))
    chunked = {"content_length": None, "transfer_encoding": "chunked"}
    with contextlib.suppress(OSError):
        assert client.ask("POST", "/api/decisions", pieces, **chunked)[0] == 413
    assert client.get("/api/run")["undo"] == 0
