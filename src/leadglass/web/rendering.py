"""Templates to pages. Whatever a template shows is text, and text that a terminal or a reader could stumble on is spelt out."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from importlib import resources

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leadglass.report.safe import visible
from leadglass.web.visit import Visit

__all__ = ["environment", "page", "static_files"]


def page(template: str, visit: Visit, status: int = 200, **values: object) -> HTMLResponse:
    """The page that ``template`` makes of ``values``; it knows the ``visit`` as well."""
    text = environment().get_template(template).render(visit=visit, **values)
    return HTMLResponse(text, status)


@functools.cache
def environment() -> Environment:
    """Templates are compiled once."""
    made = Environment(
        loader=PackageLoader("leadglass.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = _address
    return made


@functools.cache
def static_files() -> Mapping[str, bytes]:
    """Every file under ``static``, by name: nothing else can be asked for."""
    folder = resources.files("leadglass.web").joinpath("static")
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def _address(name: str) -> str:
    """Where a static file is, with its digest, so that browsers keep it until it changes."""
    return f"/static/{name}?v={hashlib.sha256(static_files()[name]).hexdigest()[:12]}"


def _finalize(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
