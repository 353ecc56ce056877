"""The document of this API: OpenAPI 3.1, made from the routes, so that it says what they do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.openapi.utils import get_openapi

from leadglass import __version__
from leadglass.model.account import Permission
from leadglass.web.api.answering import PROBLEMS, Problem
from leadglass.web.doors import Door, Doors, Rule, Who
from leadglass.web.rules import API

__all__ = ["document", "doors", "rule_in_words"]

doors = Doors("/api/v1", tags=["about"])

_ABOUT = """Servers, scans, alerts and the register of a Leadglass installation.

Make a token at the dashboard (account, tokens) and send it as `Authorization: Bearer lgt_...`; it carries permissions,
and each operation says which one it asks for. What goes wrong is told as `application/problem+json` (RFC 9457).
Lists come in pages: follow `Link: <...>; rel="next"`. Single things have an `ETag`: `If-None-Match` saves reading
again what has not changed, and `If-Match` lets nobody undo a change that he has not seen."""

_BEARER = {"type": "http", "scheme": "bearer", "description": "A token of an account: made at the dashboard."}


@doors.get(
    "/openapi.json",
    Who.ANYBODY,
    responses={
        **PROBLEMS,
        200: {
            "description": "This document.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    },
)
def read_document(request: Request) -> Response:
    """The document that describes all this, for programs that make clients."""
    state = request.app.state  # routes do not change, and the document takes long to make
    if not hasattr(state, "document"):
        state.document = json.dumps(document(request.app.routes)).encode()
    return Response(state.document, media_type="application/json")


def document(routes: Iterable[Any]) -> dict[str, Any]:
    """The document of those of ``routes`` that belong to the API."""
    ours = [route for route in routes if isinstance(route, Door) and route.path.startswith(API)]
    made = get_openapi(
        title="Leadglass",
        version=__version__,
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=ours,
        servers=[{"url": "/"}],
    )
    parts = made.setdefault("components", {})
    parts["securitySchemes"] = {"bearer": _BEARER}
    parts.setdefault("schemas", {}).update(_problem())
    for route in ours:
        _say_who_may(made["paths"][route.path_format], route)
    return made


def rule_in_words(rule: Rule) -> str:
    """Who may."""
    match rule:
        case Permission():
            return f"the permission {rule.value}"
        case Who.SIGNED_IN:
            return "a token, whatever it carries"
        case _:
            return "nothing"


def _problem() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs", {}), "Problem": schema}


def _say_who_may(path: dict[str, Any], route: Door) -> None:
    for method in route.methods or ():
        operation = path[method.lower()]
        operation["description"] = (
            f"{operation.get('description', '')}\n\nAsks for {rule_in_words(route.rule)}."
        )
        operation["x-permission"] = route.rule.value
        if route.rule is not Who.ANYBODY:
            operation["security"] = [{"bearer": []}]
