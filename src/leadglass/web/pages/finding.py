"""What an address of a page names, or 404."""

from __future__ import annotations

import ipaddress

from fastapi import HTTPException

from leadglass.errors import UsageError
from leadglass.model.order import Order
from leadglass.ports.dashboard import WatchDesk
from leadglass.store import history, scans
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan
from leadglass.store.server_rows import Server

__all__ = ["order_called", "scan_called", "scan_if_any", "server_at"]


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


def order_called(watch: WatchDesk, order: str) -> Order:
    """The order called ``order``."""
    try:
        return watch.order_of(order)
    except UsageError:
        raise HTTPException(404, "there is no such order here") from None


def scan_called(database: Database, ulid: str) -> StoredScan:
    """The scan called ``ulid``."""
    found = scan_if_any(database, ulid)
    if found is None:
        raise HTTPException(404, "there is no such scan here")
    return found


def scan_if_any(database: Database, ulid: str) -> StoredScan | None:
    """The scan called ``ulid``; None if there is none, or none yet."""
    try:
        return scans.find(database, ulid)
    except UsageError:
        return None
