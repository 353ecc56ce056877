"""Owners drawn by lot for the ways in which they are told, so that a difference means something."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from leadglass.errors import UsageError

__all__ = ["draw"]


def draw(owners: Sequence[str], arms: Sequence[str], seed: str) -> Mapping[str, str]:
    """The arm of each owner, arms of equal size to within one; the same for the same ``seed``, in any order.

    ``UsageError`` if there are fewer than two arms, fewer owners than arms, or one twice.
    """
    if len(set(arms)) != len(arms) or len(arms) < 2:
        raise UsageError("there must be two arms or more, each once", where="--arm")
    if len(set(owners)) != len(owners):
        twice = next(owner for owner in owners if owners.count(owner) > 1)
        raise UsageError(f"{twice} is there twice", where="--owners")
    if len(owners) < len(arms):
        raise UsageError(f"{len(owners)} owners are too few for {len(arms)} arms", where="--owners")
    dealt = _by_lot(arms, f"arms {seed}")
    return {owner: dealt[place % len(dealt)] for place, owner in enumerate(_by_lot(owners, f"owners {seed}"))}


def _by_lot(names: Sequence[str], key: str) -> Sequence[str]:
    """In an order that nobody knows without the key, and that does not depend on the order given."""
    head = hashlib.sha256(key.encode()).digest()
    return sorted(names, key=lambda name: hashlib.sha256(head + name.encode()).digest())
