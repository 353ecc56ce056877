"""Migrations make exactly the schema that the code believes in."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from tests.contract.conftest import Opening
from tests.contract.samples import sighting
from tests.contract.test_work import count, taken, worker
from tests.peers.postgresql import Cluster

from leadglass.errors import ConfigError
from leadglass.store import database as database_module
from leadglass.store import migrating, revisions, scans
from leadglass.store.database import Database, open_database
from leadglass.store.schema import metadata


def test_the_newest_revision_is_the_head_of_one_line() -> None:
    assert migrating.scripts().get_heads() == [revisions.NEWEST]


def test_the_revisions_that_are_known_are_those_there_are() -> None:
    there = [script.revision for script in migrating.scripts().walk_revisions()]

    assert list(revisions.REVISIONS) == there[::-1]


def migrated(where: str) -> None:
    """Make the newest schema one revision after the other, in a database that has none."""
    engine = create_engine(where)
    with engine.begin() as connection:
        migrating.migrate(connection, where)
    engine.dispose()


def test_the_schema_is_what_a_new_database_has(database: Database) -> None:
    with database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


def shape(path: Path) -> dict[str, list[str]]:
    """Each table and index of a SQLite file, with the pieces of the statement that made it, in any order."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {name: sorted(re.split(r"[(),\s]+", sql)) for name, sql in rows}


def test_sqlite_gets_the_same_tables_new_and_by_migrations(tmp_path: Path) -> None:
    # Comparing metadata sees neither WITHOUT ROWID nor the conditions of indexes.
    migrated(f"sqlite:///{tmp_path / 'migrated'}")
    open_database(str(tmp_path / "made"), lambda: 0.0).close()

    assert "ROWID" in shape(tmp_path / "made")["observations"]
    assert shape(tmp_path / "migrated") == shape(tmp_path / "made")


def statements(dump: str) -> list[str]:
    """The dump without the words by which newer versions of pg_dump fence it in, new ones each time."""
    return [line for line in dump.splitlines() if not line.startswith("\\")]


@pytest.mark.peer("postgresql")
def test_postgresql_gets_the_same_tables_new_and_by_migrations(cluster: Cluster) -> None:
    with cluster.database() as step_by_step, cluster.database() as made:
        migrated(cluster.url(step_by_step).replace("postgresql:", "postgresql+psycopg:"))
        open_database(cluster.url(made), lambda: 0.0).close()

        assert statements(cluster.dump(step_by_step)) == statements(cluster.dump(made))


# ---- forward from every revision

_SCANS = """
    INSERT INTO places (name) VALUES ('here');
    INSERT INTO vantages (place, source, position) VALUES (1, '192.0.2.1', 'outside');
    INSERT INTO evidence (digest, facts) VALUES ({blob}, '[]');
    INSERT INTO verdicts (digest, evidence, rung, access, severity, judged_by, body)
        VALUES ({blob}, 1, 2, 'associates', 'high', '0.3.0', '{{}}');
    INSERT INTO scans (ulid, kind, state, began, tool_version, command, position, deepest, rate,
        scope_name, scope_digest, scope_text, pins, permutation_key, invented_sop_class, hosts, endpoints,
        is_listed, wanted)
        VALUES ('01JD5Y0000000000000000000A', 'scan', 'open', 1795237200, '0.3.0', 'leadglass scan',
        'outside', 2, 500.0, 'x', {blob}, 'x', '{{}}', {blob}, '2.25.1', 4, 4, 0, '[]');
    INSERT INTO shards (scan, number, first, after, state) VALUES (1, 0, 0, 4, 0);
    INSERT INTO observations (scan, endpoint, place, vantage, observed_at, verdict)
        VALUES (1, {blob}, 1, 1, 1795237201, 1);
    INSERT INTO endpoints (endpoint, place, first_seen, last_seen, verdict)
        VALUES ({blob}, 1, 1795237201, 1795237201, 1)
"""
_GUARD = """
    ; INSERT INTO guard_roll (id, version) VALUES (1, 7);
    INSERT INTO guard_entries (name, kind, titles, networks, roles, institutions, modalities, labels, users,
        address_tls, plain, enrolled_at)
        VALUES ('ct-1', 'Device', '["CT1"]', '["192.0.2.0/28"]', '["modality"]', '[]', '["CT"]', '[]', '[]', 1, 0,
        1795237200);
    INSERT INTO guard_certificates (fingerprint, entry, serial, issued_at, not_after)
        VALUES ('00', 'ct-1', '1', 1795237200, 1895237200);
    INSERT INTO guard_users (name, password_hash, roles, physician_names, institutions, labels, added_at)
        VALUES ('ada', '$argon2id$', '["radiologist"]', '[]', '[]', '[]', 1795237200);
    INSERT INTO guard_emergencies (name, reason, began, until) VALUES ('ada', 'x', 1795237200, 1795240800);
    INSERT INTO guard_budgets (writer, principal, bucket, totals) VALUES ('a', 'Device ct-1', 1, '{{}}');
    INSERT INTO guard_keys (name, value) VALUES ('budgets', '00');
    INSERT INTO guard_moves (destination, originator, message_id, principal, studies, until)
        VALUES ('DEST', 'CT1', 1, 'ct-1', '["1.2.3"]', 1795240800.0)
"""

