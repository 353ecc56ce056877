"""``guard.toml`` as people write it, and what a guard is told by it.

What a single key may hold stands in its type. What keys mean together is checked in ``read_guard``:
a guard that understood half of its file would be a lock that only looks closed.
"""

from __future__ import annotations

import itertools
import posixpath
from typing import Literal

from pydantic import Field

from leadglass.errors import ConfigError
from leadglass.settings import kinds
from leadglass.settings.guard import (
    Address,
    ArchiveSettings,
    AuditSettings,
    BudgetSettings,
    GuardSettings,
    IdentitySettings,
    LimitSettings,
    ListenSettings,
    PolicySettings,
    Profile,
    TlsSettings,
)
from leadglass.settings.guard_kinds import (
    AddressField,
    Count,
    Duration,
    Grace,
    Hosts,
    Networks,
    Origins,
    SecureUrl,
    Size,
    Titles,
    WebRoot,
    Zone,
)
from leadglass.settings.kinds import Table, Text, Title
from leadglass.settings.toml_file import TomlFile

__all__ = ["TABLES", "GuardFile", "read_guard"]

_MOST_WORKERS = 256
_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, not bound


class ArchiveTable(Table):
    """``[archive]``: what the guard stands before."""

    title: Title | None = None
    titles: Titles | None = None
    address: AddressField
    tls: bool = False
    tls_name: Text | None = None
    ca: Text | None = None
    certificate: Text | None = None
    key: Text | None = None
    own_title: Title = "LEADGLASS"
    query: bool = True
    web: WebRoot | None = None
    web_user: Text | None = None
    web_password_file: Text | None = None
    workitems: bool = False
    sends_from: Networks = ()


class ListenTable(Table):
    """``[listen]``: the guard's own doors."""

    names: Hosts
    dicom: AddressField | None = None
    plain: AddressField | None = None
    web: AddressField | None = None
    web_origins: Origins = ()
    from_archive: AddressField | None = None
    health: AddressField = Field(default="127.0.0.1:9117", validate_default=True)


class TlsTable(Table):
    """``[tls]``: the guard's certificate, and whom it believes."""

    profile: Literal["BCP195", "strict"] = "BCP195"
    certificate: Text = "server.pem"
    key: Text = "server.key"
    ca: Text = "ca.pem"
    ca_key: Text = "ca.key"
    crl: Text = "crl.pem"


class PolicyTable(Table):
    """``[policy]``: who may do what."""

    folder: Text = "policy"
    grace: Grace = Field(default="8h", validate_default=True)
    timezone: Zone = Field(default="UTC", validate_default=True)


class IdentityTable(Table):
    """``[identity]``: the provider whose tokens name persons."""

    issuer: SecureUrl
    audience: Text
    jwks: SecureUrl | None = None
    ca: Text | None = None
    name_claim: Text = "sub"
    roles_claim: Text = "roles"
    physician_claim: Text = "physician_names"
    institutions_claim: Text = "institutions"
    labels_claim: Text = "labels"


class BudgetsTable(Table):
    """``[budgets]``: the most that one principal may have in a window."""

    window: Duration = Field(default="1h", validate_default=True)
    associations: Count | None = None
    queries: Count | None = None
    matches: Count | None = None
    patients: Count | None = None
    studies: Count | None = None
    bytes: Size | None = None


class AuditTable(Table):
    """``[audit]``: where audit messages go."""

    directory: Text = "audit"
    reserve: Size = Field(default="64MiB", validate_default=True)
    syslog: AddressField | None = None
    syslog_ca: Text | None = None
    syslog_certificate: Text | None = None
    syslog_key: Text | None = None


class StateTable(Table):
    """``[state]``: where the roll is kept."""

    database: Text = "guard.sqlite"


class LimitsTable(Table):
    """``[limits]``: what clients may hold."""

    connections: Count = 512
    per_address: Count = 32
    idle: Duration = Field(default="60s", validate_default=True)
    workers: int = 0


