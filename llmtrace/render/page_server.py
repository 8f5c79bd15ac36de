"""The server of a page: on this machine alone, for who knows its token, reading only."""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Callable
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from llmtrace.render.page_service import RefusedError, Service, answered

ADDRESS = "127.0.0.1"
MOST_AT_ONCE = 16
"""So many requests are answered at once; others are refused."""
LONGEST_PATH = 4096
LARGEST_BODY = 1_000_000
PATIENCE = 10.0
"""Seconds after which a connection that says nothing is closed."""
METHODS = {"": "GET", "tensor": "GET", "explanation": "GET", "run": "POST"}
"""What can be asked, and how."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CLOSED = "default-src 'none'; frame-ancestors 'none'"


class PageServer(ThreadingHTTPServer):
    """Answers below a path that nobody can guess. `port` 0 is any free one."""

    daemon_threads = True  # what is still being answered does not keep the program from ending
    request_queue_size = 64

    def __init__(self, service: Service, port: int = 0) -> None:
        self.service = service
        self.token = secrets.token_urlsafe(24)
        self._places = BoundedSemaphore(MOST_AT_ONCE)
        super().__init__((ADDRESS, port), Handler)

    def server_bind(self) -> None:
        """Binds, without asking any network what this machine is called."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{ADDRESS}:{self.server_port}/{self.token}/"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answers in a thread of its own, unless too many are at work."""
        if not self._places.acquire(blocking=False):
            self._turn_away(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers, and makes room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def _turn_away(self, request: Any) -> None:
        try:
            request.settimeout(0.1)
            request.sendall(b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
            request.shutdown(socket.SHUT_WR)
            request.recv(LONGEST_PATH)  # closed with something unread, the answer could be lost
        except OSError:
            pass
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who has gone away is no error."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: PageServer
    timeout = PATIENCE
    server_version, sys_version = "llmtrace", ""

    def do_GET(self) -> None:
        """Answers, or says why not."""
        try:
            self._expect_reader()
            path, asked = self._path()
            if self.command != METHODS[path]:
                self._say(HTTPStatus.METHOD_NOT_ALLOWED, b"", "text/plain", {"Allow": METHODS[path]})
            elif path == "":
                nonce = secrets.token_urlsafe(16)
                may = f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'"
                policy = {
                    "Content-Security-Policy": f"{may}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
                }
                self._say(HTTPStatus.OK, self.server.service.page(nonce), "text/html", policy)
            else:
                given = self._body() if self.command == "POST" else asked
                self._say(HTTPStatus.OK, *answered(self.server.service, path, given))
        except RefusedError as refused:
            self._say(refused.status, str(refused).encode("utf-8", "replace"))
        except MemoryError:
            self._say(HTTPStatus.INSUFFICIENT_STORAGE, b"")

    do_POST = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_TRACE = do_CONNECT = do_GET  # noqa: N815 - so http.server finds them

    def _expect_reader(self) -> None:
        """RefusedError, unless it is this page that asks, or somebody who has typed its address."""
        own = [f"{name}:{self.server.server_port}" for name in (ADDRESS, "localhost")]
        hosts, origins = (self.headers.get_all(name, []) for name in ("Host", "Origin"))
        if len(hosts) != 1 or hosts[0] not in own:
            raise RefusedError(HTTPStatus.FORBIDDEN, "Host")
        if origins and origins != [f"http://{hosts[0]}"]:
            raise RefusedError(HTTPStatus.FORBIDDEN, "Origin")
        if self.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}:
            raise RefusedError(HTTPStatus.FORBIDDEN, "Sec-Fetch-Site")

    def _path(self) -> tuple[str, dict[str, str]]:
        """What is asked for, below the token."""
        if len(self.path) > LONGEST_PATH:
            raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "")
        parts = urlsplit(self.path)
        _empty, _slash, inside = parts.path.partition("/")
        token, slash, path = inside.partition("/")
        if not (compare_digest(token.encode(), self.server.token.encode()) and slash and path in METHODS):
            raise RefusedError(HTTPStatus.NOT_FOUND, "")
        return path, dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=10))

    def _body(self) -> Any:
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "application/json")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "Content-Length")
        if len(length) > 9 or int(length) > LARGEST_BODY:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(LARGEST_BODY))
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "JSON") from error

    def _say(
        self, status: HTTPStatus, body: bytes, kind: str = "text/plain", more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        text = kind.startswith("text/")
        headers = {"Content-Security-Policy": CLOSED, **HEADERS, **(more or {})}
        headers |= {"Content-Type": f"{kind}; charset=utf-8" if text else kind, "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What http.server itself refuses, in as few words."""
        self.command = self.command or "GET"
        self._say(HTTPStatus(code), b"")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written of what was asked."""


def serve(server: PageServer, ready: Callable[[], None]) -> None:
    """Answers until Ctrl-C or SIGTERM."""
    import signal

    def end(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        ready()
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
        for number, handler in before.items():
            signal.signal(number, handler)