_REGISTER = """
    ; INSERT INTO register_entries (n, line) VALUES (1, '[]');
    INSERT INTO register_head (id, n, digest) VALUES (1, 1, '00');
    INSERT INTO register_state (what, name, body) VALUES ('system', 'ct-1', '[]')
"""

_NOTICES = """
    ; INSERT INTO notices (reference, channel, owner, recipient, wording, state, sent_at)
        VALUES ('LG-20261121-00000000', 'letter', 'x', 'x', 'de-gdpr-owner', 'sent', 1795237200);
    INSERT INTO notice_endpoints (notice, endpoint) VALUES (1, {blob});
    INSERT INTO notice_answers (notice, at, answer, note) VALUES (1, 1795237200, 'fixed', '');
    INSERT INTO notice_arms (study, owner, arm, seed, assigned_at) VALUES ('s', 'x', 'letter', '00', 1795237200)
"""

_WATCH = """
    ; INSERT INTO orders (id, schedule, moment, scope_file, scope_text, why, due_at, until, ports, asked_by, state,
        trouble) VALUES ('01JD5Y0000000000000000000B', 'nightly', 1795237200, 'scope.toml', 'x', 'schedule',
        1795237200, 1795240800, '[]', '', 'waiting', '');
    INSERT INTO watch_marks (schedule, planned_to) VALUES ('nightly', 1795237200);
    INSERT INTO watchers (worker, began, seen_at) VALUES ('a', 1795237200, 1795237200.5);
    INSERT INTO alerts (id, key, open_key, kind, severity, schedule, scope, summary, first_at, last_at, times,
        endpoint, last_source, state, changed_by, head) VALUES ('01JD5Y0000000000000000000C', 'k', 'k', 'new-server',
        'high', 'nightly', 'x', 'x', 1795237200, 1795237200, 1, {blob}, 's', 'open', '', '');
    INSERT INTO deliveries (alert, channel, occasion, state, tries, at, trouble)
        VALUES ('01JD5Y0000000000000000000C', 'mail', 'raised', 'waiting', 0, 1795237200, '');
    INSERT INTO silences (id, owner, reason, until, kinds, added_at, ended_by)
        VALUES ('01JD5Y0000000000000000000D', 'ada', 'x', '2027-01-31', '[]', 1795237200, '')
"""

_WEB = """
    ; INSERT INTO accounts (name, full_name, role, password_hash, subject, disabled, added_at)
        VALUES ('ada', 'Ada', 'administrator', '$argon2id$', NULL, 0, 1795237200);
    INSERT INTO web_sessions (digest, id, account, began_at, seen_at, confirmed_at, until, address, browser)
        VALUES ('00', '01JD5Y0000000000000000000E', 'ada', 1795237200, 1795237200, 1795237200, 1795237200, '', '');
    INSERT INTO web_tokens (digest, id, account, label, scopes, made_at, expires_at)
        VALUES ('00', '01JD5Y0000000000000000000F', 'ada', 'x', '["read"]', 1795237200, 1795237200);
    INSERT INTO web_links (digest, until) VALUES ('00', 1795237200);
    INSERT INTO web_flows (digest, nonce, verifier, next, until) VALUES ('00', 'n', 'v', '/', 1795237200);
    INSERT INTO web_attempts (key, wrong, last) VALUES ('00', 1, 1795237200.5);
    INSERT INTO actions (n, line, at, who, what) VALUES (1, '[]', 1795237200, 'ada', 'sign-in');
    INSERT INTO actions_head (id, n, digest) VALUES (1, 1, '00');
    INSERT INTO notes (id, kind, about, author, at, text)
        VALUES ('01JD5Y0000000000000000000G', 'server', '192.0.2.1', 'ada', 1795237200, 'x')
"""

