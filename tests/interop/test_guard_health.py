"""The health of a guard is told to whoever asks, whatever others do with their connections."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading

from leadglass.guard.health import Health
from leadglass.settings.guard import Address


def test_connections_that_say_nothing_take_few_threads_and_keep_nobody_from_an_answer() -> None:
    before = threading.active_count()
    health = Health(Address("127.0.0.1", 0), lambda: {"workers": 1.0})
    where = ("127.0.0.1", health.port)
    with contextlib.closing(health), contextlib.ExitStack() as stack:
        silent = [stack.enter_context(socket.create_connection(where, 5)) for _ in range(100)]
        asking = stack.enter_context(contextlib.closing(http.client.HTTPConnection(*where, timeout=5)))
        asking.request("GET", "/health")
        answer = asking.getresponse()
        assert (answer.status, answer.read()[:14]) == (200, b'{"state": "ok"')
        assert silent[0].recv(1) == b"", "the first has made room"
        assert threading.active_count() - before < 30
