"""The kinds of values in ``guard.toml``: addresses, networks, times, sizes, names.

Each is a reader of text that raises ``ValueError`` in words for whoever wrote it, and a field type made of it.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from leadglass.settings.guard import Address
from leadglass.settings.titles import ae_title

__all__ = [
    "AddressField",
    "Count",
    "Duration",
    "Grace",
    "Hosts",
    "Networks",
    "Origins",
    "SecureUrl",
    "Size",
    "Titles",
    "WebRoot",
    "Zone",
    "address",
    "duration",
    "host",
    "network",
    "size",
    "zone",
]

_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*"
)
_ADDRESS = re.compile(r"(\[[^\]]*\]|[^:]*):([0-9]{1,5})")
_WEB_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*/*")
_PORTS = {"http": 80, "https": 443}
_DURATION = re.compile(r"([0-9]{1,6}) ?([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZE = re.compile(r"([0-9]{1,9}) ?([KMGT]i?)?B")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40}
_MOST = 1 << 53
"""JSON and the store hold whole numbers exactly up to here."""


def host(text: str) -> str:
    """A host name or an address, in its canonical form."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        name = text.lower().removesuffix(".")
    if not _NAME.fullmatch(name) or re.fullmatch(r"[0-9.]+", name):
        raise ValueError(f"{text!r} is no host name and no address")
    return name


def address(text: str) -> Address:
    """``host:port``, with brackets around an IPv6 address."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no address with a port; write 192.0.2.1:2762 or [2001:db8::1]:2762")
    port = int(found[2])
    if not 0 < port < 1 << 16:
        raise ValueError(f"{text!r}: ports are 1 to 65535")
    name = found[1]
    if name.startswith("["):
        return Address(str(ipaddress.IPv6Address(name[1:-1])), port)
    return Address(host(name), port)


def network(text: str) -> str:
    """An address or a CIDR range without host bits, as a range in its canonical form."""
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as exc:
        raise ValueError(f"{text!r} is no address and no range ({exc})") from exc


def duration(text: str) -> float:
    """``90s``, ``15m``, ``8h`` or ``2d``, in seconds."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no length of time; write 90s, 15m, 8h or 2d")
    return float(int(found[1]) * _SECONDS[found[2]])


