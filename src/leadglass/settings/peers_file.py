"""The peer list as people write it: servers, who may reach them, who answers for that.

Nothing here says what follows from it; ``leadglass.configs.firewall.read`` does.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from leadglass.settings import kinds
from leadglass.settings.kinds import Table, Text

__all__ = ["OutgoingTable", "PeerTable", "PeersFile", "ServerTable", "key_hint"]

_LAST_PORT = 65535
_MOST = 4096
"""Servers, peers, and addresses of each."""


def _ports(value: object) -> tuple[int, ...]:
    items = value if isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 < item <= _LAST_PORT:
            # pydantic reports a ValueError and lets a TypeError pass
            raise ValueError("must be a list of ports such as [104, 11112]")
    return tuple(sorted(set(items)))


def _few(value: tuple[object, ...]) -> tuple[object, ...]:
    if len(value) > _MOST:
        raise ValueError(f"has more than {_MOST:,} entries")
    return value


Ports: TypeAlias = Annotated[tuple[int, ...], PlainValidator(_ports, json_schema_input_type=int | list[int])]
Texts: TypeAlias = Annotated[tuple[Text, ...], Field(strict=False), AfterValidator(_few)]
_Word: TypeAlias = Literal["dicom", "dicom_tls", "dicomweb", "database", "ldap", "hl7", "admin"]
Words: TypeAlias = Annotated[tuple[_Word, ...], Field(strict=False)]
Day: TypeAlias = Annotated[dt.date, WithJsonSchema({"type": "string", "format": "date"})]


class ServerTable(Table):
    """``[[servers]]``: what is protected, and where each of its services listens."""

    name: Text
    addresses: Texts = ()
    dicom: Ports = ()
    dicom_tls: Ports = ()
    dicomweb: Ports = ()
    database: Ports = ()
    ldap: Ports = ()
    hl7: Ports = ()
    admin: Ports = ()


class PeerTable(Table):
    """``[[peers]]``: who may reach what."""

    name: Text
    addresses: Texts
    opens: Words = ()
    servers: Texts = ()
    receives: Ports = ()
    owner: Text | None = None
    review: Day | None = None


class OutgoingTable(Table):
    """``[outgoing]``: what servers open themselves."""

    restrict: bool = True
    ports: Ports | None = None


class PeersFile(Table):
    """The whole file."""

    name: Text = "Imaging servers"
    review: Day | None = None
    servers: Annotated[tuple[ServerTable, ...], Field(strict=False), AfterValidator(_few)] = ()
    peers: Annotated[tuple[PeerTable, ...], Field(strict=False), AfterValidator(_few)] = ()
    outgoing: OutgoingTable | None = None


_TABLES: kinds.Tables = {
    "": PeersFile,
    "servers": ServerTable,
    "peers": PeerTable,
    "outgoing": OutgoingTable,
}


def key_hint(table: str, key: str) -> str:
    """What the writer of an unknown ``key`` in ``table`` (empty: top level) may have meant; may be empty."""
    return kinds.key_hint(_TABLES, table, key)
