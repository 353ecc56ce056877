"""A server that is none, or that is no Leadglass, is told in one line."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from leadglass.errors import ConfigError, RemoteProtocolError
from leadglass.net.api_client import Api


@contextmanager
def answering(status: int, body: object) -> Iterator[Api]:
    """A server that answers everything alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Api(f"http://127.0.0.1:{server.server_port}", "token")
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "server",
    ["", "ftp://x", "http://", "http://127.0.0.1:99999", "http://127.0.0.1:x", "https://[::1", "https://x/y"],
)
def test_what_is_no_server_is_refused(server: str) -> None:
    with pytest.raises(ConfigError, match="this is no server"):
        Api(server, "token")


@pytest.mark.parametrize("body", [None, 1, [], {}, {"rows": None}, {"rows": [1]}, {"rows": "text"}])
def test_rows_of_somebody_else_are_none(body: object) -> None:
    with answering(200, body) as api, pytest.raises(RemoteProtocolError, match="as a Leadglass does"):
        list(api.rows("servers", most=5))


@pytest.mark.parametrize("body", [None, "text", {"state": "waiting"}])
def test_an_order_of_somebody_else_is_none(body: object) -> None:
    with answering(200, body) as api, pytest.raises(RemoteProtocolError, match="as a Leadglass does"):
        api.order("practice")


def test_a_server_that_fails_is_not_the_fault_of_who_asks() -> None:
    with (
        answering(500, {}) as api,
        pytest.raises(RemoteProtocolError, match="cannot answer now: it answers 500"),
    ):
        list(api.rows("servers", most=5))
