"""What may be taken out of a record: addresses, ports, moments, and words of known form.

Whatever is not of the form is dropped or refused; nothing is quoted. So a patient's name that stands where a
product or a version should be goes no further than here.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import UTC, datetime

from leadglass.imports.found import Json, UnfitError
from leadglass.judge import implementations
from leadglass.judge.software import product_named
from leadglass.model.evidence import clean
from leadglass.wire.uids import is_valid

__all__ = [
    "IPV4",
    "address_of",
    "at",
    "fingerprint_of",
    "moment_of",
    "port_of",
    "product_of",
    "uid_of",
    "version_name_of",
]

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
"""A pattern of canonical IPv4 literals."""
_IPV4 = re.compile(IPV4)
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.[0-9]{1,9})?(?:(Z|UTC)|([+-][0-9]{2}:[0-9]{2}))?"
)
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_VERSION_NAME = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9_])[A-Za-z0-9_.,/+-]{1,16}")
"""One word with a letter, and a digit or an underline in it: no name of a person, no date of birth
(at most 16 characters, PS3.7 D.3.3.2.3)."""
_LONGEST_WORD = 64
_LAST_PORT = 65535


def at(value: Json, *path: str) -> Json:
    """What stands at the end of a path of keys; None where the path ends before."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def address_of(value: Json) -> str:
    """The canonical literal; ``UnfitError`` if ``value`` is none. IPv4 within IPv6 comes out as IPv4."""
    if isinstance(value, str):
        if _IPV4.fullmatch(value):
            return value
        try:
            six = ipaddress.IPv6Address(value)
        except ValueError:
            pass
        else:
            if six.scope_id is None:
                return str(six.ipv4_mapped or six)
    raise UnfitError("no address")


def port_of(value: Json) -> int:
    """The port; ``UnfitError`` if ``value`` is none, neither as a number nor in decimal digits."""
    if isinstance(value, str) and len(value) <= 5 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _LAST_PORT:
        return value
    raise UnfitError("no port")


def moment_of(value: Json) -> str | None:
    """ISO 8601 in UTC, in whole seconds; without an offset it is UTC, as Shodan and Censys write it."""
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{match[4] or '+00:00'}")
        return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
    except (ValueError, OverflowError):
        return None


def fingerprint_of(value: Json) -> str | None:
    """A SHA-256 in lower-case hexadecimal."""
    return value.lower() if isinstance(value, str) and _SHA256.fullmatch(value) else None


def product_of(value: Json) -> str | None:
    """The product that a word names, by our tables."""
    return product_named(value) if isinstance(value, str) and len(value) <= _LONGEST_WORD else None


def uid_of(value: Json) -> str | None:
    """A unique identifier that obeys PS3.5 9.1."""
    return value if isinstance(value, str) and is_valid(value) else None


def version_name_of(value: Json, uid: str | None) -> str | None:
    """An implementation version name: a word of that form, or as much as our tables know of this UID's names."""
    if not isinstance(value, str):
        return None
    word = value.strip(" \0")
    if _VERSION_NAME.fullmatch(word):
        return clean(word)
    known = implementations.match(uid, word) if uid else None
    if known is None or not known.row.name:
        return None
    match = known.row.named(word)
    return clean(match[0]) if match else None
