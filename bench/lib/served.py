"""``leadglass serve`` as a process of its own before a database, and a client that is let in everywhere."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
from bench.lib.command import on_disk
from tests.peers.places import LOOPBACK, free_port

from leadglass import wiring
from leadglass.model.account import Account, Permission, Role
from leadglass.scan.ids import scan_id
from leadglass.store import accounts, web_sessions
from leadglass.store.database import Database
from leadglass.store.web_sessions import Session, Token
from leadglass.web.secrets import api_token, digest_of

__all__ = ["served"]

_WHO = "bench"
_DAY = 86_400
_PATIENCE = 60.0


@contextlib.contextmanager
def served(database: Database) -> Iterator[httpx.Client]:
    """The client keeps one connection open; whatever is no 200 raises."""
    port, shown = free_port(LOOPBACK), _let_in(database)
    bind = ("--bind", f"127.0.0.1:{port}", "--database", str(database.path or database.where))
    with on_disk() as home:
        process = subprocess.Popen(
            [sys.executable, "-m", "leadglass", "serve", *bind], cwd=home, stdout=subprocess.DEVNULL
        )
        try:
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}",
                cookies={"leadglass": shown},
                headers={"Authorization": f"Bearer {shown}"},
                timeout=_PATIENCE,
                event_hooks={"response": [lambda answer: answer.raise_for_status()]},
            ) as client:
                _wait_for(client)
                yield client
        finally:
            process.terminate()
            process.wait()


def _let_in(database: Database) -> str:
    """What opens a session at pages and is a token at the API; the account has no password."""
    clock, randomness = wiring.clock(), wiring.randomness()
    now = int(clock.posix())
    if accounts.account_of(database, _WHO) is None:
        accounts.add_account(database, Account(_WHO, Role.ADMINISTRATOR))
    shown, identifier = api_token(randomness), scan_id(now, randomness)
    session = Session(identifier, _WHO, now, now, now, now + _DAY, "127.0.0.1", "")
    web_sessions.begin_session(database, digest_of(shown), session)
    token = Token(identifier, _WHO, _WHO, frozenset({Permission.READ}), now, now + _DAY)
    web_sessions.add_token(database, digest_of(shown), token)
    return shown


def _wait_for(client: httpx.Client) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            client.get("/health")
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
