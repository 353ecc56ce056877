"""How often a password may be wrong: by account and address together, by address, by account.

Counted in the store, so for all processes together and over a restart. The limit of an account from everywhere is
wide, so that a stranger cannot easily lock its owner out, and below the hundred of NIST SP 800-63B-4 3.2.2.
"""

from __future__ import annotations

import hashlib
import ipaddress

from fastapi import HTTPException

from leadglass.store import accounts
from leadglass.web.site import Site

__all__ = [
    "MEMORY",
    "PER_ACCOUNT",
    "PER_ADDRESS",
    "PER_PAIR",
    "came_back",
    "forgive",
    "require_turn",
    "require_way_out",
]

PER_PAIR, PER_ADDRESS, PER_ACCOUNT = 5, 30, 50
MEMORY = 900
"""Seconds after the last wrong one in which all are remembered."""


def require_turn(site: Site, name: str, address: str) -> None:
    """Count an attempt; 429 if there were too many, and nothing is to be compared."""
    pair, place, account = _keys(name, address)
    limits = {pair: PER_PAIR, place: PER_ADDRESS, account: PER_ACCOUNT}
    if not accounts.attempt(site.database, limits, MEMORY):
        raise HTTPException(
            429, "too many wrong passwords; wait a quarter of an hour", {"Retry-After": str(MEMORY)}
        )


def forgive(site: Site, name: str, address: str) -> None:
    """It was right."""
    pair, place, account = _keys(name, address)
    accounts.forgive(site.database, [pair, account], [place])


def require_way_out(site: Site, address: str) -> None:
    """Count somebody who is sent to the identity provider; 429 if too many from there did not come back."""
    if not accounts.attempt(site.database, {_way_out(address): PER_ADDRESS}, MEMORY):
        raise HTTPException(
            429,
            "too many sign-ins were begun and not ended; wait a quarter of an hour",
            {"Retry-After": str(MEMORY)},
        )


def came_back(site: Site, address: str) -> None:
    """He did, and is let in."""
    accounts.forgive(site.database, [], [_way_out(address)])


def _way_out(address: str) -> str:
    return _key("provider", _place(address))


def _keys(name: str, address: str) -> tuple[str, str, str]:
    place = _place(address)
    return _key("pair", name, place), _key("address", place), _key("account", name)


def _key(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode(errors="replace")).hexdigest()


def _place(address: str) -> str:
    """Of IPv6 the network of 64 bits that one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
