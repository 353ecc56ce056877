"""A stored scan as servers: all endpoints of an address together, IPv4 first, one page in memory.

The keys of both kinds of address sort into each other (32.1.13.184 lies around 2001:db8::), so each kind is read by
itself: then the rows of an address follow one another.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from sqlalchemy import func, select

from leadglass.model.key import unpack
from leadglass.model.verdict import Access, ClientCertificate, Kind
from leadglass.store.database import Database
from leadglass.store.reading import AnyRow, Shelf, streamed
from leadglass.store.scans import StoredScan
from leadglass.store.schema import evidence, observations, places, verdicts
from leadglass.survey.census import Endpoint, Seen, Server

__all__ = ["servers"]

_DICOM = frozenset({"dicom", "dicomweb"})
_PORT = 2
"""Bytes at the end of an endpoint's key."""
_KEYS = (6, 18)
"""Bytes of a key: of IPv4, of IPv6."""


def servers(db: Database, scan: StoredScan) -> Iterator[Server]:
    """Every address of ``scan``, with what was seen of it from every place."""
    for size in _KEYS:
        for address, group in itertools.groupby(_rows(db, scan, size), key=lambda row: row[0][:-_PORT]):
            endpoints = tuple(
                Endpoint(int.from_bytes(key[-_PORT:]), place, seen) for key, place, seen in group
            )
            yield Server(unpack(address + bytes(_PORT))[0], endpoints)


def _rows(db: Database, scan: StoredScan, size: int) -> Iterator[tuple[bytes, str, Seen]]:
    seen = observations.c
    rows = (
        select(seen.endpoint, seen.place, seen.verdict)
        .where(seen.scan == scan.id, func.length(seen.endpoint) == size)
        .order_by(seen.endpoint, seen.place)
    )
    looks = select(verdicts.c.id, verdicts.c.access, verdicts.c.body, evidence.c.identity).join_from(
        verdicts, evidence
    )
    with db.read() as connection:
        names = {row.id: row.name for row in connection.execute(select(places.c.id, places.c.name))}
        shelf = Shelf(connection, looks, _seen)
        for page in streamed(connection, rows):
            known = shelf.holding(row.verdict for row in page)
            for endpoint, place, verdict in page:
                yield bytes(endpoint), names[place], known[verdict]


def _seen(row: AnyRow) -> Seen:
    body = json.loads(row.body)  # our own, and in one piece: a database keeps no half of a text
    tls = body["transport"]["tls"] or {}
    certificate = tls.get("certificate") or {}
    return Seen(
        access=Access(row.access),
        is_dicom=not _DICOM.isdisjoint(body["protocols"]),
        natures={Kind(kind): share for kind, share in body["nature"].items()},
        settled=body["nature_settled"],
        demands_certificate=tls.get("client_certificate") == ClientCertificate.REQUIRED,
        names=(
            certificate.get("subject", ""),
            certificate.get("issuer", ""),
            *certificate.get("sans", ()),
            *tls.get("acceptable_cas", ()),
        ),
        identity=None if row.identity is None else bytes(row.identity),
    )
