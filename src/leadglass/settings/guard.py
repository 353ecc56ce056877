"""What a guard is told: frozen, with every path resolved and every default filled in.

``settings.guard_file`` makes it from ``guard.toml``. Times are seconds, sizes are bytes.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "Address",
    "ArchiveSettings",
    "AuditSettings",
    "BudgetSettings",
    "GuardSettings",
    "IdentitySettings",
    "LimitSettings",
    "ListenSettings",
    "PolicySettings",
    "Profile",
    "TlsSettings",
]


class Address(NamedTuple):
    """Where something listens: ``str()`` of it is ``host:port``, with brackets around an IPv6 address."""

    host: str
    """A name or an address, without brackets."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Profile(enum.StrEnum):
    """A secure transport connection profile of PS3.15."""

    BCP195 = "BCP195"
    """Annex B.12."""
    STRICT = "strict"
    """Annex B.13."""


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """The archive behind the guard."""

    titles: tuple[str, ...]
    """The called AE titles that mean it; the first is the one that the guard itself calls."""
    address: Address
    tls: bool
    tls_name: str | None
    """The name that its certificate must carry; None: the host of ``address``."""
    ca: str | None
    """Path of the certificates that vouch for it, PEM; None without TLS."""
    certificate: str | None
    key: str | None
    """What the guard shows to it, PEM; None: nothing."""
    own_title: str
    """The AE title of the guard's own questions."""
    query: bool
    """Whether it answers C-FIND; a storage-only archive does not."""
    web: str | None
    """Its DICOMweb root, without a slash at the end."""
    sends_from: tuple[str, ...]
    """CIDR: where associations come from that it opens itself."""
    web_user: str | None = None
    """Whom its web server knows the guard as; None: it asks for no password."""
    web_password_file: str | None = None
    """Path of that user's password."""
    workitems: bool = False
    """Whether UPS-RS is carried, where a policy permits it."""


@dataclass(frozen=True, slots=True)
class ListenSettings:
    """The guard's own doors; None: closed."""

    names: tuple[str, ...]
    """The names and addresses by which clients reach it; its certificate carries them."""
    dicom: Address | None
    """Mutual TLS."""
    plain: Address | None
    """For entries that were enrolled for it, from their own addresses only."""
    web: Address | None
    """DICOMweb over TLS."""
    from_archive: Address | None
    """What the archive itself sends: C-MOVE sub-operations, reports of storage commitment."""
    health: Address
    """Health and metrics."""
    web_origins: tuple[str, ...] = ()
    """Whose pages may ask from a browser, as Origin names them."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The guard's certificate and whom it believes; paths of PEM files."""

    profile: Profile
    certificate: str
    key: str
    ca: str
    ca_key: str
    """Needed to enrol; a running guard never reads it."""
    crl: str
    """Where the list of revoked certificates is written, for other programs; the guard has its own."""


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Who may do what."""

    folder: str
    """Holds the site's own ``*.cedar``, in addition to the ready roles."""
    grace: float
    """How long enrolled devices and break-glass go on under the last good state while a service is away."""
    zone: dt.tzinfo
    """Of the clock on the site's wall: policies read hour, weekday and today's date there."""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """The provider whose tokens name persons."""

    issuer: str
    audience: str
    jwks: str | None
    """URL of its keys; None: as its metadata say (OpenID Connect Discovery 4)."""
    ca: str | None
    """Path of the certificates that vouch for it, PEM; None: those of the system."""
    name_claim: str
    roles_claim: str
    physician_claim: str
    institutions_claim: str
    labels_claim: str


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The most that one principal may have in a window; None: as much as it wants."""

    window: float
    associations: int | None = None
    queries: int | None = None
    matches: int | None = None
    patients: int | None = None
    studies: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """Where audit messages go."""

    directory: str
    """The spool."""
    reserve: int
    """Bytes of it kept free for devices and break-glass when the rest is full."""
    syslog: Address | None
    """The receiver (RFC 5425); None: the spool only."""
    syslog_ca: str | None
    syslog_certificate: str | None
    syslog_key: str | None
    """Paths of PEM files."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What one guard process and one client may hold."""

    connections: int
    """At once, of all clients together."""
    per_address: int
    """At once, of one client address."""
    idle: float
    """After so long without a byte a connection is ended."""
    workers: int
    """Processes; 0: one for each core."""


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Everything in ``guard.toml``."""

    name: str
    """Names this guard in audit messages."""
    archive: ArchiveSettings
    listen: ListenSettings
    tls: TlsSettings
    policy: PolicySettings
    identity: IdentitySettings | None
    """None: nobody is known by a token."""
    budgets: BudgetSettings | None
    """None: nobody is counted."""
    audit: AuditSettings
    database: str
    """Where the roll is kept: a path or a ``postgresql://`` URL."""
    limits: LimitSettings
