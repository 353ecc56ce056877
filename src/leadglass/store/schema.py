"""The tables. Migrations make them; a test holds that both say the same.

Millions of rows are expected in ``observations`` and ``endpoints`` and few elsewhere, because
endpoints that answer alike share one row of ``verdicts`` and ``evidence``. An endpoint is keyed by
the bytes of ``model.key``. Times are POSIX seconds: integers where people look, floats in leases.
Tables with millions of rows have no foreign keys: see decision 8.

One file because a migration is compared with all of it at once; what others do not refer to stands beside it.
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
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from leadglass.store.schema_base import Id, Moment, metadata
from leadglass.store.schema_watch import alerts, deliveries, orders, silences, watch_marks, watchers

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

places = Table(
    "places",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    comment="Vantage points, by the names that people gave them.",
)

vantages = Table(
    "vantages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("place", ForeignKey("places.id"), nullable=False),
    Column("source", String(45), nullable=False),  # "" where no connection opened: NULL is never equal
    Column("position", String(8), nullable=False),
    UniqueConstraint("place", "source", "position"),
    comment="A place with the source address and the position (outside, inside, unknown) it had.",
)

scans = Table(
    "scans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("ulid", String(26), nullable=False, unique=True),
    Column("kind", String(8), nullable=False),  # scan | import
    Column("state", String(8), nullable=False),  # open | complete
    Column("began", Moment, nullable=False),
    Column("ended", Moment),
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
    Column("done_at", Moment),
    Column("done_from", ForeignKey("places.id")),
    Column("seen", Integer),  # endpoints with a record; while it is leased, those asked so far
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
    Column("scan", Id, primary_key=True, autoincrement=False),
    Column("address", LargeBinary, primary_key=True),
    Column("number", BigInteger, nullable=False),
    UniqueConstraint("scan", "number"),
    sqlite_with_rowid=False,
    comment="Hosts that another tool found, numbered from 0 without a gap.",
)

listed = Table(
    "listed",
    metadata,
    Column("scan", Id, primary_key=True, autoincrement=False),
    Column("host", BigInteger, primary_key=True, autoincrement=False),
    Column("port", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
    comment="Ports that another tool found on them.",
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("facts", Text, nullable=False),
    Column("identity", LargeBinary),
    Index(None, "identity"),
    comment="Identical evidence, once.",
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Id, primary_key=True),
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
    Column("place", Id, primary_key=True, autoincrement=False),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("verdict", Id, nullable=False),
    sqlite_with_rowid=False,
    comment="The latest verdict on each endpoint, as seen from each place.",
)

observations = Table(
    "observations",
    metadata,
    Column("scan", Id, primary_key=True, autoincrement=False),
    Column("endpoint", LargeBinary, primary_key=True),
    Column("place", Id, primary_key=True, autoincrement=False),
    Column("vantage", Id, nullable=False),
    Column("observed_at", Moment, nullable=False),
    Column("verdict", Id, nullable=False),
    Column("changed_from", Id),  # NULL: evidence and access as last time, or first time
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
    Column("until", Moment),
    Column("enrolled_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    comment="Devices, services and workstations that are or were enrolled with the guard.",
)

guard_certificates = Table(
    "guard_certificates",
    metadata,
    Column("fingerprint", String(64), primary_key=True),  # SHA-256, hexadecimal
    Column("entry", ForeignKey("guard_entries.name"), nullable=False),
    Column("serial", String(40), nullable=False),  # hexadecimal
    Column("issued_at", Moment, nullable=False),
    Column("not_after", Moment, nullable=False),
    Column("revoked_at", Moment),
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
    Column("added_at", Moment, nullable=False),
    comment="Persons whom the guard knows by name and passcode.",
)

guard_emergencies = Table(
    "guard_emergencies",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("began", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("ended", Moment),  # before its time, by somebody
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
    Column("id", Id, primary_key=True),
    Column("reference", String(32), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("owner", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("wording", String(32), nullable=False),
    Column("state", String(8), nullable=False),  # sending | sent | failed
    Column("sent_at", Moment, nullable=False),
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
    Column("id", Id, primary_key=True),
    Column("notice", ForeignKey("notices.id"), nullable=False),
    Column("at", Moment, nullable=False),
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
    Column("assigned_at", Moment, nullable=False),
    comment="Which owner was drawn for which arm of a study.",
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
    Column("added_at", Moment, nullable=False),
    comment="Who may sign in at the dashboard.",
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the secret, hexadecimal; so are they all
    Column("id", String(26), nullable=False, unique=True),  # a ULID, to speak of it
    Column("account", ForeignKey("accounts.name"), nullable=False),
    Column("began_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("confirmed_at", Moment, nullable=False),
    Column("until", Moment, nullable=False),
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
    Column("made_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("revoked_at", Moment),
    Index(None, "account"),
    comment="What programs show at the API.",
)

web_links = Table(
    "web_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("account", String(64)),  # whose password it sets; NULL: it makes the first administrator
    Column("until", Moment, nullable=False),
    comment="Links that work once, until a moment.",
)

web_flows = Table(
    "web_flows",
    metadata,
    Column("digest", String(64), primary_key=True),  # of state and browser
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(64), nullable=False),
    Column("next", Text, nullable=False),
    Column("until", Moment, nullable=False),
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
    Column("at", Moment, nullable=False),  # from here on as in the line, to search by
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
    Column("at", Moment, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "kind", "about", "id"),
    comment="What people wrote beside a thing.",
)

statements = Table(
    "statements",
    metadata,
    Column("id", Id, primary_key=True),
    Column("address", LargeBinary, nullable=False),  # 4 or 16 bytes
    Column("port", Integer),  # NULL: all of them
    Column("nature", String(16)),
    Column("data", String(16)),
    Column("cause", String(16)),
    Column("by", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("withdrawn_at", Moment),
    Index(None, "address"),
    comment="What owners said of their servers. None is ever deleted: it stands until it is withdrawn.",
)

surroundings = Table(
    "surroundings",
    metadata,
    Column("address", LargeBinary, primary_key=True),  # 4 or 16 bytes
    Column("found_at", Moment, nullable=False),
    Column("body", Text, nullable=False),  # JSON: what the DNS, registries and databases said of it
    comment="What is known around an address, the latest.",
)

announced = Table(
    "announced",
    metadata,
    Column("endpoint", LargeBinary, primary_key=True),
    Column("service", String(16), primary_key=True),  # _dicom._tcp | _dicom-tls._tcp
    Column("domain", Text, nullable=False),
    Column("found_at", Moment, nullable=False),
    comment="Endpoints that DNS-SD announces as DICOM (PS3.15 H.2).",
)
