"""The keys of the identity provider: fetched, kept, fetched anew before they end, and not too often.

While the provider cannot be reached the last good keys serve for a bounded time; after it, nobody is
believed who comes with a token. A token signed with a key that is not known makes the keys be fetched
at once, but at most every ten seconds.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from leadglass.access.key_set import Keys, read_keys
from leadglass.access.strict import json_object
from leadglass.errors import ConfigError, RemoteProtocolError, TransportError
from leadglass.guard.identity.fetch import Address, fetch
from leadglass.guard.identity.freshness import LAST_GOOD, Freshness
from leadglass.ports.world import Clock

__all__ = ["Fetch", "Heard", "KeyCache", "Provider", "provider"]

_PURPOSE = "the identity provider"
_PATIENCE = 5.0
"""Seconds for one document."""
_DISCOVERY = "/.well-known/openid-configuration"

Fetch: TypeAlias = Callable[[], Awaitable[tuple[Keys, float | None]]]
"""Fetches keys and for how many seconds they may be kept; ``TransportError`` or ``RemoteProtocolError``."""
Heard: TypeAlias = Callable[[bytes], None]
"""Takes each key set that could be read, as it came; called in a thread."""


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider, by its issuer and perhaps the address of its keys; see ``provider``."""

    issuer: str
    start: Address
    """Its key set, or the document that says where that is."""
    discovers: bool
    tls: ssl.SSLContext
    heard: Heard | None = None

    async def keys(self) -> tuple[Keys, float | None]:
        """``Fetch``: ask it now."""
        address = await self._discovered() if self.discovers else self.start
        document = await fetch(_PURPOSE, address, self.tls, _PATIENCE)
        keys = read_keys(document.body)
        if self.heard is not None:
            await asyncio.to_thread(self.heard, document.body)
        return keys, document.max_age

    async def _discovered(self) -> Address:
        """Where it says that its keys are (OpenID Connect Discovery 1.0, 4): on its own host, for its own name."""
        document = await fetch(_PURPOSE, self.start, self.tls, _PATIENCE)
        try:
            told = json_object(document.body)
            address = Address.parse(str(told.get("jwks_uri")))
        except ValueError as exc:
            raise RemoteProtocolError(f"{self.start} names no address of keys ({exc})") from exc
        if told.get("issuer") != self.issuer:
            raise RemoteProtocolError(f"{self.start} is another issuer's than {self.issuer}")
        if (address.secure, address.host) != (self.start.secure, self.start.host):
            raise RemoteProtocolError(f"{self.start} has its keys on another host; name their address itself")
        return address


def provider(
    issuer: str, jwks: str | None = None, authorities: str | None = None, heard: Heard | None = None
) -> Provider:
    """The provider ``issuer``, whose keys are at ``jwks`` or where its discovery document says.

    ``authorities``: certificates in PEM form that vouch for it; None: those that the system trusts.
    ``ConfigError`` if an address is none that is trusted, or the certificates are none.
    """
    url = jwks or issuer.rstrip("/") + _DISCOVERY
    try:
        start = Address.parse(url)
    except ValueError as exc:
        raise ConfigError(f"{url!r} {exc}", where="identity provider") from exc
    return Provider(issuer, start, jwks is None, _trusting(authorities), heard)


def _trusting(authorities: str | None) -> ssl.SSLContext:
    if authorities is None:
        return ssl.create_default_context()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # Not through create_default_context: it takes an empty text for none, and trusts everybody's.
        tls.load_verify_locations(cadata=authorities)
    except (ssl.SSLError, ValueError, TypeError) as exc:
        raise ConfigError(
            "holds no certificate authorities in PEM form",
            where="the file that vouches for the identity provider",
            then="name one that does, or none to trust those of the system",
        ) from exc
    return tls


class KeyCache:
    """The keys at any moment. ``run`` keeps them fresh; without it they are fetched when they are asked for."""

    def __init__(self, fetch_keys: Fetch, clock: Clock, *, last_good: float = LAST_GOOD) -> None:
        self._fetch = fetch_keys
        self._clock = clock
        self._freshness = Freshness(last_good)
        self._keys: Keys | None = None
        self._flight: asyncio.Task[None] | None = None
        self.problem = ""
        """Why the last question had no answer; empty if it had. For health and log."""

    def begin_by(self, keys: Keys, age: float) -> None:
        """Let these serve that the provider told ``age`` seconds ago, to a process of before."""
        self._keys = keys
        self._freshness.kept(self._clock.monotonic() - age)

    async def current(self) -> Keys:
        """Keys that may be used now; ``TransportError`` if there are none."""
        now = self._clock.monotonic()
        if self._usable() is None or not (self._freshness.fresh(now) or self.problem):
            await self._refresh()
        elif self._freshness.due(now):
            # Nobody waits: the keys are fresh, or their provider was away a moment ago.
            self._begin()
        keys = self._usable()
        if keys is None:
            raise TransportError("no keys to verify tokens with", where=_PURPOSE, then=self.problem)
        return keys

    async def newer(self) -> Keys:
        """Keys that were asked for just now, if that is not too often; else as ``current``."""
        await self._refresh()
        return await self.current()

    async def run(self) -> NoReturn:
        """Fetch them whenever they are due, for ever."""
        while True:
            now = self._clock.monotonic()
            if self._freshness.due(now):
                await self._refresh()
            else:
                await asyncio.sleep(self._freshness.due_at(now) - now)

    @property
    def age(self) -> float | None:
        """Seconds since the provider answered; None: never."""
        return self._freshness.age(self._clock.monotonic())

    def _usable(self) -> Keys | None:
        return self._keys if self._freshness.usable(self._clock.monotonic()) else None

    async def _refresh(self) -> None:
        """Ask, or wait for the answer to a question that somebody else asked."""
        flight = self._begin()
        if flight is not None:
            # One caller who goes away does not take the answer from the others.
            await asyncio.shield(flight)

    def _begin(self) -> asyncio.Task[None] | None:
        if self._flight is None and self._freshness.may_ask(self._clock.monotonic()):
            self._freshness.asked(self._clock.monotonic())
            self._flight = asyncio.create_task(self._ask())
        return self._flight

    async def _ask(self) -> None:
        try:
            keys, max_age = await self._fetch()
        except (TransportError, RemoteProtocolError) as exc:
            self.problem = str(exc)
        else:
            self.problem = ""
            self._freshness.fetched(self._clock.monotonic(), max_age)
            # The same keys stay the same object, by which others see that nothing was rotated.
            self._keys = self._keys if keys == self._keys else keys
        finally:
            self._flight = None
