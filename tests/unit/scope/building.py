"""Scopes for tests: a valid file with one place to change, and moments in words."""

from __future__ import annotations

import datetime as dt

from leadglass.model.endpoint import Endpoint
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope

__all__ = ["MOMENT", "at", "endpoint", "scope", "text"]

HEAD = """\
name = "Example Radiology"
[authorisation]
basis = "{basis}"
granted_by = "the head of IT"
contact = "security@example.org"
reference = "change 4711"
valid_until = {valid_until}
[limits]
deepest = "{deepest}"
{limits}
[vantage]
position = "{position}"
"""


def at(words: str) -> float:
    """POSIX seconds of an ISO 8601 time with its offset."""
    return dt.datetime.fromisoformat(words).timestamp()


MOMENT = at("2026-11-21T05:00:00+00:00")


def text(
    body: str,
    *,
    basis: str = "owner",
    deepest: str = "blank-query",
    limits: str = "",
    position: str = "outside",
    valid_until: str = "2027-01-31",
) -> str:
    """A scope file with ``body`` for its targets and exclusions."""
    head = HEAD.format(
        basis=basis, deepest=deepest, limits=limits, position=position, valid_until=valid_until
    )
    return head + body


def scope(body: str, *, moment: float = MOMENT, **head: str) -> Scope:
    """The scope that ``text`` with the same arguments says."""
    return parse(text(body, **head), filename="scope.toml", moment=moment)


def endpoint(address: str, port: int = 104) -> Endpoint:
    """An endpoint without a name."""
    return Endpoint(address, port)
