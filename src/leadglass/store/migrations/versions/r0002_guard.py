"""The tables of the guard: who is enrolled, and what was counted of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0002"
down_revision = "0001"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _roll()
    _entries()
    _persons()
    _budgets()
    _shared()


def _roll() -> None:
    op.create_table(
        "guard_roll",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_roll")),
        comment="Counts the changes to who is enrolled with the guard; none yet: no row.",
    )


def _entries() -> None:
    op.create_table(
        "guard_entries",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("titles", sa.Text(), nullable=False),
        sa.Column("networks", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("institutions", sa.Text(), nullable=False),
        sa.Column("modalities", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("users", sa.Text(), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("address_tls", sa.SmallInteger(), nullable=False),
        sa.Column("plain", sa.SmallInteger(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guard_entries")),
        comment="Devices, services and workstations that are or were enrolled with the guard.",
    )
    op.create_table(
        "guard_certificates",
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("entry", sa.String(64), nullable=False),
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("not_after", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_guard_certificates")),
        sa.ForeignKeyConstraint(["entry"], ["guard_entries.name"], name=op.f("fk_guard_certificates_entry")),
        comment="The certificates that were issued to them.",
    )
    op.create_index("ix_guard_certificates_entry", "guard_certificates", ["entry"])


def _persons() -> None:
    op.create_table(
        "guard_users",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("physician_names", sa.Text(), nullable=False),
        sa.Column("institutions", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guard_users")),
        comment="Persons whom the guard knows by name and passcode.",
    )
    op.create_table(
        "guard_emergencies",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_emergencies")),
        comment="Break-glass, each time that it was begun.",
    )
    op.create_index("ix_guard_emergencies_until", "guard_emergencies", ["until"])


def _budgets() -> None:
    op.create_table(
        "guard_budgets",
        sa.Column("writer", sa.String(64), nullable=False),
        sa.Column("principal", sa.String(160), nullable=False),
        sa.Column("bucket", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("writer", "principal", "bucket", name=op.f("pk_guard_budgets")),
        comment="What each guard process has counted of each principal in each piece of time.",
    )
    op.create_index("ix_guard_budgets_bucket", "guard_budgets", ["bucket"])


def _shared() -> None:
    op.create_table(
        "guard_keys",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_guard_keys")),
        comment="Random keys that all processes of a guard share.",
    )
    op.create_table(
        "guard_moves",
        sa.Column("destination", sa.String(16), nullable=False),
        sa.Column("originator", sa.String(16), nullable=False),
        sa.Column("message_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("principal", sa.String(160), nullable=False),
        sa.Column("studies", sa.Text(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("destination", "originator", "message_id", name=op.f("pk_guard_moves")),
        comment="C-MOVEs that were permitted: what an archive may send, and where.",
    )
    op.create_index("ix_guard_moves_until", "guard_moves", ["until"])
