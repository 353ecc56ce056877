"""The tables that pages of servers are read from. They are empty at first: the next reader fills them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0008"
down_revision = "0007"

_ENDPOINT_INDEXES = {
    "urgency": ("urgency", "family", "address", "port", "place"),
    "port": ("port", "urgency", "family", "address", "place"),
    "product": ("product", "urgency", "family", "address", "port", "place"),
    "last_seen": ("last_seen", "family", "address", "port", "place"),
    "first_seen": ("first_seen", "family", "address", "port", "place"),
    "changed_at": ("changed_at",),
    "endpoint": ("endpoint",),
}
_SERVER_INDEXES = {
    "urgency": ("urgency", "family", "address"),
    "last_seen": ("last_seen", "family", "address"),
    "first_seen": ("first_seen", "family", "address"),
    "changed_at": ("changed_at",),
    "name": ("name",),
}


def upgrade() -> None:
    """Make them."""
    _steps()
    _endpoints()
    _servers()


def _steps() -> None:
    op.create_table(
        "current_marks",
        sa.Column("scan", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("shards", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("scan", name=op.f("pk_current_marks")),
        comment="How far each scan has come into these tables: its state and its finished shards.",
    )
    op.create_table(
        "current_facts",
        sa.Column("verdict", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("nature", sa.SmallInteger(), nullable=False),
        sa.Column("product", sa.Text()),
        sa.PrimaryKeyConstraint("verdict", name=op.f("pk_current_facts")),
        comment="What of each verdict is sorted and filtered by.",
    )
    op.create_table(
        "current_changes",
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("scan", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("was", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "place", "scan", name=op.f("pk_current_changes")),
        sqlite_with_rowid=False,
        comment="The observations that changed something, by endpoint.",
    )
    op.create_index("ix_current_changes_scan", "current_changes", ["scan"])
    op.create_table(
        "current_summary",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_current_summary")),
        comment="What there is of them, counted.",
    )


def _endpoints() -> None:
    op.create_table(
        "current_endpoints",
        sa.Column("family", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("port", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("nature", sa.SmallInteger(), nullable=False),
        sa.Column("product", sa.Text()),
        sa.Column("verdict", sa.BigInteger(), nullable=False),
        *_moments(),
        sa.PrimaryKeyConstraint("family", "address", "port", "place", name=op.f("pk_current_endpoints")),
        sqlite_with_rowid=False,
        comment="Endpoints that answer, or once did, as they were last seen from each place.",
    )
    _indexes("current_endpoints", _ENDPOINT_INDEXES)


def _servers() -> None:
    op.create_table(
        "current_servers",
        sa.Column("family", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("urgency", sa.SmallInteger(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("nature", sa.SmallInteger(), nullable=False),
        sa.Column("product", sa.Text()),
        sa.Column("open_ports", sa.Integer(), nullable=False),
        *_moments(),
        sa.Column("name", sa.Text()),
        sa.PrimaryKeyConstraint("family", "address", name=op.f("pk_current_servers")),
        sqlite_with_rowid=False,
        comment="Their addresses, by the worst endpoint of each.",
    )
    _indexes("current_servers", _SERVER_INDEXES)


def _moments() -> list[sa.Column[Any]]:
    names = ("first_seen", "last_seen", "since", "changed_at")
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _indexes(table: str, indexes: Mapping[str, tuple[str, ...]]) -> None:
    for name, columns in indexes.items():
        op.create_index(f"ix_{table}_{name}", table, list(columns))