class GuardFile(Table):
    """The whole file."""

    name: Text
    archive: ArchiveTable
    listen: ListenTable
    tls: TlsTable = TlsTable()
    policy: PolicyTable = PolicyTable()
    identity: IdentityTable | None = None
    budgets: BudgetsTable | None = None
    audit: AuditTable = AuditTable()
    state: StateTable = StateTable()
    limits: LimitsTable = LimitsTable()


TABLES: kinds.Tables = {
    "": GuardFile,
    "archive": ArchiveTable,
    "listen": ListenTable,
    "tls": TlsTable,
    "policy": PolicyTable,
    "identity": IdentityTable,
    "budgets": BudgetsTable,
    "audit": AuditTable,
    "state": StateTable,
    "limits": LimitsTable,
}
"""Every table by its heading."""


def read_guard(text: str, *, filename: str, folder: str) -> GuardSettings:
    """What ``text`` tells a guard; paths in it that are not absolute begin at ``folder``.

    ``ConfigError`` names ``filename`` and the line, says what is wrong there and what to write instead.
    """
    return _Reader(text, filename, folder).settings()


def _key_hint(table: str, key: str) -> str:
    return kinds.key_hint(TABLES, table, key)


class _Reader:
    """The file with its line numbers, turned into settings table by table."""

    def __init__(self, text: str, filename: str, folder: str) -> None:
        self._toml = TomlFile(text, filename, GuardFile, _key_hint, ConfigError)
        self._file = self._toml.values
        self._fail = self._toml.fail
        self._folder = folder

    def settings(self) -> GuardSettings:
        file = self._file
        return GuardSettings(
            name=file.name,
            archive=self._archive(file.archive),
            listen=self._listen(file.listen),
            tls=self._tls(file.tls),
            policy=self._policy(file.policy),
            identity=self._identity(file.identity),
            budgets=self._budgets(file.budgets),
            audit=self._audit(file.audit),
            database=file.state.database if "://" in file.state.database else self._path(file.state.database),
            limits=self._limits(file.limits),
        )

    def _archive(self, table: ArchiveTable) -> ArchiveSettings:
        self._require_archive_tls(table)
        self._require_pair("archive", table.certificate, table.key)
        self._require_login(table)
        return ArchiveSettings(
            titles=self._titles(table),
            address=table.address,
            tls=table.tls,
            tls_name=table.tls_name,
            ca=self._maybe(table.ca),
            certificate=self._maybe(table.certificate),
            key=self._maybe(table.key),
            own_title=table.own_title,
            query=table.query,
            web=table.web,
            sends_from=table.sends_from,
            web_user=table.web_user,
            web_password_file=self._maybe(table.web_password_file),
            workitems=table.workitems,
        )

    def _titles(self, table: ArchiveTable) -> tuple[str, ...]:
        if (table.title is None) == (table.titles is None):
            told = "both title and titles" if table.title else "no title"
            self._fail(("archive", "titles"), f"the archive has {told}", 'write title = "ARCHIVE"')
        titles = (table.title,) if table.title else table.titles or ()
        if not titles:
            self._fail(("archive", "titles"), "there are no titles", 'write title = "ARCHIVE"')
        return titles

    def _require_archive_tls(self, table: ArchiveTable) -> None:
        secure = (table.web or "").startswith("https://")
        if (table.tls or secure) and table.ca is None:
            key = "tls" if table.tls else "web"
            self._fail(("archive", key), "nothing vouches for the archive", 'add ca = "archive-ca.pem"')
        if table.tls or secure:
            return
        for key in ("ca", "certificate", "key", "tls_name"):
            if getattr(table, key) is not None:
                self._fail(("archive", key), f"{key} has no effect without tls = true")

    def _require_login(self, table: ArchiveTable) -> None:
        if (table.web_user is None) != (table.web_password_file is None):
            self._fail(("archive", "web"), "web_user and web_password_file belong together")
        if table.web_user is not None and table.web is None:
            self._fail(("archive", "web_user"), "web_user has no effect without web")
        if table.workitems and table.web is None:
            self._fail(("archive", "workitems"), "workitems has no effect without web")
        if ":" in (table.web_user or ""):
            self._fail(("archive", "web_user"), "a user name over HTTP holds no colon (RFC 7617)")

    def _require_pair(self, table: str, certificate: str | None, key: str | None, prefix: str = "") -> None:
        if (certificate is None) != (key is None):
            missing = "certificate" if certificate is None else "key"
            self._fail((table,), f"{prefix}{missing} is missing", "a certificate goes with its key")

    def _listen(self, table: ListenTable) -> ListenSettings:
        doors = {name: getattr(table, name) for name in ("dicom", "plain", "web", "from_archive", "health")}
        if not table.names:
            self._fail(("listen", "names"), "there are no names", 'write names = ["guard.example.org"]')
        if not (table.dicom or table.plain or table.web):
            self._fail(("listen",), "nobody can come in", 'add dicom = "0.0.0.0:2762"')
        if table.web and not self._file.archive.web:
            then = 'add web = "http://127.0.0.1:8042/dicom-web" to [archive]'
            self._fail(("listen", "web"), "the archive has no DICOMweb to stand before", then)
        if table.from_archive and not self._file.archive.sends_from:
            then = 'add sends_from = ["192.0.2.1"] to [archive]'
            self._fail(("listen", "from_archive"), "nobody knows where the archive sends from", then)
        if table.web_origins and not (table.web and self._file.identity):
            then = "a page in a browser comes with a token: it needs web, and [identity]"
            self._fail(("listen", "web_origins"), "web_origins has no effect", then)
        self._require_apart({name: door for name, door in doors.items() if door})
        return ListenSettings(names=table.names, web_origins=table.web_origins, **doors)

    def _require_apart(self, doors: dict[str, Address]) -> None:
        for (first, one), (second, other) in itertools.combinations(doors.items(), 2):
            if one.port == other.port and (one.host == other.host or {one.host, other.host} & _EVERYWHERE):
                self._fail(("listen", second), f"{second} = {str(other)!r} is where {first} is")

    def _tls(self, table: TlsTable) -> TlsSettings:
        paths = {
            key: self._path(getattr(table, key)) for key in ("certificate", "key", "ca", "ca_key", "crl")
        }
        return TlsSettings(profile=Profile(table.profile), **paths)

    def _policy(self, table: PolicyTable) -> PolicySettings:
        return PolicySettings(self._path(table.folder), table.grace, table.timezone)

    def _identity(self, table: IdentityTable | None) -> IdentitySettings | None:
        if table is None:
            return None
        return IdentitySettings(**{**dict(table), "ca": self._maybe(table.ca)})

    def _budgets(self, table: BudgetsTable | None) -> BudgetSettings | None:
        if table is None:
            return None
        budgets = dict(table)
        if all(budgets[name] is None for name in budgets.keys() - {"window"}):
            self._fail(("budgets",), "nothing is counted", "write queries = 1000, or leave [budgets] out")
        return BudgetSettings(**budgets)

    def _audit(self, table: AuditTable) -> AuditSettings:
        self._require_pair("audit", table.syslog_certificate, table.syslog_key, "syslog_")
        for key in ("syslog_ca", "syslog_certificate"):
            if table.syslog is None and getattr(table, key) is not None:
                self._fail(("audit", key), f"{key} has no effect without syslog")
        return AuditSettings(
            directory=self._path(table.directory),
            reserve=table.reserve,
            syslog=table.syslog,
            syslog_ca=self._maybe(table.syslog_ca),
            syslog_certificate=self._maybe(table.syslog_certificate),
            syslog_key=self._maybe(table.syslog_key),
        )

    def _limits(self, table: LimitsTable) -> LimitSettings:
        if not 0 <= table.workers <= _MOST_WORKERS:
            then = "0 means one for each core"
            self._fail(("limits", "workers"), f"workers must be 0 to {_MOST_WORKERS}", then)
        return LimitSettings(**dict(table))

    def _path(self, text: str) -> str:
        return posixpath.join(self._folder, text)

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self._path(text)
