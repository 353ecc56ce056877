"""What a scope would touch, how deep and when: for people, and for programs.

``where`` and how a name resolved are shown as they are; a summary neither resolves nor sends.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from leadglass.model.rung import Rung
from leadglass.scope.ports import ports_text
from leadglass.scope.rules import Target
from leadglass.scope.scope import Scope

__all__ = ["as_json", "as_text"]

Json: TypeAlias = Any
"""A JSON value."""

_WIDEST = 50
"""Columns for a list of ports before it pushes the rest of its line."""


def as_json(scope: Scope, moment: float) -> Mapping[str, Json]:
    """The scope at POSIX time ``moment`` as a JSON object; times are ISO 8601 in UTC."""
    stretch = scope.stretch(moment)
    return {
        "schema": "leadglass.scope-summary/1",
        "name": scope.name,
        "authorisation": _authorisation(scope),
        "limits": _limits(scope),
        "position": scope.position.value,
        "identity": {"calling_ae": scope.identity.calling_ae, "url": scope.identity.url},
        "targets": [_target(scope, rule) for rule in scope.rules],
        "exclude": [{"range": str(e.range), "reason": e.reason} for e in scope.exclusions],
        "names": _names(scope),
        "refused": [
            {"name": refusal.name, "address": refusal.address, "reason": refusal.reason}
            for refusal in scope.refused
        ],
        "endpoints": scope.count(),
        "endpoints_by_depth": {rung.word: count for rung, count in sorted(scope.counts().items())},
        "open": stretch.is_open,
        "changes_at": None if math.isinf(stretch.until) else _utc(stretch.until),
    }


def as_text(scope: Scope, moment: float) -> str:
    """The same for people, as lines of plain text."""
    parts = [_head(scope, moment), _targets(scope), _exclusions(scope), _refusals(scope), _total(scope)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _authorisation(scope: Scope) -> Json:
    authorisation = scope.authorisation
    return {
        "basis": authorisation.basis.value,
        "granted_by": authorisation.granted_by,
        "contact": authorisation.contact,
        "reference": authorisation.reference,
        "valid_until": authorisation.valid_until.isoformat() if authorisation.valid_until else None,
    }


def _limits(scope: Scope) -> Json:
    limits = scope.limits
    return {
        "deepest": limits.deepest.word,
        "rate": limits.rate,
        "connections_per_endpoint": limits.connections_per_endpoint,
        "concurrent_per_host": limits.concurrent_per_host,
        "concurrent_per_network": limits.concurrent_per_network,
        "hours": limits.hours_text,
    }


def _target(scope: Scope, rule: Target) -> Json:
    return {
        "range": str(rule.range),
        "ports": ports_text(rule.ports),
        "deepest": _depth(scope, rule).word,
        "called_ae": rule.called_ae,
    }


def _names(scope: Scope) -> Mapping[str, tuple[str, ...] | None]:
    answers = None if scope.pins is None else dict(scope.pins)
    return {name: None if answers is None else answers.get(name, ()) for name in scope.names()}


def _depth(scope: Scope, rule: Target) -> Rung:
    return min(rule.deepest, scope.limits.deepest, scope.authorisation.ceiling)


def _head(scope: Scope, moment: float) -> str:
    authorisation, limits, identity = scope.authorisation, scope.limits, scope.identity
    until = (
        f", until the end of {authorisation.valid_until}" if authorisation.valid_until else ", without end"
    )
    reference = f", {authorisation.reference}" if authorisation.reference else ""
    rows = {
        "allowed by": f"{authorisation.granted_by} ({authorisation.basis.value}{reference}){until}",
        "contact": authorisation.contact,
        "deepest": limits.deepest.word,
        "pace": f"{limits.rate:g} new connections a second; {limits.concurrent_per_host} at once per host, "
        f"{limits.concurrent_per_network} per network; "
        f"{limits.connections_per_endpoint} in all per endpoint, one at a time",
        "when": _when(scope, moment),
        "seen from": scope.position.value,
        "calls itself": identity.calling_ae + (f", {identity.url}" if identity.url else ""),
    }
    return "\n".join([scope.name, *(f"  {label:<13}{value}" for label, value in rows.items())])


def _when(scope: Scope, moment: float) -> str:
    stretch = scope.stretch(moment)
    hours = scope.limits.hours_text or "at any hour"
    if math.isinf(stretch.until):
        return hours
    change = "open now, until" if stretch.is_open else "closed now, until"
    return f"{hours}; {change} {_local(stretch.until, scope.limits.zone)}"


def _targets(scope: Scope) -> str:
    rows = [("targets", "ports", "as deep as", "called")]
    rows += [
        (str(rule.range), ports_text(rule.ports), _depth(scope, rule).word, rule.called_ae or "ANY-SCP")
        for rule in scope.rules
    ]
    first = max(len(row[0]) for row in rows)
    second = min(_WIDEST, max(len(row[1]) for row in rows))
    return "\n".join(f"{a:<{first}}  {b:<{second}}  {c:<11}  {d}" for a, b, c, d in rows)


def _exclusions(scope: Scope) -> str:
    lines = [f"  {exclusion.range}: {exclusion.reason}" for exclusion in scope.exclusions]
    return "\n".join(["never touched", *lines]) if lines else ""


def _refusals(scope: Scope) -> str:
    lines = [f"  {refusal}" for refusal in scope.refused]
    return "\n".join(["left out", *lines]) if lines else ""


def _total(scope: Scope) -> str:
    return "\n".join(_totals(scope))


def _totals(scope: Scope) -> Iterator[str]:
    shares = ", ".join(f"{count:,} to {rung.word}" for rung, count in sorted(scope.counts().items()))
    total = scope.count()
    yield f"{total:,} endpoint{'' if total == 1 else 's'}" + (f": {shares}" if shares else "")
    if scope.pins is None and scope.names():
        yield f"not counted, because not resolved: {', '.join(scope.names())}"


def _utc(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(moment: float, zone: dt.tzinfo) -> str:
    local = dt.datetime.fromtimestamp(moment, zone)
    return f"{local:%Y-%m-%d %H:%M} ({local.tzname()})"
