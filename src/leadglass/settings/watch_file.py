"""``watch.toml``: what is scanned when, and who hears of it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import posixpath
import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from leadglass.errors import ConfigError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.settings import kinds
from leadglass.settings.cron import Cron, cron
from leadglass.settings.guard import Address
from leadglass.settings.guard_kinds import AddressField, Duration, SecureUrl, Zone
from leadglass.settings.kinds import Table, Text
from leadglass.settings.mail_file import Mailbox
from leadglass.settings.toml_file import TomlFile

__all__ = [
    "TABLES",
    "Escalation",
    "MailChannel",
    "Schedule",
    "SyslogChannel",
    "WatchFile",
    "WatchSettings",
    "Webhook",
    "read_watch",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_DAYS = 398
"""No authority gives certificates for longer."""


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be letters, digits, '-', '_' and '.', 64 at most")
    return value


def _days(value: int) -> int:
    if not 0 < value <= _DAYS:
        raise ValueError(f"must be 1 to {_DAYS} days")
    return value


Name: TypeAlias = Annotated[
    str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{_NAME.pattern}$"})
]
Days: TypeAlias = Annotated[
    int, AfterValidator(_days), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _DAYS})
]
SeverityWord: TypeAlias = Literal["critical", "high", "medium", "low", "none"]
RungWord: TypeAlias = Literal["connect", "associate", "negotiate", "blank-query", "sample"]


class ScheduleTable(Table):
    """``[[schedule]]``: one scope, and when it is scanned."""

    name: Name
    scope: Text
    cron: Text
    timezone: Zone = Field(default="UTC", validate_default=True)
    jitter: Duration | None = None
    window: Duration = Field(default="6h", validate_default=True)
    deepest: RungWord | None = None
    fail_on: SeverityWord = "medium"


class WebhookTable(Table):
    """``[[webhook]]``: where alerts are posted to."""

    name: Name = "webhook"
    url: SecureUrl
    secret_file: Text
    ca_file: Text | None = None
    severity: SeverityWord = "none"


class MailTable(Table):
    """``[[mail]]``: who gets a mail."""

    name: Name = "mail"
    file: Text
    to: Mailbox
    severity: SeverityWord = "none"


class SyslogTable(Table):
    """``[[syslog]]``: which collector gets a line."""

    name: Name = "syslog"
    address: AddressField
    tls: bool = True
    ca_file: Text | None = None
    certificate: Text | None = None
    key: Text | None = None
    severity: SeverityWord = "none"


class EscalationTable(Table):
    """``[escalation]``: who hears of what nobody acknowledges."""

    after: Duration
    to: Name
    severity: SeverityWord = "high"


class MetricsTable(Table):
    """``[metrics]``: where Prometheus asks."""

    listen: AddressField = Field(default="127.0.0.1:9118", validate_default=True)


class WatchFile(Table):
    """The whole file."""

    name: Text
    certificate_days: Days = 30
    register_alerts: bool = True
    schedule: tuple[ScheduleTable, ...] = Field(strict=False)
    webhook: tuple[WebhookTable, ...] = Field(default=(), strict=False)
    mail: tuple[MailTable, ...] = Field(default=(), strict=False)
    syslog: tuple[SyslogTable, ...] = Field(default=(), strict=False)
    escalation: EscalationTable | None = None
    metrics: MetricsTable | None = None


TABLES: kinds.Tables = {
    "": WatchFile,
    "schedule": ScheduleTable,
    "webhook": WebhookTable,
    "mail": MailTable,
    "syslog": SyslogTable,
    "escalation": EscalationTable,
    "metrics": MetricsTable,
}
"""Every table by its heading."""


# ---- what it comes to


@dataclass(frozen=True, slots=True)
class Schedule:
    """One scope, and when it is scanned. Times are seconds."""

    name: str
    scope_file: str
    cron: Cron
    jitter: int
    """An order is due up to so much later than its moment."""
    window: int
    """It is begun within so much of its moment, or missed."""
    deepest: Rung
    fail_on: Severity
    """The least severity that is alerted."""

    @property
    def zone(self) -> dt.tzinfo:
        """The time zone of its days."""
        return self.cron.zone


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where alerts are posted to."""

    name: str
    url: str
    secret_file: str
    ca_file: str | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class MailChannel:
    """Who gets a mail, and by which mail file."""

    name: str
    file: str
    to: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class SyslogChannel:
    """Which collector gets a line."""

    name: str
    address: Address
    tls: bool
    ca_file: str | None
    certificate: str | None
    key: str | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class Escalation:
    """After so many seconds unacknowledged, alerts of this severity or worse go there too."""

    after: float
    to: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """All of it. Paths are as they can be opened."""

    name: str
    certificate_days: int
    register_alerts: bool
    """Whether what the register says is wrong is alerted as well."""
    schedules: tuple[Schedule, ...]
    channels: tuple[Webhook | MailChannel | SyslogChannel, ...]
    escalation: Escalation | None
    metrics: Address | None

    def schedule(self, name: str) -> Schedule | None:
        """The one called so."""
        return next((one for one in self.schedules if one.name == name), None)


