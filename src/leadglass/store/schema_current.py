"""The tables that pages of servers are read from: what the other tables come to, in an order that can be asked.

``store.current`` makes them and makes them anew; nothing stands in them alone. Scans do not write them, so that
nobody waits for a page that he does not look at. A server is ``family`` (4 or 6) and the bytes of its address,
which sort as addresses do. ``urgency`` is 16 times the rank of the severity plus the rank of the access: 0 is worst. ``metadata`` has all tables, these and those of ``store.schema``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from leadglass.store.schema import metadata

__all__ = [
    "current_changes",
    "current_endpoints",
    "current_facts",
    "current_marks",
    "current_servers",
    "current_summary",
    "metadata",
]

current_marks = Table(
    "current_marks",
    metadata,
    Column("scan", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(8), nullable=False),
    Column("shards", Integer, nullable=False),
    comment="How far each scan has come into these tables: its state and its finished shards.",
)

current_facts = Table(
    "current_facts",
    metadata,
    Column("verdict", BigInteger, primary_key=True, autoincrement=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("nature", SmallInteger, nullable=False),  # rank of the likeliest kind
    Column("product", Text),
    comment="What of each verdict is sorted and filtered by.",
)

current_changes = Table(
    "current_changes",
    metadata,
    Column("endpoint", LargeBinary, primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("scan", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("was", SmallInteger, nullable=False),  # the urgency before
    Index(None, "scan"),
    sqlite_with_rowid=False,
    comment="The observations that changed something, by endpoint.",
)

current_endpoints = Table(
    "current_endpoints",
    metadata,
    Column("family", SmallInteger, primary_key=True, autoincrement=False),
    Column("address", LargeBinary, primary_key=True),
    Column("port", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("endpoint", LargeBinary, nullable=False),  # as ``model.key`` has it
    Column("urgency", SmallInteger, nullable=False),
    Column("nature", SmallInteger, nullable=False),
    Column("product", Text),
    Column("verdict", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),  # never: as first_seen
    Index("ix_current_endpoints_urgency", "urgency", "family", "address", "port", "place"),
    Index("ix_current_endpoints_port", "port", "urgency", "family", "address", "place"),
    Index("ix_current_endpoints_product", "product", "urgency", "family", "address", "port", "place"),
    Index("ix_current_endpoints_last_seen", "last_seen", "family", "address", "port", "place"),
    Index("ix_current_endpoints_first_seen", "first_seen", "family", "address", "port", "place"),
    Index("ix_current_endpoints_changed_at", "changed_at"),
    Index("ix_current_endpoints_endpoint", "endpoint"),
    sqlite_with_rowid=False,
    comment="Endpoints that answer, or once did, as they were last seen from each place.",
)

current_servers = Table(
    "current_servers",
    metadata,
    Column("family", SmallInteger, primary_key=True, autoincrement=False),
    Column("address", LargeBinary, primary_key=True),
    Column("urgency", SmallInteger, nullable=False),  # of the worst endpoint, as all to here:
    Column("port", Integer, nullable=False),
    Column("nature", SmallInteger, nullable=False),
    Column("product", Text),  # here
    Column("open_ports", Integer, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("name", Text),
    Index("ix_current_servers_urgency", "urgency", "family", "address"),
    Index("ix_current_servers_last_seen", "last_seen", "family", "address"),
    Index("ix_current_servers_first_seen", "first_seen", "family", "address"),
    Index("ix_current_servers_changed_at", "changed_at"),
    Index("ix_current_servers_name", "name"),
    sqlite_with_rowid=False,
    comment="Their addresses, by the worst endpoint of each.",
)

current_summary = Table(
    "current_summary",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("body", Text, nullable=False),  # JSON
    comment="What there is of them, counted.",
)
