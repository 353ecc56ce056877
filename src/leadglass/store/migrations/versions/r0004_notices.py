"""The tables of notices: what owners were told, what they answered, and who was drawn for which arm."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _notices()
    _what_came_of_them()


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("reference", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("wording", sa.String(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("reference", "channel", name=op.f("uq_notices_reference_channel")),
        comment="What owners were told, how, and in which words. Sending: begun, and nobody knows whether it left.",
    )
    op.create_index("ix_notices_owner", "notices", ["owner"])
    op.create_table(
        "notice_endpoints",
        sa.Column("notice", _ID, autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("notice", "endpoint", name=op.f("pk_notice_endpoints")),
        sa.ForeignKeyConstraint(["notice"], ["notices.id"], name=op.f("fk_notice_endpoints_notice")),
        comment="The endpoints that they were told of.",
    )


def _what_came_of_them() -> None:
    op.create_table(
        "notice_answers",
        sa.Column("id", _ID, nullable=False),
        sa.Column("notice", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_answers")),
        sa.ForeignKeyConstraint(["notice"], ["notices.id"], name=op.f("fk_notice_answers_notice")),
        comment="What came back.",
    )
    op.create_index("ix_notice_answers_notice", "notice_answers", ["notice"])
    op.create_table(
        "notice_arms",
        sa.Column("study", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(200), nullable=False),
        sa.Column("arm", sa.String(64), nullable=False),
        sa.Column("seed", sa.String(64), nullable=False),
        sa.Column("assigned_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("study", "owner", name=op.f("pk_notice_arms")),
        comment="Which owner was drawn for which arm of a study.",
    )