def read_watch(text: str, *, filename: str, folder: str) -> WatchSettings:
    """What ``text`` tells a watch; paths in it that are not absolute begin at ``folder``.

    ``ConfigError`` names ``filename`` and the line, says what is wrong there and what to write instead.
    """
    return _Reader(text, filename, folder).settings()


def _hint(table: str, key: str) -> str:
    return kinds.key_hint(TABLES, table, key)


class _Reader:
    """The file with its line numbers, turned into settings."""

    def __init__(self, text: str, filename: str, folder: str) -> None:
        self._toml = TomlFile(text, filename, WatchFile, _hint, ConfigError)
        self._file = self._toml.values
        self._folder = folder

    def settings(self) -> WatchSettings:
        file = self._file
        schedules = tuple(self._schedule(number, table) for number, table in enumerate(file.schedule))
        channels: tuple[Webhook | MailChannel | SyslogChannel, ...] = (
            *(self._webhook(table) for table in file.webhook),
            *(MailChannel(t.name, self._path(t.file), t.to, Severity(t.severity)) for t in file.mail),
            *(self._syslog(number, table) for number, table in enumerate(file.syslog)),
        )
        if not schedules:
            self._toml.fail((), "nothing is scanned", "add a [[schedule]]")
        self._require_apart(("schedule",), [one.name for one in schedules])
        for kind, tables in (("webhook", file.webhook), ("mail", file.mail), ("syslog", file.syslog)):
            self._require_apart((kind,), [table.name for table in tables])
        names = [one.name for one in channels]
        if len(set(names)) < len(names):
            self._toml.fail((), "two channels have the same name", 'give each a name = "..." of its own')
        return WatchSettings(
            name=file.name,
            certificate_days=file.certificate_days,
            register_alerts=file.register_alerts,
            schedules=schedules,
            channels=channels,
            escalation=self._escalation(names),
            metrics=self._metrics(),
        )

    def _schedule(self, number: int, table: ScheduleTable) -> Schedule:
        at = ("schedule", number)
        times = self._toml.attempt((*at, "cron"), lambda text: cron(text, table.timezone), table.cron)
        jitter = table.jitter or 0.0
        if jitter >= table.window:
            self._toml.fail(
                (*at, "jitter"), "jitter is as long as the window, so a scan could be late at once"
            )
        return Schedule(
            name=table.name,
            scope_file=self._path(table.scope),
            cron=times,
            jitter=int(jitter),
            window=int(table.window),
            deepest=Rung.SAMPLE if table.deepest is None else Rung.from_word(table.deepest),
            fail_on=Severity(table.fail_on),
        )

    def _webhook(self, table: WebhookTable) -> Webhook:
        secret = self._path(table.secret_file)
        return Webhook(table.name, table.url, secret, self._maybe(table.ca_file), Severity(table.severity))

    def _syslog(self, number: int, table: SyslogTable) -> SyslogChannel:
        at = ("syslog", number)
        if (table.certificate is None) != (table.key is None):
            self._toml.fail(at, "a certificate goes with its key")
        if not table.tls and (table.ca_file or table.certificate):
            self._toml.fail((*at, "tls"), "without TLS there are no certificates", "take tls = false away")
        return SyslogChannel(
            name=table.name,
            address=table.address,
            tls=table.tls,
            ca_file=self._maybe(table.ca_file),
            certificate=self._maybe(table.certificate),
            key=self._maybe(table.key),
            severity=Severity(table.severity),
        )

    def _escalation(self, channels: list[str]) -> Escalation | None:
        table = self._file.escalation
        if table is None:
            return None
        if table.to not in channels:
            there = ", ".join(channels) or "none"
            self._toml.fail(("escalation", "to"), f"there is no channel {table.to!r}", f"channels: {there}")
        return Escalation(table.after, table.to, Severity(table.severity))

    def _metrics(self) -> Address | None:
        table = self._file.metrics
        if table is None:
            return None
        try:
            is_here = ipaddress.ip_address(table.listen.host).is_loopback
        except ValueError:
            is_here = False
        if not is_here:
            then = 'write listen = "127.0.0.1:9118", and let a proxy that asks for a password stand before it'
            self._toml.fail(("metrics", "listen"), "metrics are for this machine only", then)
        return table.listen

    def _require_apart(self, table: tuple[str, ...], names: list[str]) -> None:
        for number, name in enumerate(names):
            if name in names[:number]:
                self._toml.fail((*table, number, "name"), f"there are two called {name!r}")

    def _path(self, text: str) -> str:
        return posixpath.join(self._folder, text)

    def _maybe(self, text: str | None) -> str | None:
        return None if text is None else self._path(text)
