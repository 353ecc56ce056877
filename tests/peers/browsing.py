"""A dashboard on a port of loopback, filled with an invented practice, for a browser to look at."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from tests.peers import practice
from tests.peers.dashboard import Dashboard, dashboard

from leadglass.model.account import Role

__all__ = ["Served", "served"]


@dataclass(frozen=True)
class Served:
    """Where it is, and what a browser shows to be somebody."""

    dashboard: Dashboard
    url: str

    def cookie(self, role: Role) -> dict[str, str]:
        """The cookie of a session, as Playwright takes it."""
        browser = self.dashboard.signed_in(role)
        return {"name": "leadglass", "value": browser.client.cookies["leadglass"], "url": self.url}


@contextlib.contextmanager
def served(folder: Path, *, is_filled: bool = True) -> Iterator[Served]:
    """One on a free port."""
    with dashboard(folder) as made, socket.create_server(("127.0.0.1", 0)) as listening:
        made.world.now = time.time()
        if is_filled:
            practice.fill(made.database, int(made.world.now))
        config = uvicorn.Config(made.app, log_level="warning", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            yield Served(made, f"http://127.0.0.1:{listening.getsockname()[1]}")
        finally:
            server.should_exit = True
            thread.join(10)
