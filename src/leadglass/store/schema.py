"""The tables. Migrations make them; a test holds that both say the same.

Millions of rows are expected in ``observations`` and ``endpoints`` and few elsewhere, because
endpoints that answer alike share one row of ``verdicts`` and ``evidence``. An endpoint is keyed by
the bytes of ``model.key``. Times are POSIX seconds: integers where people look, floats in leases.
Tables with millions of rows have no foreign keys: see decision 8.

One file because a migration is compared with all of it at once.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "accounts",
    "actions",
    "actions_head",
    "alerts",
    "announced",
    "deliveries",
    "endpoints",
    "evidence",
    "guard_budgets",
    "guard_certificates",
    "guard_emergencies",
    "guard_entries",
    "guard_keys",
    "guard_moves",
    "guard_roll",
    "guard_users",
    "listed",
    "listed_hosts",
    "metadata",
    "notes",
    "notice_answers",
    "notice_arms",
    "notice_endpoints",
    "notices",
    "observations",
    "orders",
    "places",
    "register_entries",
    "register_head",
    "register_state",
    "scans",
    "shards",
    "shares",
    "silences",
    "statements",
    "surroundings",
    "vantages",
    "verdicts",
    "watch_marks",
    "watchers",
    "web_attempts",
    "web_flows",
    "web_links",
    "web_sessions",
    "web_tokens",
]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

_Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the type is INTEGER."""

_Moment = BigInteger()
"""POSIX seconds; 32 bits of them end in 2038."""

places = Table(
    "places",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    comment="Vantage points, by the names that people gave them.",
)

vantages = Table(
    "vantages",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("place", ForeignKey("places.id"), nullable=False),
    Column("source", String(45), nullable=False),  # "" where no connection opened: NULL is never equal
    Column("position", String(8), nullable=False),
    UniqueConstraint("place", "source", "position"),
    comment="A place with the source address and the position (outside, inside, unknown) it had.",
)

scans = Table(
    "scans",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("ulid", String(26), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),  # scan | import
    Column("state", String(8), nullable=False),  # open | complete
    Column("began", _Moment, nullable=False),
    Column("ended", _Moment),
    Column("tool_version", String(32), nullable=False),
    Column("command", Text, nullable=False),
    Column("position", String(8), nullable=False),
    Column("deepest", SmallInteger, nullable=False),
    Column("rate", Float, nullable=False),
    Column("scope_name", Text, nullable=False),
    Column("scope_note", Text),  # JSON of record_parts.ScopeNote
    Column("scope_digest", LargeBinary, nullable=False),
    Column("scope_text", Text, nullable=False),
    Column("scope_file", Text),
    Column("pins", Text, nullable=False),  # JSON: names of the scope to the addresses they were pinned to
    Column("permutation_key", LargeBinary, nullable=False),
    Column("invented_sop_class", String(64), nullable=False),
    Column("hosts", BigInteger, nullable=False),
    Column("endpoints", BigInteger, nullable=False),  # those that may be asked
    Column(
        "is_listed", SmallInteger, nullable=False
    ),  # 1: hosts are those of ``listed``, not all of the scope
    Column("tally", Text),  # JSON of what was seen, once it was counted; it does not change any more then
    Column("wanted", Text, nullable=False),  # JSON: names of the places it shall be seen from; [] for any
    Index(None, "scope_digest"),
    comment="What was asked, of whom, by whose leave.",
)

