"""The tables of owners: what they state, what is known around addresses, and what DNS-SD announces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _statements()
    _around()


def _statements() -> None:
    op.create_table(
        "statements",
        sa.Column("id", _ID, nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("port", sa.Integer()),
        sa.Column("nature", sa.String(16)),
        sa.Column("data", sa.String(16)),
        sa.Column("cause", sa.String(16)),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        comment="What owners said of their servers. None is ever deleted: it stands until it is withdrawn.",
    )
    op.create_index("ix_statements_address", "statements", ["address"])


def _around() -> None:
    op.create_table(
        "surroundings",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_surroundings")),
        comment="What is known around an address, the latest.",
    )
    op.create_table(
        "announced",
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("found_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "service", name=op.f("pk_announced")),
        comment="Endpoints that DNS-SD announces as DICOM (PS3.15 H.2).",
    )
