"""Every group of routes of the pages."""

from __future__ import annotations

from leadglass.web.doors import Doors
from leadglass.web.pages import alerts, overview, register, scans, server, server_acts, servers, static

__all__ = ["PAGE_DOORS"]

PAGE_DOORS: tuple[Doors, ...] = (
    static.doors,
    overview.doors,
    servers.doors,
    server.doors,
    server_acts.doors,
    scans.doors,
    alerts.doors,
    register.doors,
)
