"""Clues from whatever was allowed to be asked, and the contacts that come with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from leadglass.errors import TransportError
from leadglass.owner.clues import Clue, Source
from leadglass.owner.contacts import Contact, Way, csirts, in_order

__all__ = ["SERVICES", "Asked", "Database", "Names", "announced", "gather", "registered", "whom"]

SERVICES = ("_dicom._tcp", "_dicom-tls._tcp")
"""The names under which DNS-SD announces DICOM."""


class Names(Protocol):
    """The DNS."""

    def pointers(self, address: str) -> tuple[str, ...]:
        """The names of an address."""
        ...

    def addresses(self, name: str) -> tuple[str, ...]:
        """The addresses of a name; ``TransportError`` if there are none."""
        ...

    def services(self, name: str) -> tuple[tuple[str, int], ...]:
        """Hosts and ports of the instances of a service, by its whole name."""
        ...


class Database(Protocol):
    """A database of networks that the user brought (MMDB)."""

    def get(self, address: str) -> Any:
        """The record for an address, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What may be asked; None: it was not asked for."""

    names: Names | None = None
    registry: Callable[[str], Mapping[str, Any]] | None = None
    databases: Sequence[Database] = ()


def gather(address: str, asked: Asked) -> Iterator[Clue | Contact | str]:
    """Clues and contacts on ``address``; a text is what could not be found out, and why."""
    if asked.names is not None:
        yield from _from_names(address, asked.names)
    if asked.registry is not None:
        try:
            yield from registered(asked.registry(address))
        except TransportError as exc:
            yield str(exc)
    for database in asked.databases:
        yield from _from_database(database.get(address))


def announced(domain: str, names: Names) -> Iterator[tuple[str, int, str] | str]:
    """What ``domain`` announces as DICOM (PS3.15 H.2): address, port and service; a text is what was not found out."""
    for service in SERVICES:
        try:
            found = names.services(f"{service}.{domain}")
        except TransportError as exc:
            yield str(exc)
            continue
        for host, port in found:
            try:
                yield from ((address, port, service) for address in names.addresses(host))
            except TransportError as exc:
                yield str(exc)


def whom(contacts: Sequence[Contact], country: str | None) -> tuple[Contact, ...]:
    """Whom to write to, the best first, the national CSIRT at the end."""
    csirt = csirts().get(country or "")
    last = () if csirt is None else (Contact(Way.CSIRT, csirt.page, csirt.name),)
    return in_order((*contacts, *last))


def _from_names(address: str, names: Names) -> Iterator[Clue | str]:
    try:
        found = names.pointers(address)
    except TransportError as exc:
        yield str(exc)
        return
    for name in found[:8]:
        try:
            back = address in names.addresses(name)
        except TransportError:
            back = False
        yield Clue(Source.CONFIRMED_NAME if back else Source.NAME, name)


def registered(answer: Mapping[str, Any]) -> Iterator[Clue | Contact]:
    """What a registry's answer says: whose it is, and whom to write to."""
    country, when = (
        _text(answer.get("country")).upper() or None,
        _text(answer.get("last_changed_date"))[:10] or None,
    )
    entities = answer.get("entities")
    entities = entities if isinstance(entities, dict) else {}
    owners = [_text(one.get("name")) for one in _list(entities.get("registrant"))]
    for name in [*owners, _text(answer.get("name"))]:
        if name:
            yield Clue(Source.REGISTRY, name, country if country and len(country) == 2 else None, when)
            break
    for role, way in (("abuse", Way.ABUSE), ("technical", Way.REGISTRY), ("administrative", Way.REGISTRY)):
        for one in _list(entities.get(role)):
            address = _text(one.get("email"))
            if address:
                yield Contact(way, address, _text(one.get("name")) or role)


def _from_database(record: Any) -> Iterator[Clue]:
    """Country and network, in the ways that the databases in use write them."""
    if not isinstance(record, dict):
        return
    country = record.get("country") or record.get("registered_country") or record.get("country_code")
    code = _text(country.get("iso_code")) if isinstance(country, dict) else _text(country)
    name = _text(
        record.get("autonomous_system_organization") or record.get("as_name") or record.get("organization")
    )
    if name or code:
        yield Clue(Source.NETWORK, name or "unnamed network", code.upper() if len(code) == 2 else None)


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
