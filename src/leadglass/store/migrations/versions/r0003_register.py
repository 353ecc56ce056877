"""The tables of the register: its chain of entries, where the chain stands, and what it comes to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "register_entries",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_register_entries")),
        comment="Every change to the register, as lines of a chain of hashes: appended, never altered.",
    )
    op.create_table(
        "register_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_head")),
        comment="The last entry of that chain; no entry yet: no row.",
    )
    op.create_table(
        "register_state",
        sa.Column("what", sa.String(8), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("what", "name", name=op.f("pk_register_state")),
        comment="What the entries come to: the latest of each thing. It can be made anew from them.",
    )
