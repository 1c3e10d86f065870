"""Access to the contact sheet's server: only the artist's browser, and only from this page.

Any web page can send requests to 127.0.0.1, and can make its own host name lead there (DNS rebinding).
Therefore the host must be the server's own, a request from a page must come from the contact sheet, and
every request must carry a cookie that only the one-time token gives.
"""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_REQUEST_BYTES = 1 << 20
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
        self._allowed_hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._cookie_name = f"artgen-{port}"
        self._cookie_value = secrets.token_urlsafe(32)
        self.token = secrets.token_urlsafe(32)
        self._is_token_used = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request to the contact sheet if it is permitted, or respond why it is not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a websocket
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        response = self._respond_without_app(Request(scope))
        await (response or self._app)(scope, _limit_body(receive), send_with_headers)

    def _respond_without_app(self, request: Request) -> Response | None:
        """Return the response to a request that is not permitted or brings the token; None for others."""
        as_html = request.scope["path"] == "/"
        if refusal := self._find_refusal(request):
            return _error_response(*refusal, as_html=as_html)
        has_cookie = self._has_valid_cookie(request)
        if as_html and request.method == "GET" and (token := request.query_params.get("token")):
            return self._exchange_token(token, has_cookie)
        if has_cookie:
            return None
        return _error_response(403, "open the address that artgen curate printed", as_html=as_html)

    def _find_refusal(self, request: Request) -> tuple[int, str] | None:
        """Return the HTTP status and the reason if the request is not permitted, whatever its cookie."""
        header_values, method = request.headers.getlist, request.method
        hosts, origins = header_values("host"), header_values("origin")
        if len(hosts) != 1 or hosts[0] not in self._allowed_hosts:
            return 403, "wrong host name"
        if any(origin != f"http://{hosts[0]}" for origin in origins):
            return 403, "requests from another page are not allowed"
        fetch_sites = header_values("sec-fetch-site")
        if method not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST"
        is_page_opened = request.scope["path"] == "/" and method == "GET"
        if not is_page_opened and any(site not in ("same-origin", "none") for site in fetch_sites):
            return 403, "requests from another page are not allowed"
        if method != "POST":
            return None
        if not origins and fetch_sites != ["same-origin"]:
            return 403, "only the contact sheet can send decisions"
        content_types = [value.partition(";")[0].strip().lower() for value in header_values("content-type")]
        if content_types != ["application/json"]:
            return 415, "application/json"
        for length in header_values("content-length"):
            if not length.isdecimal() or len(length) > 12 or int(length) > MAX_REQUEST_BYTES:
                return 413, f"more than {MAX_REQUEST_BYTES} bytes"
        return None

    def _exchange_token(self, token: str, has_cookie: bool) -> Response:
        """Return the page that sets the cookie, or refuse a wrong token and one that was used before."""
        is_token_valid = secrets.compare_digest(token.encode(), self.token.encode())
        if not has_cookie and (self._is_token_used or not is_token_valid):
            return _error_response(403, "", as_html=True)
        self._is_token_used = self._is_token_used or is_token_valid
        cookie = f"{self._cookie_name}={self._cookie_value}; Path=/; HttpOnly; SameSite=Strict"
        # A page, not a redirect: after a click in a mail or on another page, browsers would not send the
        # SameSite=Strict cookie to the target of a redirect.
        return HTMLResponse(SIGNED_IN_PAGE, headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})

    def _has_valid_cookie(self, request: Request) -> bool:
        value = request.cookies.get(self._cookie_name, "")
        return secrets.compare_digest(value.encode(), self._cookie_value.encode())


def _limit_body(receive: Receive) -> Receive:
    """Return a ``receive`` that raises an HTTP error once a request is larger than ``MAX_REQUEST_BYTES``."""
    received_bytes = 0

    async def receive_limited() -> Message:
        nonlocal received_bytes
        message = await receive()
        received_bytes += len(message.get("body", b""))
        if received_bytes > MAX_REQUEST_BYTES:
            raise HTTPException(413, f"more than {MAX_REQUEST_BYTES} bytes", {"Connection": "close"})
        return message

    return receive_limited


def _error_response(status: int, message: str, *, as_html: bool = False) -> Response:
    headers = {"Cache-Control": "no-store", "Connection": "close"}
    if as_html:
        return HTMLResponse(FORBIDDEN_PAGE, status, headers)
    return JSONResponse({"error": message}, status, headers)
