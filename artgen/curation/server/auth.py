"""Who may speak to the sheet's server: this artist's browser, from this page, and nobody else.

Any web page can send requests to 127.0.0.1, and a name of its own can lead there (DNS rebinding). So
the host must be ours, what comes from a page must come from our page, and each request carries a cookie
that only a one-time token gives.
"""

from __future__ import annotations

import json
import secrets
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 1 << 20
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
CLOSED = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>artgen curate</title>'
    '<link rel="icon" href="data:,">'
    "<h1>This browser is not let in</h1><p>Open the address that <code>artgen curate</code> printed. "
    "It works once, in one browser; start the command again for another."
)

OPENED = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>artgen curate</title>'
    '<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url=/">'
)


class TooLargeError(Exception):
    """A body grew beyond what is taken."""


class Gate:
    """Lets through what may pass, answers the rest, and gives every answer its headers.

    Args:
        app: what it guards.
        port: the server's.

    Attributes:
        token: opens the page once.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self._cookie_name = f"artgen-{port}"
        self._secret = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)
        self._used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        begun = False

        async def sealed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        if refusal := self._refusal(scope):
            await _say(sealed, *refusal, html=scope["path"] == "/")
            return
        if scope["path"] == "/" and (token := _token(scope)) is not None:
            await self._let_in(scope, token, sealed)
            return
        if not self._has_cookie(scope):
            await _say(sealed, 403, "open the address that artgen curate printed", html=scope["path"] == "/")
            return
        try:
            await self._app(scope, _measured(receive), sealed)
        except TooLargeError:
            if not begun:
                await _say(sealed, 413, f"more than {LARGEST_BODY} bytes")

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        hosts, origins = _all(scope, b"host"), _all(scope, b"origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return 403, "this is another host's name"
        if any(origin != b"http://" + hosts[0] for origin in origins):
            return 403, "another page may not ask"
        site = _all(scope, b"sec-fetch-site")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST"
        opened = scope["path"] == "/" and scope["method"] == "GET"
        if not opened and any(one not in (b"same-origin", b"none") for one in site):
            return 403, "another page may not ask"
        if scope["method"] != "POST":
            return None
        if not origins and site != [b"same-origin"]:
            return 403, "only the page may decide"
        if [one.partition(b";")[0].strip().lower() for one in _all(scope, b"content-type")] != [
            b"application/json"
        ]:
            return 415, "application/json"
        lengths = _all(scope, b"content-length")
        if any(not one.isdigit() or len(one) > 12 or int(one) > LARGEST_BODY for one in lengths):
            return 413, f"more than {LARGEST_BODY} bytes"
        return None

    async def _let_in(self, scope: Scope, token: str, send: Send) -> None:
        fits = secrets.compare_digest(token.encode(), self.token.encode())
        if not self._has_cookie(scope) and (self._used or not fits):
            await _say(send, 403, "", html=True)
            return
        self._used = self._used or fits
        cookie = f"{self._cookie_name}={self._secret}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"set-cookie", cookie.encode())]
        headers += [(b"cache-control", b"no-store")]
        # No redirect: after a click in a mail or on another page, browsers would leave the strict cookie out.
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": OPENED.encode()})

    def _has_cookie(self, scope: Scope) -> bool:
        for line in _all(scope, b"cookie"):
            for part in line.split(b";"):
                name, _, value = part.strip().partition(b"=")
                if name == self._cookie_name.encode() and secrets.compare_digest(
                    value, self._secret.encode()
                ):
                    return True
        return False


def _measured(receive: Receive) -> Receive:
    taken = 0

    async def measured() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise TooLargeError
        return message

    return measured


def _all(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def _token(scope: Scope) -> str | None:
    if scope["method"] != "GET":
        return None
    values = parse_qs(scope["query_string"].decode("latin-1")).get("token")
    return values[0] if values else None


async def _say(send: Send, status: int, words: str, *, html: bool = False) -> None:
    body = CLOSED if html else json.dumps({"error": words})
    kind = b"text/html; charset=utf-8" if html else b"application/json"
    headers = [(b"content-type", kind), (b"cache-control", b"no-store")]
    headers += [(b"content-length", str(len(body.encode())).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