_OWNERS = """
    ; INSERT INTO statements (address, nature, "by", reference, at)
        VALUES ({blob}, 'teaching', 'x', 'x', 1795237200);
    INSERT INTO surroundings (address, found_at, body) VALUES ({blob}, 1795237200, '[]');
    INSERT INTO announced (endpoint, service, domain, found_at)
        VALUES ({blob}, '_dicom-tls._tcp', 'example.org', 1795237200)
"""

_CURRENT = """
    ; INSERT INTO current_marks (scan, state, shards) VALUES (1, 'open', 1);
    INSERT INTO current_facts (verdict, urgency, nature) VALUES (1, 19, 0)
"""

ROWS = {
    "0001": _SCANS,
    "0002": _SCANS + _GUARD,
    "0003": _SCANS + _GUARD + _REGISTER,
    "0004": _SCANS + _GUARD + _REGISTER + _NOTICES,
    "0005": _SCANS + _GUARD + _REGISTER + _NOTICES + _WATCH,
    "0006": _SCANS + _GUARD + _REGISTER + _NOTICES + _WATCH + _WEB,
    "0007": _SCANS + _GUARD + _REGISTER + _NOTICES + _WATCH + _WEB + _OWNERS,
    "0008": _SCANS + _GUARD + _REGISTER + _NOTICES + _WATCH + _WEB + _OWNERS + _CURRENT,
}
"""Something to keep, as it was written at each revision."""

LATER = f"""
import sqlalchemy as sa
from alembic import op

revision = "9002"
down_revision = "{revisions.NEWEST}"


def upgrade():
    op.add_column("scans", sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
"""


def made_at(where: str, revision: str) -> None:
    """A database as the version with ``revision`` left it, with rows."""
    engine = create_engine(
        where.replace("postgresql:", "postgresql+psycopg:") if "://" in where else f"sqlite:///{where}"
    )
    blob = "'\\x0102'::bytea" if "://" in where else "x'0102'"
    with engine.begin() as connection:
        migrating.migrate(connection, where, revision)
        for row in ROWS[revision].split(";"):
            connection.exec_driver_sql(row.format(blob=blob))
    engine.dispose()


def test_every_revision_has_rows_to_keep() -> None:
    assert {script.revision for script in migrating.scripts().walk_revisions()} == set(ROWS)


@pytest.mark.parametrize("revision", sorted(ROWS))
def test_what_an_older_version_stored_is_there_after_migrating(
    where: str, opening: Opening, revision: str
) -> None:
    if "://" not in where:
        Path(where).parent.mkdir()
    made_at(where, revision)

    database = opening()

    scan = scans.find(database, "last")
    assert (scan.plan.ulid, scan.plan.hosts, scan.state) == ("01JD5Y0000000000000000000A", 4, "open")
    work = worker(database, scan)
    assert work.finish(taken(work), [sighting(1)])
    assert count(database, "observations") == count(database, "endpoints") == 2


def test_who_cannot_upgrade_says_that_the_database_is_older(where: str) -> None:
    if "://" not in where:
        Path(where).parent.mkdir()
    made_at(where, "0001")

    with pytest.raises(ConfigError, match="older Leadglass"):
        open_database(where, lambda: 0.0)


def test_a_later_revision_is_reached_from_the_first_and_all_or_nothing(
    where: str, opening: Opening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "://" not in where:
        Path(where).parent.mkdir()
    made_at(where, "0001")
    later = tmp_path / "migrations"
    shutil.copytree(Path(migrating.__file__).parent / "migrations", later)
    config = Config()
    config.set_main_option("script_location", str(later))
    monkeypatch.setattr(migrating, "scripts", lambda: ScriptDirectory.from_config(config))
    monkeypatch.setattr(migrating.migrate, "__defaults__", ("9002",))
    monkeypatch.setattr(database_module, "NEWEST", "9002")

    (later / "versions" / "r9002.py").write_text(f"{LATER}    raise RuntimeError('half way')\n")
    with pytest.raises(RuntimeError, match="half way"):
        opening()
    (later / "versions" / "r9002.py").write_text(LATER)
    database = opening()

    assert count(database, "scans WHERE mood = 'calm'") == 1
    assert count(database, "alembic_version WHERE version_num = '9002'") == 1
