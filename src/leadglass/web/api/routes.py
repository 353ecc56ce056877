"""Every group of routes of the API."""

from __future__ import annotations

from leadglass.web.api import about, alerts, document, orders, people, register, scans, servers
from leadglass.web.doors import Doors

__all__ = ["API_DOORS"]

API_DOORS: tuple[Doors, ...] = (
    about.doors,
    document.doors,
    servers.doors,
    scans.doors,
    orders.doors,
    alerts.doors,
    register.doors,
    people.doors,
)
