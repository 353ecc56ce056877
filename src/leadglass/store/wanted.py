"""What is asked of servers and endpoints, as conditions that an index answers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, false, func, literal, or_, select, tuple_

from leadglass.model.verdict import Kind, Severity
from leadglass.store.current import summary_of
from leadglass.store.networks import looks_like_one, stretch_of
from leadglass.store.reading import AnySelect
from leadglass.store.schema import observations, places, scans
from leadglass.store.schema_current import current_endpoints, current_servers
from leadglass.store.server_rows import Wanted
from leadglass.store.urgency import STEPS, urgency_below, urgency_of

__all__ = ["endpoints_wanted", "scan_wanted", "servers_wanted"]

_KINDS: Final = tuple(Kind)
_FEW: Final = 5000
"""So many endpoints are rather looked up first than found in passing."""
_E, _S = current_endpoints.c, current_servers.c
_NOBODY: Final = Wanted()
_AT_HAND: Final = SimpleNamespace(
    urgency=_E.urgency + 0,
    nature=_E.nature,
    product=_E.product.concat(""),
    port=_E.port + 0,
    place=_E.place,
    changed_at=_E.changed_at + 0,
)
"""For endpoints of one server, which are looked up by its address: SQLite would rather go by these, one by one."""


def servers_wanted(connection: Connection, wanted: Wanted) -> ColumnElement[bool] | None:
    """What to ask of a server; None: nothing."""
    parts: list[ColumnElement[bool]] = []
    if wanted.network is not None:
        parts.append(_within(_S, wanted.network))
    if wanted.at_least is not None:
        parts.append(_S.urgency < urgency_below(wanted.at_least))
    if wanted.changed_since is not None:
        parts.append(_S.changed_at >= wanted.changed_since)
    # These follow from what is asked of an endpoint, but for what is asked alone.
    asked = replace(wanted, network=None)
    alone = {replace(_NOBODY, at_least=wanted.at_least), replace(_NOBODY, changed_since=wanted.changed_since)}
    if asked not in alone:
        parts.append(_with_endpoint(connection, wanted))
    return and_(*parts) if parts else None


def _with_endpoint(connection: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """That a server has such an endpoint: found from the endpoints where they are few, else server by server."""
    narrowed = endpoints_wanted(connection, wanted)
    assert narrowed is not None
    is_postgres = connection.dialect.name == "postgresql"
    of_scan = scan_wanted(connection, wanted)
    is_large = of_scan is not None and not _is_small(connection, of_scan)
    if is_postgres and (not is_large or _is_narrow(connection, wanted)):  # by its statistics it finds the way
        return tuple_(_S.family, _S.address).in_(select(_E.family, _E.address).where(narrowed))
    if not is_postgres and (_is_narrow(connection, wanted) if is_large else _are_few(connection, narrowed)):
        # Column by column: of a pair SQLite would look up the family only.
        addresses = select(_E.address).where(narrowed)
        return and_(_S.family.in_((4, 6)), _S.address.in_(addresses))
    at_hand = endpoints_wanted(connection, wanted, _AT_HAND)
    assert at_hand is not None
    here = select(literal(1)).where(_E.family == _S.family, _E.address == _S.address, at_hand)
    return _one_by_one(connection, here)


def _is_narrow(connection: Connection, wanted: Wanted) -> bool:
    """Whether few endpoints are asked for, even of a scan that saw everything: what scan saw them costs a look each."""
    others = replace(wanted, scan=None, scope=None)
    if replace(others, nature=None, place=None) == _NOBODY:  # no index would tell
        return False
    narrowed = endpoints_wanted(connection, others)
    return narrowed is not None and _are_few(connection, narrowed)


def _are_few(connection: Connection, narrowed: ColumnElement[bool]) -> bool:
    some = select(_E.family).where(narrowed).limit(_FEW).subquery()
    return bool(connection.execute(select(func.count()).select_from(some)).scalar_one() < _FEW)


def _is_small(connection: Connection, scan: int) -> bool:
    some = select(observations.c.scan).where(observations.c.scan == scan).limit(_FEW).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() < _FEW


def _one_by_one(connection: Connection, found: AnySelect) -> ColumnElement[bool]:
    """That there is such a row, looked up each time: with OFFSET PostgreSQL does not read all of them at once instead.

    It learns too late how large a scan is to know better.
    """
    return (found.offset(0) if connection.dialect.name == "postgresql" else found).exists()


def endpoints_wanted(connection: Connection, wanted: Wanted, columns: Any = _E) -> ColumnElement[bool] | None:
    """What to ask of an endpoint; None: nothing."""
    parts: list[ColumnElement[bool]] = []
    if wanted.at_least is not None:
        parts.append(columns.urgency < urgency_below(wanted.at_least))
    if wanted.access:
        parts.append(columns.urgency.in_(_urgencies(wanted)))
    if wanted.nature is not None:
        parts.append(columns.nature == _KINDS.index(wanted.nature))
    if wanted.product is not None:
        parts.append(columns.product == wanted.product)
    if wanted.port is not None:
        parts.append(columns.port == wanted.port)
    if wanted.network is not None:
        parts.append(_within(_E, wanted.network))
    if wanted.place is not None:
        parts.append(
            columns.place == select(places.c.id).where(places.c.name == wanted.place).scalar_subquery()
        )
    if wanted.changed_since is not None:
        parts.append(columns.changed_at >= wanted.changed_since)
    if wanted.scan is not None or wanted.scope is not None:
        parts.append(_seen_by(connection, wanted))
    if wanted.text:
        parts.append(_told(connection, wanted.text))
    return and_(*parts) if parts else None


def _urgencies(wanted: Wanted) -> list[int]:
    """The numbers that the words stand for."""
    of_all = [urgency_of(severity, access) for severity in Severity for access in wanted.access]
    below = STEPS * STEPS if wanted.at_least is None else urgency_below(wanted.at_least)
    return sorted(urgency for urgency in of_all if urgency < below)


def _within(columns: Any, network: str) -> ColumnElement[bool]:
    stretch = stretch_of(network)
    return and_(
        columns.family == stretch.family,
        columns.address >= stretch.low,
        columns.address <= stretch.high,
    )


def scan_wanted(connection: Connection, wanted: Wanted) -> int | None:
    """The number of the scan, or of the latest of the scope; None: nothing of the kind is asked, or there is none."""
    if wanted.scan is None and wanted.scope is None:
        return None
    latest = select(scans.c.id).where(scans.c.state.in_(("open", "complete")))
    if wanted.scan is not None:
        latest = latest.where(scans.c.ulid == wanted.scan)
    if wanted.scope is not None:
        latest = latest.where(scans.c.scope_name == wanted.scope)
    return connection.execute(latest.order_by(scans.c.began.desc(), scans.c.id.desc()).limit(1)).scalar()


def _seen_by(connection: Connection, wanted: Wanted) -> ColumnElement[bool]:
    """That a scan, or the latest of a scope, has a record of it."""
    number = scan_wanted(connection, wanted)
    if number is None:
        return false()
    seen = observations.c
    theirs = select(literal(1)).where(
        seen.scan == number, seen.endpoint == _E.endpoint, seen.place == _E.place
    )
    if _is_small(connection, number):
        return and_(_E.endpoint.in_(select(seen.endpoint).where(seen.scan == number)), theirs.exists())
    return _one_by_one(connection, theirs)


def _told(connection: Connection, text: str) -> ColumnElement[bool]:
    """That a name has ``text`` in it, or that it is the address."""
    if looks_like_one(text):
        return _within(_E, text)
    sought = text.casefold()
    summary = summary_of(connection)
    products = [name for name in (summary.products if summary else ()) if sought in name.casefold()]
    named = select(_S.family, _S.address, _S.name).where(_S.name.is_not(None))
    here = [(row.family, row.address) for row in connection.execute(named) if sought in row.name.casefold()]
    return or_(_E.product.in_(products), tuple_(_E.family, _E.address).in_(here))
