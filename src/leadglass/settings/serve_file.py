"""``serve.toml``: where the dashboard listens, whom it believes, and what it shows."""

from __future__ import annotations

import ipaddress
import posixpath
from typing import Literal, NoReturn
from urllib.parse import urlsplit

from pydantic import Field

from leadglass.errors import ConfigError
from leadglass.model.account import Role
from leadglass.settings import kinds
from leadglass.settings.guard_kinds import AddressField, Count, Duration, Hosts, Networks, SecureUrl, Size
from leadglass.settings.kinds import Table, Text
from leadglass.settings.serve import OidcSettings, ServeSettings
from leadglass.settings.toml_file import TomlFile

__all__ = ["TABLES", "ServeFile", "read_serve", "require_safe"]

_LONGEST_ISSUER = 255
_LEAST_BODY, _MOST_BODY = 64 << 10, 64 << 20
ProfileWord = Literal["hipaa", "hipaa-2025", "ps315", "gdpr", "nis2"]
RoleWord = Literal["viewer", "auditor", "operator", "administrator"]


class TlsTable(Table):
    """``[tls]``: the certificate that browsers see."""

    certificate: Text
    key: Text


class SessionTable(Table):
    """``[session]``: when somebody has to sign in anew."""

    idle: Duration = Field(default="30m", validate_default=True)
    absolute: Duration = Field(default="12h", validate_default=True)


class LimitTable(Table):
    """``[limits]``: what strangers can make this machine do."""

    body: Size = Field(default="2MiB", validate_default=True)
    connections: Count = 200
    request: Duration = Field(default="20s", validate_default=True)


class OidcTable(Table):
    """``[oidc]``: the identity provider that vouches for people."""

    issuer: SecureUrl
    client_id: Text
    client_secret_file: Text
    roles_claim: Text = "roles"
    roles: dict[Text, RoleWord]
    ca: Text | None = None


class ServeFile(Table):
    """The whole file; nothing in it is needed."""

    bind: AddressField = Field(default="127.0.0.1:8104", validate_default=True)
    hosts: Hosts = Field(default=[], validate_default=True)
    trusted_proxy: Networks = Field(default=[], validate_default=True)
    watch: Text | None = None
    guard: Text | None = None
    profiles: tuple[ProfileWord, ...] = Field(default=(), strict=False)
    organisation: Text | None = None
    tls: TlsTable | None = None
    session: SessionTable = SessionTable()
    limits: LimitTable = LimitTable()
    oidc: OidcTable | None = None


TABLES: kinds.Tables = {
    "": ServeFile,
    "tls": TlsTable,
    "session": SessionTable,
    "limits": LimitTable,
    "oidc": OidcTable,
}
"""Every table by its heading."""


def read_serve(text: str, *, filename: str, folder: str) -> ServeSettings:
    """What ``text`` tells a dashboard; paths in it that are not absolute begin at ``folder``.

    ``ConfigError`` names ``filename`` and the line, says what is wrong there and what to write instead.
    """
    return _Reader(text, filename, folder).settings()


def require_safe(settings: ServeSettings) -> None:
    """Refuse to let passwords cross a network in the clear: ``ConfigError`` says what to do instead."""
    if settings.is_secure or _is_loopback(settings.bind.host):
        return
    raise ConfigError(
        "passwords and sessions would cross the network in the clear",
        where=f"--bind {settings.bind}",
        then="name a certificate under [tls], or bind to 127.0.0.1 and put a proxy with TLS before it"
        " (trusted_proxy), or look at it through ssh -L 8104:127.0.0.1:8104",
    )


class _Reader:
    """The file with its line numbers, turned into settings."""

    def __init__(self, text: str, filename: str, folder: str) -> None:
        self._toml = TomlFile(text, filename, ServeFile, _hint, ConfigError)
        self._file = self._toml.values
        self._folder = folder

    def settings(self) -> ServeSettings:
        file = self._file
        if not _LEAST_BODY <= file.limits.body <= _MOST_BODY:
            self._fail(("limits", "body"), "must be from 64KiB to 64MiB")
        if file.session.idle > file.session.absolute:
            self._fail(("session", "idle"), "is longer than the session lasts in any case")
        return ServeSettings(
            bind=file.bind,
            hosts=file.hosts,
            certificate=None if file.tls is None else self._path(file.tls.certificate),
            key=None if file.tls is None else self._path(file.tls.key),
            trusted_proxy=file.trusted_proxy,
            idle=int(file.session.idle),
            absolute=int(file.session.absolute),
            largest_body=file.limits.body,
            most_connections=file.limits.connections,
            slowest_request=int(file.limits.request),
            watch=self._maybe(file.watch),
            guard=self._maybe(file.guard),
            profiles=tuple(file.profiles),
            organisation=file.organisation or "",
            oidc=None if file.oidc is None else self._oidc(file.oidc),
        )

    def _oidc(self, table: OidcTable) -> OidcSettings:
        if not _is_issuer(table.issuer):
            self._fail(("oidc", "issuer"), "is no issuer: an https:// address without a query")
        if not table.roles:
            self._fail(("oidc", "roles"), "lets nobody in", 'write roles = { "their word" = "operator" }')
        return OidcSettings(
            issuer=table.issuer,
            client_id=table.client_id,
            client_secret_file=self._path(table.client_secret_file),
            roles={value: Role(role) for value, role in table.roles.items()},
            roles_claim=table.roles_claim,
            ca=self._maybe(table.ca),
        )

    def _maybe(self, path: str | None) -> str | None:
        return None if path is None else self._path(path)

    def _path(self, path: str) -> str:
        return posixpath.join(self._folder, path)

    def _fail(self, path: tuple[str | int, ...], what: str, then: str = "") -> NoReturn:
        self._toml.fail(path, what, then)


def _hint(table: str, key: str) -> str:
    return kinds.key_hint(TABLES, table, key)


def _is_issuer(url: str) -> bool:
    """OpenID Connect Discovery 1.0, 3: neither a query nor a fragment. A bar ends it where subjects are kept."""
    try:
        is_port = urlsplit(url).port != 0
    except ValueError:
        return False
    return is_port and len(url) <= _LONGEST_ISSUER and not {"?", "#", "|", "\\"} & set(url)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
