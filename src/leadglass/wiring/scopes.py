"""A scope as it was when a scan began: its text, and what its names were pinned to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadglass import wiring
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

__all__ = ["scope_of"]


def scope_of(text: str, filename: str, pins: Mapping[str, Sequence[str]]) -> Scope:
    """The scope that ``text`` is, its names pinned as they were; ``ScopeError`` if it no longer holds."""
    scope = parse(text, filename=filename, moment=wiring.clock().posix())
    return scope.with_names({name: tuple(found) for name, found in pins.items()}) if pins else scope
