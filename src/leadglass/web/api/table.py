"""The routes of the API as a table for people: docs/reference/api.md has it, and a test holds both alike."""

from __future__ import annotations

from collections.abc import Iterable

from leadglass.web.api.document import rule_in_words
from leadglass.web.doors import Door
from leadglass.web.rules import API

__all__ = ["table_of"]


def table_of(routes: Iterable[Door]) -> str:
    """Markdown, in the order of paths."""
    rows = sorted(
        (route.path, method, rule_in_words(route.rule), _first_sentence(route))
        for route in routes
        if route.path.startswith(API)
        for method in route.methods or ()
    )
    lines = [f"| `{method} {path}` | {who} | {what} |" for path, method, who, what in rows]
    return "\n".join(["| route | asks for | what it does |", "| --- | --- | --- |", *lines])


def _first_sentence(route: Door) -> str:
    return (route.endpoint.__doc__ or "").strip().partition("\n")[0]
