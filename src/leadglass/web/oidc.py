"""The identity provider: asked where it is, which keys it has, and who came back with a code.

Whatever is asked of it is asked over TLS that is verified, on the host of the configured issuer, within bounds
(``net.fetching``), by few at once: a provider that is slow or away takes no threads from those who have passwords.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urlsplit

from leadglass.access.id_token import IdTokenRules, Person, verify_id_token
from leadglass.access.identity import IdentityRefusal
from leadglass.access.key_set import Keys, read_keys
from leadglass.access.openid import Asking, Metadata, basic, discovery, grant, id_token_in, read_metadata
from leadglass.access.tokens import UnknownKey
from leadglass.errors import RemoteProtocolError, ResourceError, TransportError
from leadglass.net.fetching import Answer, Asked, fetch
from leadglass.ports.world import Clock
from leadglass.settings.serve import OidcSettings

__all__ = ["Fetch", "Provider"]

Fetch: TypeAlias = Callable[[Asked], Answer]

_PURPOSE = "the identity provider"
_AT_ONCE = 4
"""People for whom it is asked at once."""
_PATIENCE = 1.0
"""Seconds until somebody who waits behind them is sent away."""
_SECONDS = 10.0
"""For each step of a question to it."""
_KEPT = 3600.0
"""Seconds for which metadata and keys are kept."""
_SELDOM = 10.0
"""Seconds between two questions for the same document: one that fails, or a key that nobody knows."""


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: Metadata
    keys: Keys
    at: float
    """Seconds of the clock: when it was asked."""


class Provider:
    """One provider; for many threads."""

    def __init__(self, settings: OidcSettings, secret: str, clock: Clock, ask: Fetch = fetch) -> None:
        """``secret`` is what ``client_secret_file`` holds. Nothing is asked yet."""
        self.settings = settings
        self._secret = secret
        self._clock = clock
        self._ask = ask
        self._known: _Known | None = None
        self._asked_at: float | None = None
        self._one = threading.Lock()
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    @property
    def host(self) -> str:
        """What people know it by."""
        return urlsplit(self.settings.issuer).netloc

    def address(self, asking: Asking) -> str:
        """Where to send a browser; ``TransportError`` or ``RemoteProtocolError`` if the provider is of no use now."""
        return self._current().metadata.leads_to(asking)

    def names_itself(self) -> bool:
        """Whether its responses have to say whose they are (RFC 9207)."""
        return self._current().metadata.names_itself

    def person(self, code: str, asking: Asking) -> Person | IdentityRefusal:
        """Who came back with ``code`` from where ``asking`` led; errors as of ``address``."""
        known = self._current()
        with self._turn():
            jwt = self._exchange(known.metadata, code, asking)
        found = self._verified(jwt, known.keys, asking.nonce)
        if isinstance(found, UnknownKey):
            found = self._verified(jwt, self._known_since(_SELDOM).keys, asking.nonce)
        if isinstance(found, UnknownKey):
            return IdentityRefusal("no key of the provider made the token's signature", "token-key")
        return found

    def _verified(self, jwt: bytes, keys: Keys, nonce: str) -> Person | IdentityRefusal | UnknownKey:
        told = self.settings
        rules = IdTokenRules(told.issuer, told.client_id, told.roles_claim)
        return verify_id_token(jwt, keys, rules, nonce, self._clock.posix())

    def _exchange(self, metadata: Metadata, code: str, asking: Asking) -> bytes:
        headers = {
            "Authorization": basic(self.settings.client_id, self._secret),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        }
        body = grant(code, asking.back, asking.verifier)
        answer = self._ask(self._asked(metadata.token, "POST", body, headers))
        return id_token_in(answer.status, answer.body)

    def _asked(
        self, url: str, method: str = "GET", body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Asked:
        return Asked(_PURPOSE, url, method, body, headers, self.settings.ca, seconds=_SECONDS)

    # ---- its documents

    def _current(self) -> _Known:
        return self._known_since(_KEPT)

    def _known_since(self, seconds: float) -> _Known:
        """What it said ``seconds`` ago at most; who finds that waits for nobody."""
        found = self._kept(seconds)
        if found is None:
            with self._turn(), self._one:
                found = self._kept(seconds) or self._learn()
        return found

    def _kept(self, seconds: float) -> _Known | None:
        known = self._known
        is_new = known is not None and self._clock.monotonic() - known.at < seconds
        return known if is_new else None

    def _learn(self) -> _Known:
        now = self._clock.monotonic()
        if self._asked_at is not None and now - self._asked_at < _SELDOM:
            raise TransportError("did not answer a moment ago", where=_PURPOSE, then="try again soon")
        self._asked_at = now
        metadata = read_metadata(self._document(discovery(self.settings.issuer)), self.settings.issuer)
        self._known = _Known(metadata, read_keys(self._document(metadata.keys)), now)
        self._asked_at = None
        return self._known

    def _document(self, url: str) -> bytes:
        answer = self._ask(self._asked(url))
        if answer.status != 200:
            # A redirection is not followed: what it says is for the issuer to say.
            raise RemoteProtocolError(f"{_PURPOSE} answers {answer.status} where its documents should be")
        return answer.body

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_PATIENCE):
            raise ResourceError("too many people sign in at once", then="try again in a moment")
        try:
            yield
        finally:
            self._turns.release()
