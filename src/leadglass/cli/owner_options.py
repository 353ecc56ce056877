"""What the commands of ``owner`` share."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from leadglass.errors import UsageError

__all__ = [
    "Ask",
    "AskOption",
    "BootstrapOption",
    "MmdbOption",
    "NameserverOption",
    "PlainOption",
    "Shape",
    "address_of",
    "moment",
    "nameserver_of",
]


class Ask(enum.StrEnum):
    """Third parties that may be asked, by name."""

    DNS = "dns"
    RDAP = "rdap"
    DNS_SD = "dns-sd"


class Shape(enum.StrEnum):
    """How to answer."""

    TEXT = "text"
    JSON = "json"


AskOption: TypeAlias = Annotated[
    list[Ask] | None,
    typer.Option(
        help="Ask a third party: dns (reverse and forward), rdap (registries), dns-sd (what the scope's names announce)."
        " Again for more."
    ),
]
MmdbOption: TypeAlias = Annotated[
    list[Path] | None, typer.Option(help="A database of networks or countries, as MMDB. Again for more.")
]
NameserverOption: TypeAlias = Annotated[
    str | None, typer.Option(metavar="ADDRESS[:PORT]", help="Ask this nameserver, not the system's.")
]
BootstrapOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(help="IANA's RDAP bootstrap files as one JSON object; without it they are fetched."),
]
PlainOption: TypeAlias = Annotated[
    bool, typer.Option("--plain", help="Let registries be asked over HTTP without TLS.")
]


def address_of(text: str) -> str:
    """The canonical address; ``UsageError`` if it is none."""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        raise UsageError("not an address", where=text, then="give IPv4 or IPv6, without a port") from None


def nameserver_of(text: str) -> tuple[str, int]:
    """``ADDRESS[:PORT]``; ``UsageError`` if it is neither."""
    host, colon, port = text.rpartition(":")
    if not colon or (text.count(":") > 1 and not text.startswith("[")):
        host, port = text, "53"
    if not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise UsageError("not a port", where="--nameserver")
    return address_of(host), int(port)


def moment(day: str | None, now: int) -> int:
    """The beginning of a day, UTC, as POSIX seconds; ``now`` if none is given. ``UsageError`` if it has not come."""
    if day is None:
        return now
    try:
        midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    except ValueError:
        raise UsageError("this is no day", where="--on", then="write it as 2026-11-21") from None
    if midnight.timestamp() > now:
        raise UsageError("this day has not come", where="--on")
    return int(midnight.timestamp())
