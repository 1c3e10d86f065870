"""Access to the contact sheet's server: only the artist's browser, and only from this page.

Any web page can send requests to 127.0.0.1, and can make its own host name lead there (DNS rebinding).
Therefore the host must be the server's own, a request from a page must come from the contact sheet, and
every request must carry a cookie that only the one-time token gives.
"""

from __future__ import annotations

import json
import secrets
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1 << 20
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
FORBIDDEN_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>artgen curate</title>'
    '<link rel="icon" href="data:,">'
    "<h1>This browser has no access</h1><p>Open the address that <code>artgen curate</code> printed. "
    "It works once, in one browser; start the command again for another."
)
SIGNED_IN_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>artgen curate</title>'
    '<link rel="icon" href="data:,"><meta http-equiv="refresh" content="0;url=/">'
)


class BodyTooLargeError(Exception):
    """A request's body is larger than ``MAX_BODY_BYTES``."""


class AuthMiddleware:
    """ASGI middleware that forwards permitted requests, rejects the others, and adds security headers.

    Args:
        app: the application behind it.
        port: the server's port.

    Attributes:
        token: the one-time token that opens the page.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._allowed_hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost")}
        self._cookie_name = f"artgen-{port}"
        self._cookie_value = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)
        self._is_token_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        is_response_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_response_started
            if message["type"] == "http.response.start":
                is_response_started = True
                extra_headers = [
                    (name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()
                ]
                message = {**message, "headers": [*message["headers"], *extra_headers]}
            await send(message)

        as_html = scope["path"] == "/"
        if refusal := self._find_refusal(scope):
            await _send_error(send_with_headers, *refusal, as_html=as_html)
            return
        if scope["path"] == "/" and (token := _read_token(scope)) is not None:
            await self._exchange_token(scope, token, send_with_headers)
            return
        if not self._has_valid_cookie(scope):
            message = "open the address that artgen curate printed"
            await _send_error(send_with_headers, 403, message, as_html=as_html)
            return
        try:
            await self._app(scope, _limit_body(receive), send_with_headers)
        except BodyTooLargeError:
            if not is_response_started:
                await _send_error(send_with_headers, 413, f"more than {MAX_BODY_BYTES} bytes")

    def _find_refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the HTTP status and the reason if the request is not permitted, whatever its cookie."""
        hosts, origins = _header_values(scope, b"host"), _header_values(scope, b"origin")
        if len(hosts) != 1 or hosts[0] not in self._allowed_hosts:
            return 403, "wrong host name"
        if any(origin != b"http://" + hosts[0] for origin in origins):
            return 403, "requests from another page are not allowed"
        fetch_sites = _header_values(scope, b"sec-fetch-site")
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST"
        is_page_opened = scope["path"] == "/" and scope["method"] == "GET"
        if not is_page_opened and any(site not in (b"same-origin", b"none") for site in fetch_sites):
            return 403, "requests from another page are not allowed"
        if scope["method"] != "POST":
            return None
        if not origins and fetch_sites != [b"same-origin"]:
            return 403, "only the contact sheet can send decisions"
        content_types = [
            value.partition(b";")[0].strip().lower() for value in _header_values(scope, b"content-type")
        ]
        if content_types != [b"application/json"]:
            return 415, "application/json"
        lengths = _header_values(scope, b"content-length")
        if any(
            not length.isdigit() or len(length) > 12 or int(length) > MAX_BODY_BYTES for length in lengths
        ):
            return 413, f"more than {MAX_BODY_BYTES} bytes"
        return None

    async def _exchange_token(self, scope: Scope, token: str, send: Send) -> None:
        is_token_valid = secrets.compare_digest(token.encode(), self.token.encode())
        if not self._has_valid_cookie(scope) and (self._is_token_used or not is_token_valid):
            await _send_error(send, 403, "", as_html=True)
            return
        self._is_token_used = self._is_token_used or is_token_valid
        cookie = f"{self._cookie_name}={self._cookie_value}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"set-cookie", cookie.encode())]
        headers += [(b"cache-control", b"no-store")]
        # A page, not a redirect: after a click in a mail or on another page, browsers would not send the
        # SameSite=Strict cookie to the target of a redirect.
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": SIGNED_IN_PAGE.encode()})

    def _has_valid_cookie(self, scope: Scope) -> bool:
        for header in _header_values(scope, b"cookie"):
            for pair in header.split(b";"):
                name, _, value = pair.strip().partition(b"=")
                if name == self._cookie_name.encode() and secrets.compare_digest(
                    value, self._cookie_value.encode()
                ):
                    return True
        return False


def _limit_body(receive: Receive) -> Receive:
    received_bytes = 0

    async def receive_limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_BODY_BYTES:
            raise BodyTooLargeError
        return message

    return receive_limited


def _header_values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for key, value in scope["headers"] if key == name]


def _read_token(scope: Scope) -> str | None:
    if scope["method"] != "GET":
        return None
    values = parse_qs(scope["query_string"].decode("latin-1")).get("token")
    return values[0] if values else None


async def _send_error(send: Send, status: int, message: str, *, as_html: bool = False) -> None:
    body = FORBIDDEN_PAGE if as_html else json.dumps({"error": message})
    content_type = b"text/html; charset=utf-8" if as_html else b"application/json"
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    headers += [(b"content-length", str(len(body.encode())).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})
