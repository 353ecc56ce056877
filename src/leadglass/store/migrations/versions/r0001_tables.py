"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make them."""
    _who_and_what()
    _work()
    _targets_of_others()
    _meanings()
    _history()


def _who_and_what() -> None:
    op.create_table(
        "places",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places")),
        sa.UniqueConstraint("name", name=op.f("uq_places_name")),
        comment="Vantage points, by the names that people gave them.",
    )
    op.create_table(
        "vantages",
        sa.Column("id", _ID, nullable=False),
        sa.Column("place", _ID, nullable=False),
        sa.Column("source", sa.String(45), nullable=False),
        sa.Column("position", sa.String(8), nullable=False),
        sa.ForeignKeyConstraint(["place"], ["places.id"], name=op.f("fk_vantages_place")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vantages")),
        sa.UniqueConstraint("place", "source", "position", name=op.f("uq_vantages_place_source_position")),
        comment="A place with the source address and the position (outside, inside, unknown) it had.",
    )
    op.create_table(
        "scans",
        sa.Column("id", _ID, nullable=False),
        sa.Column("ulid", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger()),
        sa.Column("tool_version", sa.String(32), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("position", sa.String(8), nullable=False),
        sa.Column("deepest", sa.SmallInteger(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        *_scope_columns(),
        sa.Column("permutation_key", sa.LargeBinary(), nullable=False),
        sa.Column("invented_sop_class", sa.String(64), nullable=False),
        sa.Column("hosts", sa.BigInteger(), nullable=False),
        sa.Column("endpoints", sa.BigInteger(), nullable=False),
        sa.Column("is_listed", sa.SmallInteger(), nullable=False),
        sa.Column("tally", sa.Text()),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
        sa.UniqueConstraint("ulid", name=op.f("uq_scans_ulid")),
        comment="What was asked, of whom, by whose leave.",
    )
    op.create_index(op.f("ix_scans_scope_digest"), "scans", ["scope_digest"])


def _scope_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("scope_name", sa.Text(), nullable=False),
        sa.Column("scope_note", sa.Text()),
        sa.Column("scope_digest", sa.LargeBinary(), nullable=False),
        sa.Column("scope_text", sa.Text(), nullable=False),
        sa.Column("scope_file", sa.Text()),
        sa.Column("pins", sa.Text(), nullable=False),
    ]


def _work() -> None:
    op.create_table(
        "shards",
        sa.Column("scan", _ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", _ID),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("token", sa.String(32)),
        sa.Column("worker", sa.String(128)),
        sa.Column("lease_until", sa.Float()),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("done_from", _ID),
        sa.Column("seen", sa.Integer()),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_shards_scan")),
        sa.ForeignKeyConstraint(["place"], ["places.id"], name=op.f("fk_shards_place")),
        sa.ForeignKeyConstraint(["done_from"], ["places.id"], name=op.f("fk_shards_done_from")),
        sa.PrimaryKeyConstraint("scan", "number", name=op.f("pk_shards")),
        comment="Stretches [first, after) of a scan's permutation of hosts.",
    )
    op.create_index(op.f("ix_shards_scan_state_place_number"), "shards", ["scan", "state", "place", "number"])
    op.create_table(
        "shares",
        sa.Column("scan", _ID, autoincrement=False, nullable=False),
        sa.Column("worker", sa.String(128), nullable=False),
        sa.Column("place", _ID, nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["scan"], ["scans.id"], name=op.f("fk_shares_scan")),
        sa.ForeignKeyConstraint(["place"], ["places.id"], name=op.f("fk_shares_place")),
        sa.PrimaryKeyConstraint("scan", "worker", name=op.f("pk_shares")),
        comment="How many connections a second each worker may open. Never more in all than the scan's rate.",
    )


def _targets_of_others() -> None:
    op.create_table(
        "listed_hosts",
        sa.Column("scan", _ID, autoincrement=False, nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scan", "address", name=op.f("pk_listed_hosts")),
        sa.UniqueConstraint("scan", "number", name=op.f("uq_listed_hosts_scan_number")),
        sqlite_with_rowid=False,
        comment="Hosts that another tool found, numbered from 0 without a gap.",
    )
    op.create_table(
        "listed",
        sa.Column("scan", _ID, autoincrement=False, nullable=False),
        sa.Column("host", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("port", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("scan", "host", "port", name=op.f("pk_listed")),
        sqlite_with_rowid=False,
        comment="Ports that another tool found on them.",
    )


def _meanings() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("identity", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("digest", name=op.f("uq_evidence_digest")),
        comment="Identical evidence, once.",
    )
    op.create_index(op.f("ix_evidence_identity"), "evidence", ["identity"])
    op.create_table(
        "verdicts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("evidence", _ID, nullable=False),
        sa.Column("rung", sa.SmallInteger(), nullable=False),
        sa.Column("access", sa.String(20), nullable=False),
        sa.Column("severity", sa.String(8), nullable=False),
        sa.Column("product", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("judged_by", sa.String(32), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["evidence"], ["evidence.id"], name=op.f("fk_verdicts_evidence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("digest", name=op.f("uq_verdicts_digest")),
        comment="What evidence meant. A later version may judge the same evidence again: that is another row.",
    )
    op.create_index(op.f("ix_verdicts_evidence"), "verdicts", ["evidence"])


def _history() -> None:
    op.create_table(
        "endpoints",
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("place", _ID, autoincrement=False, nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("verdict", _ID, nullable=False),
        sa.PrimaryKeyConstraint("endpoint", "place", name=op.f("pk_endpoints")),
        sqlite_with_rowid=False,
        comment="The latest verdict on each endpoint, as seen from each place.",
    )
    op.create_table(
        "observations",
        sa.Column("scan", _ID, autoincrement=False, nullable=False),
        sa.Column("endpoint", sa.LargeBinary(), nullable=False),
        sa.Column("place", _ID, autoincrement=False, nullable=False),
        sa.Column("vantage", _ID, nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", _ID, nullable=False),
        sa.Column("changed_from", _ID),
        sa.PrimaryKeyConstraint("scan", "endpoint", "place", name=op.f("pk_observations")),
        sqlite_with_rowid=False,
        comment="The history: one narrow row for each look at each endpoint.",
    )
    op.create_index(
        "ix_observations_changed",
        "observations",
        ["scan", "endpoint"],
        sqlite_where=sa.text("changed_from IS NOT NULL"),
        postgresql_where=sa.text("changed_from IS NOT NULL"),
    )
