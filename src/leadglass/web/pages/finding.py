"""What an address of a page names, or 404."""

from __future__ import annotations

import ipaddress

from fastapi import HTTPException

from leadglass.errors import UsageError
from leadglass.store import history, scans
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan
from leadglass.store.server_rows import Server

__all__ = ["scan_called", "server_at"]


def server_at(database: Database, address: str) -> Server:
    """The server at ``address``, however that is spelt."""
    try:
        canonical = ipaddress.ip_address(address)
    except ValueError:
        raise HTTPException(404, "this is no address of a server") from None
    found = history.server(database, str(canonical))
    if found is None:
        raise HTTPException(404, "nothing that was looked at ever answered at this address")
    return found


def scan_called(database: Database, ulid: str) -> StoredScan:
    """The scan called ``ulid``."""
    try:
        return scans.find(database, ulid)
    except UsageError:
        raise HTTPException(404, "there is no such scan here") from None
