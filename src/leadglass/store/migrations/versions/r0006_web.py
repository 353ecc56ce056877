"""The tables of the dashboard: accounts, sessions, tokens, what was done, and notes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make them."""
    _accounts()
    _sessions()
    _tokens()
    _signing_in()
    _actions()
    _notes()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("subject", sa.String(400)),
        sa.Column("disabled", sa.SmallInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
        sa.UniqueConstraint("subject", name=op.f("uq_accounts_subject")),
        comment="Who may sign in at the dashboard.",
    )


def _sessions() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("browser", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_sessions")),
        sa.UniqueConstraint("id", name=op.f("uq_web_sessions_id")),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_web_sessions_account")),
        comment="Who is signed in.",
    )
    op.create_index("ix_web_sessions_account", "web_sessions", ["account"])


def _tokens() -> None:
    op.create_table(
        "web_tokens",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_tokens")),
        sa.UniqueConstraint("id", name=op.f("uq_web_tokens_id")),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_web_tokens_account")),
        comment="What programs show at the API.",
    )
    op.create_index("ix_web_tokens_account", "web_tokens", ["account"])


def _signing_in() -> None:
    op.create_table(
        "web_links",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("account", sa.String(64)),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_links")),
        comment="Links that work once, until a moment.",
    )
    op.create_table(
        "web_flows",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(64), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_web_flows")),
        comment="Sign-ins that an identity provider is busy with.",
    )
    op.create_table(
        "web_attempts",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("last", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_web_attempts")),
        comment="Passwords that were wrong lately, by account and by address.",
    )
    op.create_index("ix_web_attempts_last", "web_attempts", ["last"])


def _actions() -> None:
    op.create_table(
        "actions",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_actions")),
        comment="Who did what at the dashboard, as lines of a chain of hashes: appended, never altered.",
    )
    op.create_index("ix_actions_who_n", "actions", ["who", "n"])
    op.create_index("ix_actions_what_n", "actions", ["what", "n"])
    op.create_table(
        "actions_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions_head")),
        comment="The last entry of that chain; no entry yet: no row.",
    )


def _notes() -> None:
    op.create_table(
        "notes",
        sa.Column("id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("about", sa.String(200), nullable=False),
        sa.Column("author", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes")),
        comment="What people wrote beside a thing.",
    )
    op.create_index("ix_notes_kind_about_id", "notes", ["kind", "about", "id"])
