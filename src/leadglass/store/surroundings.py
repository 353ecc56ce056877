"""What was found out around addresses, the latest of each: names, registries, networks, and DNS-SD."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from leadglass.judge.signs import Surroundings
from leadglass.model.key import pack, unpack
from leadglass.store.database import Database
from leadglass.store.schema import announced, surroundings

__all__ = ["Announced", "announce", "announced_at", "announced_in", "around_in", "keep", "surroundings_of"]


class Announced(NamedTuple):
    """An endpoint that DNS-SD announces as DICOM."""

    address: str
    port: int
    service: str
    """``_dicom._tcp`` or ``_dicom-tls._tcp``."""
    domain: str
    """Where it is announced."""


def keep(database: Database, found: Mapping[str, Surroundings], at: int) -> None:
    """Write down what is around each address, instead of what was known before."""
    rows = [
        {
            "address": ipaddress.ip_address(address).packed,
            "found_at": at,
            "body": json.dumps(asdict(one), sort_keys=True),
        }
        for address, one in found.items()
    ]
    with database.write() as connection:
        for row in rows:
            connection.execute(delete(surroundings).where(surroundings.c.address == row["address"]))
            connection.execute(insert(surroundings).values(row))


def announce(database: Database, asked: Iterable[str], found: Iterable[Announced], at: int) -> None:
    """Write down what the domains ``asked`` announce, instead of what they announced before."""
    rows = {
        (pack(one.address, one.port), one.service): {
            "endpoint": pack(one.address, one.port),
            "service": one.service,
            "domain": one.domain,
            "found_at": at,
        }
        for one in found
    }
    with database.write() as connection:
        for domain in asked:
            connection.execute(delete(announced).where(announced.c.domain == domain))
        for (endpoint, service), row in rows.items():
            here = announced.c.endpoint == endpoint, announced.c.service == service
            connection.execute(delete(announced).where(*here))
            connection.execute(insert(announced).values(row))


def surroundings_of(database: Database, address: str) -> Surroundings | None:
    """What is known around one address."""
    here = surroundings.c.address == ipaddress.ip_address(address).packed
    with database.read() as connection:
        body = connection.execute(select(surroundings.c.body).where(here)).scalar()
    return None if body is None else _read(body)


def announced_at(database: Database, address: str) -> tuple[Announced, ...]:
    """What DNS-SD announces at one address."""
    low, high = pack(address, 0), pack(address, 65535)
    query = select(announced).where(announced.c.endpoint.between(low, high)).order_by(announced.c.endpoint)
    with database.read() as connection:
        rows = [_announced(row) for row in connection.execute(query)]
    return tuple(one for one in rows if one.address == address)


def around_in(connection: Connection, addresses: Iterable[bytes]) -> Mapping[bytes, Surroundings]:
    """What is known around these addresses, by their bytes."""
    query = select(surroundings.c.address, surroundings.c.body).where(
        surroundings.c.address.in_(list(addresses))
    )
    return {bytes(row.address): _read(row.body) for row in connection.execute(query)}


def announced_in(connection: Connection) -> frozenset[bytes]:
    """The keys of all endpoints that are announced: few, since each is in a zone of a scope's own."""
    return frozenset(bytes(key) for key in connection.execute(select(announced.c.endpoint)).scalars())


def _read(body: str) -> Surroundings:
    found: Mapping[str, Any] = json.loads(body)  # our own
    return Surroundings(
        host_names=tuple(found["host_names"]),
        registered_to=tuple(found["registered_to"]),
        network_names=tuple(found["network_names"]),
        country=found["country"],
    )


def _announced(row: Any) -> Announced:
    return Announced(*unpack(bytes(row.endpoint)), row.service, row.domain)
