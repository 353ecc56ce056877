"""Puts the dashboard together."""

from __future__ import annotations

from fastapi import FastAPI

from leadglass import __version__
from leadglass.errors import LocalProtocolError
from leadglass.web import answers
from leadglass.web.api.routes import API_DOORS
from leadglass.web.doors import Door
from leadglass.web.pages.routes import PAGE_DOORS
from leadglass.web.site import Site

__all__ = ["create"]


def create(site: Site) -> FastAPI:
    """The application; ``LocalProtocolError`` if a route was declared past ``doors``."""
    app = FastAPI(title="Leadglass", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.site = site
    for doors in (*API_DOORS, *PAGE_DOORS):
        app.router.routes.extend(doors.routes())
    strays = [route for route in app.routes if not isinstance(route, Door)]
    if strays:
        raise LocalProtocolError(f"a route without a rule: {strays[0]}")
    answers.install(app)
    return app
