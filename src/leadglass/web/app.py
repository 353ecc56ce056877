"""Puts the dashboard together."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.types import ASGIApp

from leadglass import __version__
from leadglass.errors import LocalProtocolError
from leadglass.web import answers
from leadglass.web.api.routes import API_DOORS
from leadglass.web.doors import Door
from leadglass.web.front import Front
from leadglass.web.pages.routes import PAGE_DOORS
from leadglass.web.site import Site

__all__ = ["create"]


_NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""Nothing leaves this machine because a variable of its environment says so."""


class _Application(FastAPI):
    """FastAPI behind ``front``: answers of every kind pass it, also those to errors that nobody foresaw."""

    def build_middleware_stack(self) -> ASGIApp:
        """All that a request goes through."""
        site: Site = self.state.site
        return Front(super().build_middleware_stack(), site.settings)


def create(site: Site) -> FastAPI:
    """The application; ``LocalProtocolError`` if a route was declared past ``doors``."""
    app = _Application(
        title="Leadglass",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=_NO_TELEMETRY,
    )
    app.state.site = site
    for doors in (*API_DOORS, *PAGE_DOORS):
        app.router.routes.extend(doors.routes())
    strays = [route for route in app.routes if not isinstance(route, Door)]
    if strays:
        raise LocalProtocolError(f"a route without a rule: {strays[0]}")
    answers.install(app)
    return app
