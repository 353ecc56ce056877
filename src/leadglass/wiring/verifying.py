"""Puts the verification of a scope together: a resolver, the door to its targets."""

from __future__ import annotations

from collections.abc import Iterator

from leadglass import __version__, wiring
from leadglass.model.rung import Rung
from leadglass.net.resolve import SystemResolver
from leadglass.net.wellknown import fetch_text
from leadglass.ports.world import Resolver
from leadglass.scope.scope import Scope
from leadglass.scope.verify import PATH, Outcome, Page, prove
from leadglass.wiring.names import resolver

__all__ = ["outcomes", "resolver_at"]


def outcomes(scope: Scope, resolver: Resolver) -> Iterator[Outcome]:
    """What is proved of ``scope``, whose names are pinned. Every page is fetched under a permit of its own."""

    def fetch(page: Page) -> str:
        moment = wiring.clock().posix()
        permit = scope.permit(page.endpoint, Rung.ASSOCIATE, moment)
        agent = scope.user_agent(__version__)
        return fetch_text(permit, PATH, tls=page.tls, user_agent=agent, moment=moment)

    return prove(scope, resolver.texts, fetch)


def resolver_at(nameserver: tuple[str, int] | None) -> Resolver:
    """A resolver that asks ``nameserver`` (address, port) alone, or this machine's if None."""
    return resolver() if nameserver is None else SystemResolver(nameserver)