def size(text: str) -> int:
    """``500MB``, ``2GiB``, in bytes."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no size; write 500MB or 2GiB")
    return int(found[1]) * _UNITS[found[2] or ""]


def zone(text: str) -> dt.tzinfo:
    """The time zone with an IANA name."""
    if text == "UTC":
        return dt.UTC  # also where no time zones are installed
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise ValueError(f"{text!r} is no time zone; write Europe/Berlin, or yours") from exc


# ---- fields


def _of(read: Callable[[str], Any], what: str) -> PlainValidator:
    def check(value: object) -> Any:
        if not isinstance(value, str):
            raise ValueError(f"must be {what}, in quotes")  # noqa: TRY004  # pydantic lets a TypeError pass
        return read(value)

    return PlainValidator(check)


def _list_of(read: Callable[[str], Any], what: str) -> PlainValidator:
    def check(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"must be a list such as {what}")
        found = [read(item) for item in value]
        if len(set(found)) < len(found):
            raise ValueError("holds something twice")
        return tuple(found)

    return PlainValidator(check)


def _within(least: float, most: float, words: str) -> Callable[[str], float]:
    def read(text: str) -> float:
        seconds = duration(text)
        if not least <= seconds <= most:
            raise ValueError(f"{text!r}: {words}")
        return seconds

    return read


def _secure_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    place = rest.partition("/")[0]
    if not text.isascii() or any(c <= " " for c in text) or not place or "@" in place:
        raise ValueError("must be an https:// address without spaces and passwords")
    name = place.partition("]")[0].removeprefix("[") if place.startswith("[") else place.partition(":")[0]
    if scheme == "https" or (scheme == "http" and _is_loopback(name)):
        return text
    raise ValueError(f"{text!r} must begin with https://, because what comes from there is believed")


def _origin(text: str) -> str:
    """RFC 6454 6.2, spelled as browsers spell it, because it is compared letter by letter."""
    try:
        told = urlsplit(text)
        name, port = host(told.hostname or ""), told.port
    except ValueError as exc:
        raise ValueError(f"{text!r} is no origin; write https://viewer.example.org") from exc
    if told.scheme != "https" and not (told.scheme == "http" and _is_loopback(name)):
        raise ValueError(f"{text!r} must begin with https://, because its pages show studies")
    place = f"[{name}]" if ":" in name else name
    origin = f"{told.scheme}://{place}" + ("" if port in {None, _PORTS[told.scheme]} else f":{port}")
    if text != origin:
        raise ValueError(f"{text!r} is not how browsers write an origin; write {origin}")
    return origin


def _web_root(text: str) -> str:
    try:
        told = urlsplit(text)
        place = (told.scheme, host(told.hostname or ""), told.port)
    except ValueError as exc:
        raise ValueError(f"{text!r} is no http:// or https:// address") from exc
    if place[0] not in {"http", "https"} or not text.isascii():
        raise ValueError(f"{text!r} is no http:// or https:// address")
    if "@" in told.netloc:
        raise ValueError("may not hold a password; write web_user and web_password_file beside it")
    if "?" in text or "#" in text or not _WEB_PATH.fullmatch(told.path):
        raise ValueError(f"{text!r} must end with a plain path such as /dicom-web")
    return text.rstrip("/")


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= _MOST:
        raise ValueError("must be a whole number above zero")
    return value


def _bytes(value: object) -> int:
    return _count(size(value) if isinstance(value, str) else value)


def _text_schema(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


def _list_schema(pattern: str) -> WithJsonSchema:
    items = {"type": "string", "pattern": pattern}
    return WithJsonSchema({"type": "array", "items": items, "uniqueItems": True})


_TIMES = r"^[0-9]{1,6} ?[smhd]$"

AddressField: TypeAlias = Annotated[
    Address, _of(address, "host:port"), _text_schema(r"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+):[0-9]{1,5}$")
]
Networks: TypeAlias = Annotated[
    tuple[str, ...], _list_of(network, '["192.0.2.0/28"]'), _list_schema(r"^[0-9A-Fa-f:.]+(/[0-9]+)?$")
]
Hosts: TypeAlias = Annotated[
    tuple[str, ...], _list_of(host, '["guard.example.org", "192.0.2.1"]'), _list_schema(r"^\S+$")
]
Origins: TypeAlias = Annotated[
    tuple[str, ...],
    _list_of(_origin, '["https://viewer.example.org"]'),
    _list_schema(r"^https?://[^\s/@]+/?$"),
]
Titles: TypeAlias = Annotated[
    tuple[str, ...],
    _list_of(ae_title, '["ARCHIVE", "ARCHIVE2"]'),
    _list_schema(r"^ *[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])? *$"),
]
Duration: TypeAlias = Annotated[
    float, _of(_within(1, 31 * 86_400, "must be from 1s to 31d"), "a length of time"), _text_schema(_TIMES)
]
Grace: TypeAlias = Annotated[
    float, _of(_within(0, 3 * 86_400, "must be 3d at most"), "a length of time"), _text_schema(_TIMES)
]
Zone: TypeAlias = Annotated[
    dt.tzinfo,
    _of(zone, "a time zone"),
    PlainSerializer(str),
    _text_schema(r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$"),
]
SecureUrl: TypeAlias = Annotated[
    str, _of(_secure_url, "an https:// address"), _text_schema(r"^https?://\S+$")
]
WebRoot: TypeAlias = Annotated[
    str, _of(_web_root, "an http:// or https:// address"), _text_schema(r"^https?://[^\s@?#]+$")
]
Count: TypeAlias = Annotated[
    int, PlainValidator(_count), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _MOST})
]
Size: TypeAlias = Annotated[
    int,
    PlainValidator(_bytes),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1},
                {"type": "string", "pattern": r"^[0-9]{1,9} ?([KMGT]i?)?B$"},
            ]
        }
    ),
]
