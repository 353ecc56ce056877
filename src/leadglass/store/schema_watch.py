"""The tables of the watch: orders to scan, what somebody has to hear of, where that goes, and what is silent."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from leadglass.store.schema_base import Moment, metadata

__all__ = ["alerts", "deliveries", "orders", "silences", "watch_marks", "watchers"]

orders = Table(
    "orders",
    metadata,
    Column("id", String(26), primary_key=True),  # a ULID
    Column("schedule", String(64), nullable=False),  # "" for none
    Column("moment", Moment),  # of its schedule; NULL: it stands for none of them
    Column("scope_file", Text, nullable=False),
    Column("scope_text", Text, nullable=False),
    Column("why", String(8), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("ports", Text, nullable=False),  # JSON: addresses and ports; [] for the whole scope
    Column("asked_by", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("scan", String(26)),
    Column("began_at", Moment),
    Column("ended_at", Moment),
    Column("trouble", Text, nullable=False),
    Column("token", String(32)),  # whoever holds it runs the order
    Column("worker", String(128)),
    Column("lease_until", Float),
    UniqueConstraint("schedule", "moment"),
    Index(None, "state", "due_at"),
    comment="Scans that a schedule or a person wants, and what became of them.",
)

watch_marks = Table(
    "watch_marks",
    metadata,
    Column("schedule", String(64), primary_key=True),
    Column("planned_to", Moment, nullable=False),
    comment="Up to when each schedule's moments have become orders.",
)

watchers = Table(
    "watchers",
    metadata,
    Column("worker", String(128), primary_key=True),
    Column("began", Moment, nullable=False),
    Column("seen_at", Float, nullable=False),
    comment="Who watches, and when it last said so.",
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(26), primary_key=True),  # a ULID
    Column("key", String(200), nullable=False),
    Column("open_key", String(200), unique=True),  # the key until it is closed, then NULL
    Column("kind", String(24), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("schedule", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("first_at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("times", Integer, nullable=False),
    Column("endpoint", LargeBinary),
    Column("endpoint_name", Text),
    Column("system", String(200)),
    Column("before", String(20)),
    Column("after", String(20)),
    Column("scan", String(26)),
    Column("last_source", String(64), nullable=False),  # the scan or order that said it last: counted once
    Column("not_before", Moment),
    Column("state", String(12), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", Moment),
    Column("head", String(64), nullable=False),
    Index(None, "key"),
    Index(None, "state", "first_at"),
    Index(None, "endpoint"),
    comment="What somebody has to hear of, once.",
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("alert", ForeignKey("alerts.id"), primary_key=True),
    Column("channel", String(64), primary_key=True),
    Column("occasion", String(12), primary_key=True),  # raised | escalated
    Column("state", String(8), nullable=False),  # waiting | sending | sent | failed
    Column("tries", Integer, nullable=False),
    Column("at", Moment, nullable=False),  # of the last try; of one that waits, not before then
    Column("trouble", Text, nullable=False),
    Index(None, "state", "at"),
    comment="Which alert goes where. Sending: begun, and if that was long ago nobody knows whether it left.",
)

silences = Table(
    "silences",
    metadata,
    Column("id", String(26), primary_key=True),  # a ULID
    Column("owner", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", String(10), nullable=False),  # ISO 8601: the last day
    Column("kinds", Text, nullable=False),  # JSON
    Column("address", String(64)),
    Column("port", Integer),
    Column("system", String(200)),
    Column("risk", String(200)),
    Column("added_at", Moment, nullable=False),
    Column("ended_at", Moment),  # before its day, by somebody
    Column("ended_by", Text, nullable=False),
    comment="Risks that somebody has taken upon himself until a day.",
)