shards = Table(
    "shards",
    metadata,
    Column("scan", ForeignKey("scans.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("place", ForeignKey("places.id")),  # who shall take it; NULL: anybody
    Column("first", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),  # 0 waiting, 1 leased, 2 done
    Column("token", String(32)),
    Column("worker", String(128)),
    Column("lease_until", Float),
    Column("done_at", _Moment),
    Column("done_from", ForeignKey("places.id")),
    Column("seen", Integer),  # endpoints with a record
    Index(None, "scan", "state", "place", "number"),
    comment="Stretches [first, after) of a scan's permutation of hosts.",
)

shares = Table(
    "shares",
    metadata,
    Column("scan", ForeignKey("scans.id"), primary_key=True, autoincrement=False),
    Column("worker", String(128), primary_key=True),
    Column("place", ForeignKey("places.id"), nullable=False),
    Column("rate", Float, nullable=False),
    Column("lease_until", Float, nullable=False),
    comment="How many connections a second each worker may open. Never more in all than the scan's rate.",
)

listed_hosts = Table(
    "listed_hosts",
    metadata,
    Column("scan", _Id, primary_key=True, autoincrement=False),
    Column("address", LargeBinary, primary_key=True),
    Column("number", BigInteger, nullable=False),
    UniqueConstraint("scan", "number"),
    sqlite_with_rowid=False,
    comment="Hosts that another tool found, numbered from 0 without a gap.",
)

listed = Table(
    "listed",
    metadata,
    Column("scan", _Id, primary_key=True, autoincrement=False),
    Column("host", BigInteger, primary_key=True, autoincrement=False),
    Column("port", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
    comment="Ports that another tool found on them.",
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("facts", Text, nullable=False),
    Column("identity", LargeBinary),
    Index(None, "identity"),
    comment="Identical evidence, once.",
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("evidence", ForeignKey("evidence.id"), nullable=False),
    Column("rung", SmallInteger, nullable=False),
    Column("access", String(20), nullable=False),
    Column("severity", String(8), nullable=False),
    Column("product", Text),
    Column("version", Text),
    Column("judged_by", String(32), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "evidence"),
    comment="What evidence meant. A later version may judge the same evidence again: that is another row.",
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint", LargeBinary, primary_key=True),
    Column("place", _Id, primary_key=True, autoincrement=False),
    Column("first_seen", _Moment, nullable=False),
    Column("last_seen", _Moment, nullable=False),
    Column("verdict", _Id, nullable=False),
    sqlite_with_rowid=False,
    comment="The latest verdict on each endpoint, as seen from each place.",
)

observations = Table(
    "observations",
    metadata,
    Column("scan", _Id, primary_key=True, autoincrement=False),
    Column("endpoint", LargeBinary, primary_key=True),
    Column("place", _Id, primary_key=True, autoincrement=False),
    Column("vantage", _Id, nullable=False),
    Column("observed_at", _Moment, nullable=False),
    Column("verdict", _Id, nullable=False),
    Column("changed_from", _Id),  # NULL: evidence and access as last time, or first time
    Index(
        "ix_observations_changed",
        "scan",
        "endpoint",
        sqlite_where=text("changed_from IS NOT NULL"),
        postgresql_where=text("changed_from IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
    comment="The history: one narrow row for each look at each endpoint.",
)

guard_roll = Table(
    "guard_roll",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("version", BigInteger, nullable=False),
    comment="Counts the changes to who is enrolled with the guard; none yet: no row.",
)

guard_entries = Table(
    "guard_entries",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("titles", Text, nullable=False),  # JSON lists, from here on
    Column("networks", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("institutions", Text, nullable=False),
    Column("modalities", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("users", Text, nullable=False),  # to here
    Column("address", Text),
    Column("address_tls", SmallInteger, nullable=False),
    Column("plain", SmallInteger, nullable=False),
    Column("until", _Moment),
    Column("enrolled_at", _Moment, nullable=False),
    Column("revoked_at", _Moment),
    comment="Devices, services and workstations that are or were enrolled with the guard.",
)

guard_certificates = Table(
    "guard_certificates",
    metadata,
    Column("fingerprint", String(64), primary_key=True),  # SHA-256, hexadecimal
    Column("entry", ForeignKey("guard_entries.name"), nullable=False),
    Column("serial", String(40), nullable=False),  # hexadecimal
    Column("issued_at", _Moment, nullable=False),
    Column("not_after", _Moment, nullable=False),
    Column("revoked_at", _Moment),
    Column("reason", Text),
    Index(None, "entry"),
    comment="The certificates that were issued to them.",
)

guard_users = Table(
    "guard_users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password_hash", Text, nullable=False),
    Column("roles", Text, nullable=False),  # JSON lists, from here on
    Column("physician_names", Text, nullable=False),
    Column("institutions", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("added_at", _Moment, nullable=False),
    comment="Persons whom the guard knows by name and passcode.",
)

guard_emergencies = Table(
    "guard_emergencies",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("began", _Moment, nullable=False),
    Column("until", _Moment, nullable=False),
    Column("ended", _Moment),  # before its time, by somebody
    Index(None, "until"),
    comment="Break-glass, each time that it was begun.",
)

guard_budgets = Table(
    "guard_budgets",
    metadata,
    Column("writer", String(64), primary_key=True),
    Column("principal", String(160), primary_key=True),
    Column("bucket", BigInteger, primary_key=True, autoincrement=False),
    Column("totals", Text, nullable=False),  # JSON
    Index(None, "bucket"),
    comment="What each guard process has counted of each principal in each piece of time.",
)

guard_keys = Table(
    "guard_keys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),  # hexadecimal
    comment="Random keys that all processes of a guard share.",
)

guard_moves = Table(
    "guard_moves",
    metadata,
    Column("destination", String(16), primary_key=True),
    Column("originator", String(16), primary_key=True),
    Column("message_id", Integer, primary_key=True, autoincrement=False),
    Column("principal", String(160), nullable=False),
    Column("studies", Text, nullable=False),  # JSON
    Column("until", Float, nullable=False),
    Index(None, "until"),
    comment="C-MOVEs that were permitted: what an archive may send, and where.",
)

register_entries = Table(
    "register_entries",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
    comment="Every change to the register, as lines of a chain of hashes: appended, never altered.",
)

register_head = Table(
    "register_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("n", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256, hexadecimal
    comment="The last entry of that chain; no entry yet: no row.",
)

register_state = Table(
    "register_state",
    metadata,
    Column("what", String(8), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("body", Text, nullable=False),  # JSON
    comment="What the entries come to: the latest of each thing. It can be made anew from them.",
)

notices = Table(
    "notices",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("reference", String(32), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("owner", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("wording", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # sending | sent | failed
    Column("sent_at", _Moment, nullable=False),
    UniqueConstraint("reference", "channel"),
    Index(None, "owner"),
    comment="What owners were told, how, and in which words. Sending: begun, and nobody knows whether it left.",
)

notice_endpoints = Table(
    "notice_endpoints",
    metadata,
    Column("notice", ForeignKey("notices.id"), primary_key=True, autoincrement=False),
    Column("endpoint", LargeBinary, primary_key=True),
    Column("identity", LargeBinary),  # of the server that stood there: NULL if nothing told it from others
    comment="The endpoints that they were told of.",
)

notice_answers = Table(
    "notice_answers",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("notice", ForeignKey("notices.id"), nullable=False),
    Column("at", _Moment, nullable=False),
    Column("answer", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Index(None, "notice"),
    comment="What came back.",
)

notice_arms = Table(
    "notice_arms",
    metadata,
    Column("study", String(64), primary_key=True),
    Column("owner", String(200), primary_key=True),
    Column("arm", String(64), nullable=False),
    Column("seed", String(64), nullable=False),
    Column("assigned_at", _Moment, nullable=False),
    comment="Which owner was drawn for which arm of a study.",
)

orders = Table(
    "orders",
    metadata,
    Column("id", String(26), primary_key=True),  # a ULID
    Column("schedule", String(64), nullable=False),  # "" for none
    Column("moment", _Moment),  # of its schedule; NULL: it stands for none of them
    Column("scope_file", Text, nullable=False),
    Column("scope_text", Text, nullable=False),
    Column("why", String(8), nullable=False),
    Column("due_at", _Moment, nullable=False),
    Column("until", _Moment, nullable=False),
    Column("ports", Text, nullable=False),  # JSON: addresses and ports; [] for the whole scope
    Column("asked_by", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("scan", String(26)),
    Column("began_at", _Moment),
    Column("ended_at", _Moment),
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
    Column("planned_to", _Moment, nullable=False),
    comment="Up to when each schedule's moments have become orders.",
)

watchers = Table(
    "watchers",
    metadata,
    Column("worker", String(128), primary_key=True),
    Column("began", _Moment, nullable=False),
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
    Column("first_at", _Moment, nullable=False),
    Column("last_at", _Moment, nullable=False),
    Column("times", Integer, nullable=False),
    Column("endpoint", LargeBinary),
    Column("endpoint_name", Text),
    Column("system", String(200)),
    Column("before", String(20)),
    Column("after", String(20)),
    Column("scan", String(26)),
    Column("last_source", String(64), nullable=False),  # the scan or order that said it last: counted once
    Column("not_before", _Moment),
    Column("state", String(12), nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", _Moment),
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
    Column("at", _Moment, nullable=False),  # of the last try; of one that waits, not before then
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
    Column("added_at", _Moment, nullable=False),
    Column("ended_at", _Moment),  # before its day, by somebody
    Column("ended_by", Text, nullable=False),
    comment="Risks that somebody has taken upon himself until a day.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("full_name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text),  # NULL: nobody has chosen one yet, or a provider vouches
    Column("subject", String(400), unique=True),  # issuer|subject
    Column("disabled", SmallInteger, nullable=False),
    Column("added_at", _Moment, nullable=False),
    comment="Who may sign in at the dashboard.",
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the secret, hexadecimal; so are they all
    Column("id", String(26), nullable=False, unique=True),  # a ULID, to speak of it
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("began_at", _Moment, nullable=False),
    Column("seen_at", _Moment, nullable=False),
    Column("confirmed_at", _Moment, nullable=False),
    Column("until", _Moment, nullable=False),
    Column("address", String(45), nullable=False),
    Column("browser", String(200), nullable=False),
    Index(None, "account"),
    comment="Who is signed in.",
)

web_tokens = Table(
    "web_tokens",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("id", String(26), nullable=False, unique=True),  # a ULID
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("label", String(100), nullable=False),
    Column("scopes", Text, nullable=False),  # JSON
    Column("made_at", _Moment, nullable=False),
    Column("expires_at", _Moment, nullable=False),
    Column("used_at", _Moment),
    Column("revoked_at", _Moment),
    Index(None, "account"),
    comment="What programs show at the API.",
)

web_links = Table(
    "web_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account", String(64)),  # whose password it sets; NULL: it makes the first administrator
    Column("until", _Moment, nullable=False),
    comment="Links that work once, until a moment.",
)

web_flows = Table(
    "web_flows",
    metadata,
    Column("digest", String(64), primary_key=True),  # of state and browser
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(64), nullable=False),
    Column("next", Text, nullable=False),
    Column("until", _Moment, nullable=False),
    comment="Sign-ins that an identity provider is busy with.",
)

web_attempts = Table(
    "web_attempts",
    metadata,
    Column("key", String(64), primary_key=True),  # SHA-256 of what is counted: names that nobody has too
    Column("wrong", Integer, nullable=False),
    Column("last", Float, nullable=False),
    Index(None, "last"),
    comment="Passwords that were wrong lately, by account and by address.",
)

actions = Table(
    "actions",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("line", Text, nullable=False),
    Column("at", _Moment, nullable=False),  # from here on as in the line, to search by
    Column("who", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Index(None, "who", "n"),
    Index(None, "what", "n"),
    comment="Who did what at the dashboard, as lines of a chain of hashes: appended, never altered.",
)

actions_head = Table(
    "actions_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),  # 1: there is one row
    Column("n", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    comment="The last entry of that chain; no entry yet: no row.",
)

notes = Table(
    "notes",
    metadata,
    Column("id", String(26), primary_key=True),  # a ULID
    Column("kind", String(8), nullable=False),  # server | system | alert
    Column("about", String(200), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", _Moment, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "kind", "about", "id"),
    comment="What people wrote beside a thing.",
)

statements = Table(
    "statements",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("address", LargeBinary, nullable=False),  # 4 or 16 bytes
    Column("port", Integer),  # NULL: all of them
    Column("nature", String(16)),
    Column("data", String(16)),
    Column("cause", String(16)),
    Column("by", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", _Moment, nullable=False),
    Column("withdrawn_at", _Moment),
    Index(None, "address"),
    comment="What owners said of their servers. None is ever deleted: it stands until it is withdrawn.",
)

surroundings = Table(
    "surroundings",
    metadata,
    Column("address", LargeBinary, primary_key=True),  # 4 or 16 bytes
    Column("found_at", _Moment, nullable=False),
    Column("body", Text, nullable=False),  # JSON: what the DNS, registries and databases said of it
    comment="What is known around an address, the latest.",
)

announced = Table(
    "announced",
    metadata,
    Column("endpoint", LargeBinary, primary_key=True),
    Column("service", String(16), primary_key=True),  # _dicom._tcp | _dicom-tls._tcp
    Column("domain", Text, nullable=False),
    Column("found_at", _Moment, nullable=False),
    comment="Endpoints that DNS-SD announces as DICOM (PS3.15 H.2).",
)
