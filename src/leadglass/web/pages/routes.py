"""Every group of routes of the pages."""

from __future__ import annotations

from leadglass.web.doors import Doors
from leadglass.web.pages import overview, static

__all__ = ["PAGE_DOORS"]

PAGE_DOORS: tuple[Doors, ...] = (static.doors, overview.doors)
