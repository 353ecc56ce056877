"""The names of a scope, looked up once and pinned."""

from __future__ import annotations

from leadglass.errors import TransportError
from leadglass.net.resolve import SystemResolver
from leadglass.ports.world import Resolver
from leadglass.scope.scope import Scope

__all__ = ["pinned", "resolver"]


def resolver() -> Resolver:
    """The system's resolver."""
    return SystemResolver()


def pinned(scope: Scope, resolver: Resolver) -> Scope:
    """``scope`` with its names resolved by ``resolver``; those without an address are in ``refused``."""
    if not scope.names():
        return scope
    return scope.with_names({name: _addresses(resolver, name) for name in scope.names()})


def _addresses(resolver: Resolver, name: str) -> tuple[str, ...]:
    try:
        return resolver.addresses(name)
    except TransportError:
        return ()
