"""Every group of routes of the pages."""

from __future__ import annotations

from leadglass.web.doors import Doors
from leadglass.web.pages import (
    account,
    alerts,
    done,
    guard,
    health,
    network,
    overview,
    people,
    provider,
    register,
    scans,
    server,
    server_acts,
    servers,
    settings,
    signing,
    static,
    surveys,
    systems,
    trends,
)

__all__ = ["PAGE_DOORS"]

PAGE_DOORS: tuple[Doors, ...] = (
    static.doors,
    health.doors,
    signing.doors,
    provider.doors,
    account.doors,
    people.doors,
    done.doors,
    overview.doors,
    servers.doors,
    server.doors,
    server_acts.doors,
    network.doors,
    trends.doors,
    scans.doors,
    alerts.doors,
    register.doors,
    systems.doors,
    surveys.doors,
    guard.doors,
    settings.doors,
)
