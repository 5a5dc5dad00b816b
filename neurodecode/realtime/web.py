"""A small web page of the decisions, for this machine alone."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from urllib.parse import unquote

from neurodecode.errors import ConfigError
from neurodecode.realtime.types import Decision

__all__ = ["WebPage"]

_HOST = "127.0.0.1"
_FILES = {
    "/": ("stream.html", "text/html; charset=utf-8"),
    "/stream.js": ("stream.js", "text/javascript; charset=utf-8"),
    "/stream.css": ("stream.css", "text/css; charset=utf-8"),
}
_POLICY = (
    "; ".join(f"{kind}-src 'self'" for kind in ("img", "style", "script", "connect"))
    + "; default-src 'none'"
)
_PICTURE = "/picture/"
#: Decisions that wait for a slow browser; older ones are dropped.
_WAITING = 50
_BEAT_S = 5.0

#: From the id of a choice to a PNG file, or None if there is no picture.
Pictures = Callable[[str], bytes | None]


class WebPage:
    """Serves the page, and sends it every decision (server-sent events).

    Parameters
    ----------
    port : int
        On 127.0.0.1; 0 for one that is free.
    title : str
        Of the page.
    pictures : callable, optional
        PNG file of a choice.

    Attributes
    ----------
    url : str
        Address of the page.

    Raises
    ------
    ConfigError
        If the port is taken or may not be used.
    """

    def __init__(self, port: int, title: str, pictures: Pictures | None = None) -> None:
        try:
            self._server = _Server((_HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"--serve {port}: {error}; give another port") from error
        self._server.title, self._server.pictures = title, pictures
        self.url = f"http://{_HOST}:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __call__(self, decision: Decision) -> None:
        """Send a decision to every browser."""
        self._server.tell(json.dumps(decision.plain(), allow_nan=False))

    def close(self) -> None:
        """Stop."""
        self._server.tell(None)
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    title = ""
    pictures: Pictures | None = None

    def __init__(self, *args: object) -> None:
        self._lock, self._listeners = threading.Lock(), set[queue.Queue[str | None]]()
        self._last: str | None = None
        super().__init__(*args)

    def tell(self, message: str | None) -> None:
        """Queue a message for every browser; None ends."""
        with self._lock:
            self._last = message
            for listener in self._listeners:
                if listener.full():
                    listener.get_nowait()
                listener.put_nowait(message)

    def listen(self) -> queue.Queue[str | None]:
        """Give a queue that begins with the last decision."""
        listener: queue.Queue[str | None] = queue.Queue(_WAITING)
        with self._lock:
            if self._last is not None:
                listener.put_nowait(self._last)
            self._listeners.add(listener)
        return listener

    def leave(self, listener: queue.Queue[str | None]) -> None:
        """Forget a queue."""
        with self._lock:
            self._listeners.discard(listener)

    def handle_error(self, *args: object) -> None:
        """A browser that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        port = self.server.server_port
        # a page of the internet whose name leads to 127.0.0.1 must not read what is decoded
        if self.headers.get("Host") not in (f"{_HOST}:{port}", f"localhost:{port}"):
            self._send(HTTPStatus.FORBIDDEN, b"", "text/plain")
        elif self.path in _FILES:
            self._file(*_FILES[self.path])
        elif self.path == "/title":
            self._send(HTTPStatus.OK, self.server.title.encode(), "text/plain; charset=utf-8")
        elif self.path == "/events":
            self._events()
        elif self.path.startswith(_PICTURE) and self.server.pictures is not None:
            found = self.server.pictures(unquote(self.path.removeprefix(_PICTURE)))
            status = HTTPStatus.OK if found is not None else HTTPStatus.NOT_FOUND
            self._send(status, found or b"", "image/png")
        else:
            self._send(HTTPStatus.NOT_FOUND, b"", "text/plain")

    def _file(self, name: str, kind: str) -> None:
        content = files("neurodecode.realtime").joinpath("templates", name).read_bytes()
        self._send(HTTPStatus.OK, content, kind)

    def _head(self, status: HTTPStatus, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self._head(status, kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _events(self) -> None:
        self._head(HTTPStatus.OK, "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        listener = self.server.listen()
        try:
            while True:
                try:
                    message = listener.get(timeout=_BEAT_S)
                except queue.Empty:
                    self._write(": still there\n\n")
                    continue
                if message is None:
                    self._write("event: end\ndata: {}\n\n")
                    return
                self._write(f"data: {message}\n\n")
        except OSError:
            return
        finally:
            self.server.leave(listener)

    def _write(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def log_message(self, *args: object) -> None:
        """Say nothing in the terminal, where decisions are shown."""
