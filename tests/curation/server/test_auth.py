"""Access: only one browser, which has used the one-time token, and only from the page itself."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.curation.served import Client, CurateProcess

MakeRun = Callable[..., Path]
DECISION_BODY = json.dumps({"action": "ab" * 16, "view": "x", "rows": [[1, "mark", "kept"]]}).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, _made_runs: MakeRun) -> Iterator[CurateProcess]:
    folder = tmp_path_factory.mktemp("auth") / "runs" / "abstracts-1a2b3c4d"
    shutil.copytree(_made_runs(folder.name, ((64, 64),) * 2, "Abstracts", "{index}"), folder)
    server = CurateProcess(folder)
    yield server
    assert server.stop()[0] == 0
    assert server.stderr_path.read_text() == ""


@pytest.fixture(scope="module")
def client(server: CurateProcess) -> Client:
    return server.client()


def test_every_response_has_security_headers(client: Client) -> None:
    for path in ("/", "/api/run", "/thumb/1.webp", "/picture/1.png", "/page/main.js", "/none"):
        _, headers, _ = client.request("GET", path)
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers
        assert "access-control-allow-origin" not in headers
    _, headers, _ = Client(client.port).request("GET", "/")
    assert "default-src 'none'" in headers["content-security-policy"]


def test_the_cookie_is_hidden_from_scripts_and_other_sites(tmp_path: Path, finished_run: MakeRun) -> None:
    server = CurateProcess(finished_run(shapes=((64, 64),)))
    try:
        token = server.url.partition("?token=")[2]
        assert len(token) >= 32
        new_client = Client(server.port)
        for invalid_token in ("", "x", token[:-1], token + "x", "%00", "%ff", token.swapcase()):
            assert new_client.request("GET", f"/?token={invalid_token}")[0] == 403
        assert new_client.request("GET", f"/api/run?token={token}")[0] == 403
        assert new_client.request("POST", f"/?token={token}", b"{}")[0] in (403, 405)
        _, headers, _ = new_client.request("GET", f"/?token={token}")
        assert "location" not in headers  # after a click elsewhere a redirect would lose the cookie
        parts = {part.strip() for part in headers["set-cookie"].split(";")[1:]}
        assert parts == {"Path=/", "HttpOnly", "SameSite=Strict"}
        assert headers["set-cookie"].startswith(f"artgen-{server.port}=")
        assert token not in headers["set-cookie"]
        assert Client(server.port).request("GET", f"/?token={token}")[0] == 403
        server.stop()
    finally:
        server.kill()


def test_a_used_token_gives_access_only_to_the_first_browser(server: CurateProcess, client: Client) -> None:
    token = server.url.partition("?token=")[2]
    status, headers, page = Client(server.port).request("GET", f"/?token={token}")
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"artgen curate" in page
    assert "set-cookie" not in headers
    assert client.request("GET", f"/?token={token}")[0] == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/api/run", "/api/events", "/thumb/1.webp", "/picture/1.png", "/stage/1/0.webp", "/page/main.js"],
)
def test_nothing_is_shown_without_the_cookie(server: CurateProcess, client: Client, path: str) -> None:
    name, _, secret = client.cookie.partition("=")
    new_client = Client(server.port)
    for cookie in (
        None,
        "",
        "artgen=1",
        f"{name}=",
        f"{name}=x{secret}",
        f"artgen-1={secret}",
        f"x{name}={secret}",
    ):
        status, _, content = new_client.request("GET", path, cookie=cookie)
        assert status == 403
        assert b"abstracts" not in content.lower()
    assert new_client.request("POST", "/api/decisions", DECISION_BODY)[0] == 403


def test_another_run_has_another_token_and_cookie(
    server: CurateProcess, client: Client, finished_run: MakeRun
) -> None:
    other = CurateProcess(finished_run(shapes=((64, 64),)))
    try:
        token = other.url.partition("?token=")[2]
        assert Client(server.port).request("GET", f"/?token={token}")[0] == 403
        other_client = other.client()
        assert client.request("GET", "/api/run", cookie=other_client.cookie)[0] == 403
        renamed_cookie = f"artgen-{server.port}={other_client.cookie.partition('=')[2]}"
        assert client.request("GET", "/api/run", cookie=renamed_cookie)[0] == 403
        # A browser sends the cookies of every port.
        assert client.request("GET", "/api/run", cookie=f"{other_client.cookie}; {client.cookie}")[0] == 200
        other.stop()
    finally:
        other.kill()


@pytest.mark.parametrize(
    "host", ["example.com", "example.com:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.example.com:{port}",
             "localhost:{port}.example.com", "[::1]:{port}", "user@127.0.0.1:{port}", ""]
)  # fmt: skip
def test_another_host_is_refused(client: Client, host: str) -> None:
    host_header = host.format(port=client.port)
    assert client.request("GET", "/api/run", host=host_header)[0] in (400, 403)
    assert client.request("GET", "/", host=host_header)[0] in (400, 403)
    assert client.request("POST", "/api/undo", b'{"view":"x"}', host=host_header)[0] in (400, 403)


def test_localhost_is_an_allowed_host(client: Client) -> None:
    name = f"localhost:{client.port}"
    assert client.request("GET", "/api/run", host=name)[0] == 200
    body = b'{"view":"x"}'
    assert client.request("POST", "/api/redo", body, host=name, origin=f"http://{name}")[0] == 200
    assert client.request("POST", "/api/redo", body, host=name)[0] == 403


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
def test_only_the_page_can_decide(client: Client, headers: dict[str, str | None], status: int) -> None:
    before = client.get("/api/run")
    sent = {name: value and value.format(port=client.port) for name, value in headers.items()}
    assert client.request("POST", "/api/decisions", DECISION_BODY, **sent)[0] == status
    assert client.get("/api/run") == before


def test_a_request_of_the_page_is_accepted_by_origin_or_fetch_site(client: Client) -> None:
    for headers in (
        {"origin": None, "sec_fetch_site": "same-origin"},
        {"content_type": "Application/JSON; charset=utf-8"},
    ):
        assert client.request("POST", "/api/redo", b'{"view":"x"}', **headers)[0] == 200


def test_other_pages_cannot_embed_the_pictures(client: Client) -> None:
    for site in ("cross-site", "same-site"):
        assert client.request("GET", "/thumb/1.webp", sec_fetch_site=site)[0] == 403
    assert client.request("GET", "/thumb/1.webp", origin="http://example.com")[0] == 403
    assert client.request("GET", "/thumb/1.webp", sec_fetch_site="same-origin")[0] == 200
    assert client.request("GET", "/", sec_fetch_site="none")[0] == 200


@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "BREW"])
def test_only_get_and_post(client: Client, method: str) -> None:
    assert client.request(method, "/api/run")[0] in (400, 405)


def test_get_cannot_change_and_post_cannot_read(client: Client) -> None:
    assert client.request("GET", "/api/undo")[0] == 405
    assert client.request("POST", "/api/run", b"{}")[0] == 405


def test_a_huge_body_is_not_read(client: Client) -> None:
    for length in ((1 << 20) + 1, 20 << 20):
        with contextlib.suppress(OSError):  # it responds and closes the connection before all is sent
            assert client.request("POST", "/api/decisions", b" " * length)[0] == 413
    assert client.request("POST", "/api/decisions", None, content_length="99999999999")[0] == 413
    assert client.request("POST", "/api/decisions", None, content_length="-1")[0] in (400, 413)
    # Also a chunked body, whose length is not declared.
    chunks = b"".join(b"%x\r\n%s\r\n" % (1 << 16, b" " * (1 << 16)) for _ in range(20))
    chunked = {"content_length": None, "transfer_encoding": "chunked"}
    with contextlib.suppress(OSError):
        assert client.request("POST", "/api/decisions", chunks, **chunked)[0] == 413
    assert client.get("/api/run")["undo"] == 0
