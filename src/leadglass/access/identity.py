"""Who a person says to be in an association request, and what has to be looked at to believe it.

User identity (PS3.7 D.3.3.7) comes on top of the device that was admitted by its certificate. A name
alone counts only where that device may vouch for it; a passcode or a token is work for the guard to
have done (``NeedsPasscode``, ``NeedsToken``). Whatever is refused says why, without repeating it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from leadglass.access.admission import principal_of
from leadglass.access.strict import plain_text
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll, User
from leadglass.wire.user_information import UserIdentityRQ

__all__ = [
    "MOST_CHARACTERS",
    "MOST_PASSCODE",
    "IdentityRefusal",
    "NeedsPasscode",
    "NeedsToken",
    "bearer_token",
    "named_by",
    "person_of",
    "user_identity",
]

MOST_CHARACTERS = 128
"""The longest name of a person."""

MOST_PASSCODE = 512
"""The longest passcode, in characters."""

_USERNAME, _PASSCODE, _KERBEROS, _SAML, _TOKEN = 1, 2, 3, 4, 5
_KINDS_REFUSED = {
    _KERBEROS: "Kerberos tickets are not accepted: ask for a JSON Web Token (type 5) instead",
    _SAML: "SAML assertions are not accepted: ask for a JSON Web Token (type 5) instead",
}


@dataclass(frozen=True, slots=True)
class IdentityRefusal:
    """Why a person is not believed."""

    reason: str
    """One line for the audit and the log; it holds no credential."""
    rule: str
    """The stable name of the rule that refused, e.g. ``token-expired``."""


@dataclass(frozen=True, slots=True)
class NeedsToken:
    """A JSON Web Token that has to be verified."""

    jwt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NeedsPasscode:
    """A name and a passcode that have to be compared with what is kept."""

    user: str
    passcode: str = field(repr=False)


Claimed: TypeAlias = Principal | IdentityRefusal | NeedsToken | NeedsPasscode


def user_identity(item: UserIdentityRQ | None, enrolled: Enrolled, roll: Roll, *, tls: bool) -> Claimed:
    """Who asks: the device itself without an ``item``, else the person, or what it takes to know.

    ``tls``: whether the association is over TLS; without it nobody but the device is believed.
    """
    if item is None:
        return principal_of(enrolled)
    if item.user_identity_type in _KINDS_REFUSED:
        return IdentityRefusal(_KINDS_REFUSED[item.user_identity_type], "identity-type")
    if item.user_identity_type not in {_USERNAME, _PASSCODE, _TOKEN}:
        return IdentityRefusal(
            f"user identity type {item.user_identity_type} is not defined", "identity-type"
        )
    if not tls:
        return IdentityRefusal("a person is believed only over TLS", "identity-needs-tls")
    if item.secondary_field and item.user_identity_type != _PASSCODE:
        return IdentityRefusal("only type 2 has a secondary field", "identity-malformed")
    if item.user_identity_type == _TOKEN:
        return NeedsToken(item.primary_field)
    return _named(item, enrolled, roll)


def named_by(item: UserIdentityRQ) -> str | None:
    """The user name that an item gives, believed or not, for the audit; None where it gives none that can be read."""
    if item.user_identity_type not in {_USERNAME, _PASSCODE}:
        return None
    try:
        return plain_text(item.primary_field.decode("utf-8"), MOST_CHARACTERS)
    except ValueError:
        return None


def bearer_token(authorization: str, *, tls: bool) -> bytes | IdentityRefusal:
    """The token in an ``Authorization`` header (RFC 6750 2.1); only over TLS (5.3 there)."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        return IdentityRefusal("only bearer tokens are accepted for authorization", "identity-type")
    if not tls:
        return IdentityRefusal("a person is believed only over TLS", "identity-needs-tls")
    token = token.strip(" ")
    if not token.isascii():
        return IdentityRefusal("the token holds characters outside ASCII", "token-malformed")
    return token.encode("ascii")


def person_of(user: User) -> Principal:
    """The principal that a person on the roll is."""
    return Principal(
        Kind.PERSON,
        user.name,
        roles=frozenset(user.roles),
        physician_names=frozenset(user.physician_names),
        institutions=frozenset(user.institutions),
        labels=frozenset(user.labels),
    )


def _named(item: UserIdentityRQ, enrolled: Enrolled, roll: Roll) -> Claimed:
    try:
        name = plain_text(item.primary_field.decode("utf-8"), MOST_CHARACTERS)
        if item.user_identity_type == _PASSCODE:
            return NeedsPasscode(name, plain_text(item.secondary_field.decode("utf-8"), MOST_PASSCODE))
    except ValueError as exc:
        # Of a decoding error the text would hold what was sent.
        why = "not UTF-8" if isinstance(exc, UnicodeDecodeError) else str(exc)
        return IdentityRefusal(f"the user name or passcode cannot be read ({why})", "identity-malformed")
    return _vouched(name, enrolled, roll)


def _vouched(name: str, enrolled: Enrolled, roll: Roll) -> Claimed:
    if name not in enrolled.users:
        return IdentityRefusal(f"{enrolled.name} may not vouch for this user name", "identity-not-vouched")
    user = roll.users.get(name)
    if user is None:
        return IdentityRefusal(f"{enrolled.name} vouches for a user who is not enrolled", "identity-unknown")
    return person_of(user)
