"""Who is enrolled with a guard: frozen, read anew as a whole when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadglass.model.access import Kind

__all__ = ["Enrolled", "Roll", "User"]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """One device, service or workstation: what its certificate may claim, and from where."""

    name: str
    kind: Kind
    titles: tuple[str, ...]
    """The AE titles it may use, exactly as written here."""
    networks: tuple[str, ...]
    """CIDR; it is heard from nowhere else."""
    roles: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    """Of a workstation: the user names it may vouch for (user identity type 1)."""
    address: str | None = None
    """``host:port`` where it listens, for what the archive sends to it."""
    address_tls: bool = True
    plain: bool = False
    """It may use the plain listener, from ``networks``, without a certificate."""
    certificates: frozenset[str] = frozenset()
    """SHA-256 in hexadecimal of each certificate that is valid for it; a revoked one is not among them."""
    until: float | None = None
    """POSIX seconds after which it is not let in, for time-boxed roles."""


@dataclass(frozen=True, slots=True)
class User:
    """A person known by name and passcode (user identity type 2)."""

    name: str
    password_hash: str = field(repr=False)
    """Argon2id in PHC form."""
    roles: tuple[str, ...] = ()
    physician_names: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Roll:
    """Everybody who is enrolled, at one moment."""

    version: int
    enrolled: Mapping[str, Enrolled]
    """By name."""
    users: Mapping[str, User]
    """By name."""
    revoked: frozenset[str] = frozenset()
    """SHA-256 of certificates that are valid no more, so that their use can be told from a stranger's."""
    emergencies: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    """Break-glass in force: principal's name -> (reason, POSIX seconds of its end)."""
