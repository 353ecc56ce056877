"""Addresses in paths."""

from __future__ import annotations

import ipaddress

from fastapi import HTTPException

__all__ = ["canonical"]


def canonical(address: str) -> str:
    """``address``, if it is one in its canonical form (RFC 5952); 404 if it is not: nothing is kept under it."""
    try:
        if str(ipaddress.ip_address(address)) == address:
            return address
    except ValueError:
        pass
    raise HTTPException(404, "there is no server of this name")
