"""Who may do what at the dashboard and the API."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Account", "Permission", "Role", "may"]


class Role(enum.StrEnum):
    """What an account is for."""

    VIEWER = "viewer"
    """Looks at everything but audit and settings."""
    AUDITOR = "auditor"
    """Looks at everything, changes nothing."""
    OPERATOR = "operator"
    """Scans, assigns, reviews, acknowledges."""
    ADMINISTRATOR = "administrator"
    """Accounts, tokens of others, settings; and all that an operator does."""


class Permission(enum.StrEnum):
    """What a route asks for, and what a token carries."""

    READ = "read"
    """Servers, findings, register, alerts, surveys."""
    AUDIT = "audit"
    """Who did what, and the guard's trail."""
    SCAN = "scan"
    REGISTER = "register"
    """Change the register: systems, reviews, risks, notes."""
    ALERT = "alert"
    """Acknowledge, close and silence."""
    ADMINISTER = "administer"


_GRANTED = {
    Role.VIEWER: {Permission.READ},
    Role.AUDITOR: {Permission.READ, Permission.AUDIT},
    Role.OPERATOR: {Permission.READ, Permission.SCAN, Permission.REGISTER, Permission.ALERT},
    Role.ADMINISTRATOR: set(Permission),
}


def may(role: Role, permission: Permission) -> bool:
    """Whether ``role`` has ``permission``."""
    return permission in _GRANTED[role]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in."""

    name: str
    role: Role
    full_name: str = ""
    disabled: bool = False
    subject: str | None = None
    """Of an account that an identity provider vouches for: issuer and subject, as ``issuer|subject``."""
