"""Every group of routes of the API."""

from __future__ import annotations

from leadglass.web.api import about
from leadglass.web.doors import Doors

__all__ = ["API_DOORS"]

API_DOORS: tuple[Doors, ...] = (about.doors,)
