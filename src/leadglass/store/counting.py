"""A stored scan as servers: all endpoints of an address together, IPv4 first, one page in memory.

The keys of both kinds of address sort into each other (32.1.13.184 lies around 2001:db8::), so each kind is read by
itself: then the rows of an address follow one another.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select

from leadglass.errors import ConfigError
from leadglass.judge.judge import outline
from leadglass.judge.signs import Surroundings
from leadglass.model.evidence import Evidence
from leadglass.model.key import unpack
from leadglass.model.look import evidence_in
from leadglass.model.rung import Rung
from leadglass.model.statement import standing
from leadglass.model.verdict import Access, ClientCertificate, Kind
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, Shelf, streamed
from leadglass.store.scans import StoredScan
from leadglass.store.schema import evidence, observations, places, surroundings, verdicts
from leadglass.store.statements import standing_in
from leadglass.store.surroundings import announced_in, around_in
from leadglass.survey.census import Endpoint, Seen, Server

__all__ = ["servers"]

_DICOM = frozenset({"dicom", "dicomweb"})
_PORT = 2
"""Bytes at the end of an endpoint's key."""
_ROOM = 1 << 17
"""Looks remembered, about 0.3 kB each as they are here: rows come by address, and like answers lie far apart."""
_KEYS = (6, 18)
"""Bytes of a key: of IPv4, of IPv6."""


def servers(db: Database, scan: StoredScan, *, again: bool = False) -> Iterator[Server]:
    """Every address of ``scan``, with what was seen of it from every place.

    What is known around an address moves its nature, and what its owner says overrules it. ``again``: the evidence
    is judged by today's rules, whatever was judged when it was seen.
    """
    make = _judged_again if again else _as_judged
    for size in _KEYS:
        rows = _rows(db, scan, size, make)
        for address, group in itertools.groupby(rows, key=lambda row: row[0][:-_PORT]):
            endpoints = tuple(row[1] for row in group)
            yield Server(unpack(address + bytes(_PORT))[0], endpoints)


def _rows(
    db: Database, scan: StoredScan, size: int, make: Callable[[AnyRow], Seen]
) -> Iterator[tuple[bytes, Endpoint]]:
    seen = observations.c
    rows = (
        select(seen.endpoint, seen.place, seen.verdict)
        .where(seen.scan == scan.id, func.length(seen.endpoint) == size)
        .order_by(seen.endpoint, seen.place)
    )
    looks = select(
        verdicts.c.id, verdicts.c.rung, verdicts.c.access, verdicts.c.body, evidence.c.identity
    ).join_from(verdicts, evidence)
    with db.read() as connection:
        names = {row.id: row.name for row in connection.execute(select(places.c.id, places.c.name))}
        shelf = Shelf(connection, looks, make, _ROOM)
        whole = Shelf(connection, looks, _whole)
        around = _Around(connection)
        for page in streamed(connection, rows):
            known = shelf.holding(row.verdict for row in page)
            beside = around.of({bytes(row.endpoint[:-_PORT]) for row in page})
            again = whole.holding(row.verdict for row in page if bytes(row.endpoint[:-_PORT]) in beside)
            for endpoint, place, verdict in page:
                key, look = bytes(endpoint), known[verdict]
                surrounded = beside.get(key[:-_PORT])
                if surrounded is not None and look.counts:
                    look = replace(look, **_moved(again[verdict], surrounded))
                yield key, around.endpoint(key, names[place], look)


class _Around:
    """What others than the servers say of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stated = standing_in(connection)
        self._announced = announced_in(connection)
        self._knows = connection.execute(select(surroundings.c.address).limit(1)).first() is not None

    def of(self, addresses: Collection[bytes]) -> Mapping[bytes, Surroundings]:
        return around_in(self._connection, addresses) if self._knows else {}

    def endpoint(self, key: bytes, place: str, look: Seen) -> Endpoint:
        """An endpoint, with what its owner and DNS-SD say of it."""
        port = int.from_bytes(key[-_PORT:])
        said = standing(self._stated.get(key[:-_PORT], ()), port) if self._stated else None
        announced = key in self._announced
        if said is None:
            return Endpoint(port, place, look, is_confirmed=announced)
        return Endpoint(port, place, look, is_confirmed=announced or said.nature is not None, stated=said)


def _moved(look: tuple[Rung, tuple[Evidence, ...]], around: Surroundings) -> dict[str, Any]:
    """The nature of a look, judged again with what is around it."""
    rung, observed = look
    found = outline(observed, rung=rung, surroundings=around).nature
    return {"natures": found.shares, "settled": found.settled}


def _whole(row: AnyRow) -> tuple[Rung, tuple[Evidence, ...]]:
    return Rung(row.rung), _observed(json.loads(row.body))


def _observed(body: Mapping[str, Any]) -> tuple[Evidence, ...]:
    try:
        return evidence_in(body)
    except ValueError as exc:
        raise ConfigError(f"a stored record was altered: {exc}", then="scan again") from exc


def _as_judged(row: AnyRow) -> Seen:
    return _seen(row, json.loads(row.body))  # our own, and in one piece: a database keeps no half of a text


def _seen(row: AnyRow, body: Mapping[str, Any]) -> Seen:
    tls = body["transport"]["tls"] or {}
    demands = tls.get("client_certificate") == ClientCertificate.REQUIRED
    return Seen(
        access=Access(row.access),
        is_dicom=not _DICOM.isdisjoint(body["protocols"]),
        natures=_same(*(body["nature"][kind] for kind in Kind)),
        settled=body["nature_settled"],
        demands_certificate=demands,
        names=tuple(_names(tls)) if demands else (),
        identity=None if row.identity is None else bytes(row.identity),
    )


def _names(tls: Mapping[str, Any]) -> Iterator[str]:
    certificate = tls.get("certificate") or {}
    yield from (certificate.get("subject", ""), certificate.get("issuer", ""))
    yield from (*certificate.get("sans", ()), *tls.get("acceptable_cas", ()))


@functools.lru_cache(maxsize=4096)
def _same(*shares: float) -> Mapping[Kind, float]:
    """The shares of the kinds, in their order: one mapping for many looks, which differ in little else."""
    return dict(zip(Kind, shares, strict=True))


def _judged_again(row: AnyRow) -> Seen:
    """The same by today's rules."""
    body = json.loads(row.body)
    found = outline(_observed(body), rung=Rung(row.rung))
    return replace(
        _seen(row, body),
        access=found.access,
        is_dicom=not _DICOM.isdisjoint(found.protocols),
        natures=_same(*found.nature.shares.values()),
        settled=found.nature.settled,
    )
