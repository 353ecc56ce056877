"""The dashboard in this process, over a real store, and browsers and programs that ask it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from leadglass.access.passcodes import hash_passcode
from leadglass.model.account import Account, Permission, Role
from leadglass.ports.dashboard import Desks
from leadglass.scan.ids import scan_id
from leadglass.settings.serve import ServeSettings
from leadglass.store import accounts, web_sessions
from leadglass.store.database import Database, open_database
from leadglass.store.web_sessions import Session, Token
from leadglass.web.app import create
from leadglass.web.oidc import Provider
from leadglass.web.secrets import api_token, csrf_of, digest_of, secret
from leadglass.web.site import Site
from leadglass.wiring.dossier import dossier
from leadglass.wiring.serving import desks_of

__all__ = ["PASSWORD", "Browser", "Dashboard", "World", "dashboard"]

PASSWORD = "a lantern above seven quiet harbours"
"""Of every account that is made here."""
_HASHES: dict[str, str] = {}


class World:
    """Clock and randomness that a test decides on."""

    def __init__(self, now: float = 1_795_237_200.0) -> None:
        """2026-11-21T05:00:00Z."""
        self.now = now
        self._count = 0

    def monotonic(self) -> float:
        return self.now

    def posix(self) -> float:
        return self.now

    def token(self, size: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(size, "big")


@dataclass
class Browser:
    """A client of the application: no socket in between. Cookies are kept, redirects are not followed."""

    client: httpx.AsyncClient
    runner: asyncio.Runner
    csrf: str = ""
    """The token of its session, if it has one."""

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.client.get(path, **options))

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.runner.run(self.client.request(method, path, **options))

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """A form with the token of this session, sent as a browser sends one."""
        sent = {"csrf": self.csrf, **(data or {})}
        headers = {"Sec-Fetch-Site": "same-origin", **options.pop("headers", {})}
        return self.runner.run(self.client.post(path, data=sent, headers=headers, **options))

    def open(self, path: str) -> httpx.Response:
        """Get a page and remember the token in its forms."""
        answer = self.get(path)
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', answer.text)
        self.csrf = found[1] if found else self.csrf
        return answer


@dataclass
class Dashboard:
    """The application and what it stands on."""

    site: Site
    app: FastAPI
    world: World
    runner: asyncio.Runner
    base: str = "http://localhost"
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.site.database

    def account(self, name: str, role: Role) -> Account:
        """An account with ``PASSWORD``, made if there is none."""
        kept = accounts.account_of(self.database, name)
        if kept is not None:
            return kept.account
        if PASSWORD not in _HASHES:  # slow on purpose: once is enough
            _HASHES[PASSWORD] = hash_passcode(PASSWORD, b"0123456789abcdef")
        account = Account(name, role)
        accounts.add_account(self.database, account, _HASHES[PASSWORD])
        return account

    def stranger(self, **options: Any) -> Browser:
        """Somebody who has not signed in."""
        address = options.pop("address", "127.0.0.1")
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 40000))
        client = httpx.AsyncClient(transport=transport, base_url=self.base, **options)
        self.clients.append(client)
        return Browser(client, self.runner)

    def signed_in(self, role: Role, name: str | None = None) -> Browser:
        """Somebody with ``role`` who gave the password just now."""
        account, browser = self.account(name or role.value, role), self.stranger()
        shown, now = secret(self.world), self.site.now()
        identifier = scan_id(now, self.world)
        kept = Session(
            identifier, account.name, now, now, now, now + self.site.settings.absolute, "127.0.0.1", ""
        )
        web_sessions.begin_session(self.database, digest_of(shown), kept)
        prefix = "__Host-" if self.site.settings.is_secure else ""
        browser.client.cookies.set(f"{prefix}leadglass", shown, domain="localhost.local", path="/")
        browser.csrf = csrf_of(shown)
        return browser

    def program(
        self, scopes: Iterable[Permission], role: Role = Role.ADMINISTRATOR, name: str | None = None
    ) -> Browser:
        """A program with a token for ``scopes``, of an account with ``role``."""
        account, shown, now = self.account(name or role.value, role), api_token(self.world), self.site.now()
        token = Token(scan_id(now, self.world), account.name, "t", frozenset(scopes), now, now + 86_400)
        web_sessions.add_token(self.database, digest_of(shown), token)
        return self.stranger(headers={"Authorization": f"Bearer {shown}"})


@contextlib.contextmanager
def dashboard(
    folder: Path,
    settings: ServeSettings | None = None,
    desks: Desks | None = None,
    secret_of_oidc: str = "",
) -> Iterator[Dashboard]:
    """One over a new SQLite store in ``folder``; ``desks`` instead of the real ones."""
    world, settings = World(), settings or ServeSettings()
    with asyncio.Runner() as runner, open_database(str(folder / "dashboard.sqlite"), world.posix) as database:
        found = desks or desks_of(database, settings, dossier)
        provider = Provider(settings.oidc, secret_of_oidc, world) if settings.oidc else None
        site = Site(database, world, world, settings, found, provider)
        made = Dashboard(site, create(site), world, runner)
        yield made
        for client in made.clients:
            runner.run(client.aclose())
