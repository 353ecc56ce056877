"""Whether a person is who they say: tokens by the provider's keys, passcodes by what is kept of them.

``People`` is the one way in. Who is believed for a token is believed until ``Believed.until``, the end
of the token, after which an association has to end.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from leadglass.access.admission import Peer, at_device, principal_of
from leadglass.access.identity import (
    IdentityRefusal,
    NeedsPasscode,
    NeedsToken,
    bearer_token,
    user_identity,
)
from leadglass.access.key_set import Keys
from leadglass.access.passcodes import Attempts, check_passcode
from leadglass.access.tokens import LONGEST, TokenRules, UnknownKey, Verified, verify
from leadglass.errors import TransportError
from leadglass.guard.identity.jwks import KeyCache
from leadglass.model.access import Principal
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.ports.world import Clock
from leadglass.wire.user_information import UserIdentityRQ

__all__ = ["Believed", "Identities", "Passcodes", "People"]

_REMEMBERED = 10_000
"""Tokens that were verified and still hold."""
_AT_ONCE = 2
"""Passcodes compared at the same time: each takes 19 MiB and a processor."""
_WAITING = 64
"""Passcodes that are compared or wait for it; more are turned away."""


@dataclass(frozen=True, slots=True)
class Believed:
    """Who asks, and until when that holds."""

    principal: Principal
    until: float | None = None
    """POSIX seconds; None: as long as the device is enrolled."""


class Identities:
    """Tokens, verified with the provider's keys and remembered while they hold."""

    def __init__(self, keys: KeyCache, rules: TokenRules, clock: Clock) -> None:
        self._cache = keys
        self._rules = rules
        self._clock = clock
        self._memo: OrderedDict[bytes, Verified] = OrderedDict()
        self._memo_of: Keys | None = None

    async def person(self, jwt: bytes, certificate: str | None) -> Verified | IdentityRefusal:
        """Whom ``jwt`` names, if it holds now beside that certificate (SHA-256, lower-case hexadecimal)."""
        if len(jwt) > LONGEST:
            return IdentityRefusal(f"the token has more than {LONGEST} bytes", "token-too-long")
        try:
            found = self._verify(jwt, await self._cache.current(), certificate)
            if isinstance(found, UnknownKey):
                found = self._verify(jwt, await self._cache.newer(), certificate)
        except TransportError as exc:
            return IdentityRefusal(str(exc), "token-no-keys")
        if isinstance(found, UnknownKey):
            return IdentityRefusal(
                "the token is signed with a key that its issuer does not name", "token-key-unknown"
            )
        return found

    def _verify(
        self, jwt: bytes, keys: Keys, certificate: str | None
    ) -> Verified | IdentityRefusal | UnknownKey:
        if keys is not self._memo_of:
            self._memo.clear()
            self._memo_of = keys
        digest = hashlib.sha256(jwt).digest()
        now = self._clock.posix()
        remembered = self._memo.get(digest)
        if remembered is not None and remembered.holds(now, certificate):
            self._memo.move_to_end(digest)
            return remembered
        found = verify(jwt, keys, self._rules, now, certificate)
        if isinstance(found, Verified):
            self._remember(digest, found)
        return found

    def _remember(self, digest: bytes, found: Verified) -> None:
        self._memo[digest] = found
        if len(self._memo) > _REMEMBERED:
            self._memo.popitem(last=False)


class Passcodes:
    """Passcodes, compared in threads of their own, few at once, and never for those who guess."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts = Attempts()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="passcodes")
        self._open = 0

    async def person(self, claimed: NeedsPasscode, address: str, roll: Roll) -> Principal | IdentityRefusal:
        """The person, if name and passcode belong together."""
        if self._open >= _WAITING:
            return IdentityRefusal("too many passcodes are being compared; try again", "passcode-busy")
        if not self._attempts.begin(claimed.user, address, self._clock.monotonic()):
            return IdentityRefusal("too many wrong passcodes; wait a minute", "passcode-locked-out")
        self._open += 1
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._threads, check_passcode, claimed, roll.users)
        finally:
            self._open -= 1
        if isinstance(found, Principal):
            self._attempts.succeeded(claimed.user, address)
        return found

    def close(self) -> None:
        """End its threads; those who wait are turned away."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class People:
    """Everything that says who asks, beyond the device. ``tokens`` is None where no provider is configured."""

    def __init__(self, passcodes: Passcodes, tokens: Identities | None) -> None:
        self._passcodes = passcodes
        self._tokens = tokens

    async def associating(
        self, item: UserIdentityRQ | None, enrolled: Enrolled, peer: Peer, roll: Roll
    ) -> Believed | IdentityRefusal:
        """Who asks for an association, by its user identity item (PS3.7 D.3.3.7), through ``enrolled``."""
        claimed = user_identity(item, enrolled, roll, tls=peer.tls)
        if isinstance(claimed, NeedsToken):
            return await self._bearing(claimed.jwt, enrolled, peer)
        if isinstance(claimed, NeedsPasscode):
            claimed = await self._passcodes.person(claimed, peer.address, roll)
        if isinstance(claimed, IdentityRefusal):
            return claimed
        return Believed(claimed if item is None else at_device(claimed, enrolled))

    async def requesting(
        self, authorization: str | None, enrolled: Enrolled | None, peer: Peer
    ) -> Believed | IdentityRefusal:
        """Who asks over HTTP, by the ``Authorization`` header and who showed a certificate, if anybody did."""
        if authorization is not None:
            jwt = bearer_token(authorization, tls=peer.tls)
            return jwt if isinstance(jwt, IdentityRefusal) else await self._bearing(jwt, enrolled, peer)
        if enrolled is None:
            return IdentityRefusal("neither a certificate nor a token says who asks", "web-anonymous")
        return Believed(principal_of(enrolled))

    async def _bearing(self, jwt: bytes, enrolled: Enrolled | None, peer: Peer) -> Believed | IdentityRefusal:
        if self._tokens is None:
            return IdentityRefusal(
                "tokens are not accepted: no identity provider is configured", "token-no-provider"
            )
        found = await self._tokens.person(jwt, peer.certificate)
        if isinstance(found, IdentityRefusal):
            return found
        principal = found.principal if enrolled is None else at_device(found.principal, enrolled)
        return Believed(principal, found.until)
