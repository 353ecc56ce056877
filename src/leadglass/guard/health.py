"""Health and metrics of a guard over plain HTTP, for whoever watches it: numbers, never names."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from leadglass.errors import ResourceError
from leadglass.settings.guard import Address

__all__ = ["Health", "is_counter", "metrics", "state_of"]

_HELP: Mapping[str, str] = {
    "associations": "Associations that are open.",
    "allowed": "Decisions that allowed something.",
    "denied": "Decisions that denied something.",
    "over_budget": "Refusals because a budget was used up.",
    "audit_lost": "Events that could not be written down after they had happened.",
    "stale": "Seconds since the roll could last be read; 0: it can.",
    "workers": "Processes that are serving.",
    "waiting": "Processes that cannot serve before the shared state is there.",
    "restarts": "Processes that had to be started again.",
    "turned_away": "Connections refused because there were too many.",
    "web_clients": "Clients that are connected to the DICOMweb door.",
}
_GAUGES = frozenset({"associations", "stale", "workers", "waiting", "web_clients"})
_PROBLEM = "problem_"
_AT_ONCE = 16
"""Questions that are answered at the same time."""


def is_counter(name: str) -> bool:
    """Whether a number only ever grows, so that what a process has counted outlives it."""
    return name not in _GAUGES and not name.startswith(_PROBLEM)


def metrics(numbers: Mapping[str, float]) -> str:
    """Numbers in the text format of Prometheus (exposition format 0.0.4)."""
    lines: list[str] = []
    # A counter that is not there until it counts hides its first step.
    for name, value in sorted({**dict.fromkeys(_HELP, 0.0), **numbers}.items()):
        if name.startswith("problem_"):
            continue
        kind = "gauge" if name in _GAUGES else "counter"
        full = f"leadglass_guard_{name}" + ("" if kind == "gauge" else "_total")
        lines += [f"# HELP {full} {_HELP.get(name, name)}", f"# TYPE {full} {kind}", f"{full} {value:g}"]
    lines += [
        "# HELP leadglass_guard_problem Something that does not work now.",
        "# TYPE leadglass_guard_problem gauge",
    ]
    lines += [
        f'leadglass_guard_problem{{with="{name[8:]}"}} 1'
        for name in sorted(numbers)
        if name.startswith("problem_")
    ]
    return "\n".join(lines) + "\n"


def state_of(numbers: Mapping[str, float]) -> tuple[int, str]:
    """HTTP status and a JSON document: ``ok``, ``degraded`` (care goes on), or ``failing`` (no process serves)."""
    problems = sorted(name[8:] for name in numbers if name.startswith("problem_"))
    word = "failing" if not numbers.get("workers") else "degraded" if problems else "ok"
    body = {"state": word, "problems": problems, "associations": int(numbers.get("associations", 0))}
    return (503 if word == "failing" else 200), json.dumps(body)


class _Server(ThreadingHTTPServer):
    """One thread a question, and not many: who is one too many takes the place of who came first.

    So whoever opens connections and says nothing neither fills the process nor keeps others from an answer.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, *about: Any) -> None:
        self._open: dict[socket.socket, None] = {}
        self._changing = threading.Lock()
        super().__init__(*about)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changing:
            while len(self._open) >= _AT_ONCE:
                first = next(iter(self._open))
                del self._open[first]
                with contextlib.suppress(OSError):  # it may be going by itself
                    first.shutdown(socket.SHUT_RDWR)
            self._open[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._changing:
            self._open.pop(request, None)
        super().shutdown_request(request)


class Health:
    """A small server in a thread of its own."""

    def __init__(self, address: Address, numbers: Callable[[], Mapping[str, float]]) -> None:
        """``ResourceError`` if the address cannot be had."""
        try:
            self._server = _Server((address.host, address.port), _handler(numbers))
        except OSError as exc:
            raise ResourceError(f"cannot listen ({exc.strerror})", where=str(address)) from exc
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


def _handler(numbers: Callable[[], Mapping[str, float]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0
        server_version = "leadglass"
        sys_version = ""

        def do_GET(self) -> None:
            if self.path == "/health":
                status, body = state_of(numbers())
                self._answer(status, "application/json", body)
            elif self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics(numbers()))
            else:
                self._answer(404, "text/plain; charset=utf-8", "there are /health and /metrics\n")

        def _answer(self, status: int, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            """Nothing: it would be a line every few seconds."""

    return Handler
