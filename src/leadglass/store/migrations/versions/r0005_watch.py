"""The tables of the watch: orders to scan, what somebody has to hear of, where that goes, and what is silent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make them."""
    _orders()
    _watchers()
    _alerts()
    _deliveries()
    _silences()


def _orders() -> None:
    op.create_table(
        "orders",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("schedule", sa.String(64), nullable=False),
        sa.Column("moment", sa.BigInteger()),
        sa.Column("scope_file", sa.Text(), nullable=False),
        sa.Column("scope_text", sa.Text(), nullable=False),
        sa.Column("why", sa.String(8), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("ports", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("scan", sa.String(26)),
        sa.Column("began_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.Column("token", sa.String(32)),
        sa.Column("worker", sa.String(128)),
        sa.Column("lease_until", sa.Float()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("schedule", "moment", name=op.f("uq_orders_schedule_moment")),
        comment="Scans that a schedule or a person wants, and what became of them.",
    )
    op.create_index("ix_orders_state_due_at", "orders", ["state", "due_at"])


def _watchers() -> None:
    op.create_table(
        "watch_marks",
        sa.Column("schedule", sa.String(64), nullable=False),
        sa.Column("planned_to", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("schedule", name=op.f("pk_watch_marks")),
        comment="Up to when each schedule's moments have become orders.",
    )
    op.create_table(
        "watchers",
        sa.Column("worker", sa.String(128), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_watchers")),
        comment="Who watches, and when it last said so.",
    )


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("open_key", sa.String(200)),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("schedule", sa.String(64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("endpoint", sa.LargeBinary()),
        sa.Column("endpoint_name", sa.Text()),
        sa.Column("system", sa.String(200)),
        sa.Column("before", sa.String(20)),
        sa.Column("after", sa.String(20)),
        sa.Column("scan", sa.String(26)),
        sa.Column("last_source", sa.String(64), nullable=False),
        sa.Column("not_before", sa.BigInteger()),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger()),
        sa.Column("head", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("open_key", name=op.f("uq_alerts_open_key")),
        comment="What somebody has to hear of, once.",
    )
    op.create_index("ix_alerts_key", "alerts", ["key"])
    op.create_index("ix_alerts_state_first_at", "alerts", ["state", "first_at"])
    op.create_index("ix_alerts_endpoint", "alerts", ["endpoint"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("alert", sa.String(26), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("occasion", sa.String(12), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert", "channel", "occasion", name=op.f("pk_deliveries")),
        sa.ForeignKeyConstraint(["alert"], ["alerts.id"], name=op.f("fk_deliveries_alert")),
        comment="Which alert goes where. Sending: begun, and if that was long ago nobody knows whether it left.",
    )
    op.create_index("ix_deliveries_state_at", "deliveries", ["state", "at"])


def _silences() -> None:
    op.create_table(
        "silences",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.String(10), nullable=False),
        sa.Column("kinds", sa.Text(), nullable=False),
        sa.Column("address", sa.String(64)),
        sa.Column("port", sa.Integer()),
        sa.Column("system", sa.String(200)),
        sa.Column("risk", sa.String(200)),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
        comment="Risks that somebody has taken upon himself until a day.",
    )
