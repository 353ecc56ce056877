"""A page of numbers for Prometheus, on loopback only: its text format 0.0.4."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from leadglass.errors import ResourceError

__all__ = ["serving"]

_PATIENCE = 5.0
"""Seconds that whoever asks has for each step."""


@contextlib.contextmanager
def serving(host: str, port: int, page: Callable[[], str]) -> Iterator[int]:
    """Serve ``page`` at ``/metrics`` of a loopback address while the context lasts; the port.

    ``ResourceError`` if that place is taken.
    """
    assert ipaddress.ip_address(host).is_loopback

    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version = "leadglass"
        sys_version = ""

        def do_GET(self) -> None:
            is_known = self.path.partition("?")[0] == "/metrics"
            body = page().encode() if is_known else b"see /metrics\n"
            self.send_response(200 if is_known else 404)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: who asks is no news."""

    try:
        server = _Server((host, port), Handler)
    except OSError as exc:
        raise ResourceError(
            f"metrics cannot be served ({exc.strerror})", where=f"{host}:{port}", then="choose another port"
        ) from exc
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(_PATIENCE)
        server.server_close()


class _Server(ThreadingHTTPServer):
    """Says nothing about whoever hangs up."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Whoever asks may leave."""
