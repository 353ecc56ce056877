"""Connections that were seen, out of the lines of a connection table or of NetFlow.

Both are read line by line, and nothing of a line is kept but addresses, ports, a count and a moment.
"""

from __future__ import annotations

import csv
import datetime as dt
import ipaddress
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from leadglass.configs.firewall.plan import Address, Direction

__all__ = ["LONGEST", "BrokenLine", "Flow", "Meeting", "flows"]

LONGEST = 8192
"""Characters of a line; what is longer is broken."""

_LAST_PORT = 65535
_OPEN = 1 << 16
"""Connections of which it is remembered that they were told."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One connection, or so many of the same kind, in the direction in which it was opened."""

    source: Address
    destination: Address
    port: int
    """The one that was opened."""
    source_port: int = 0
    """0: unknown."""
    count: int = 1
    """0: told before, now with a later moment."""
    seen: dt.datetime | None = None
    """Last; None: not told."""
    sent_as: Address | None = None
    """The source behind a translation of addresses, if there was one."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A connection of a known server of which nobody wrote down the port."""

    direction: Direction
    remote: Address
    seen: dt.datetime | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that could not be read, counted from 1, and why."""

    line: int
    why: str
    where: str = ""
    """The file."""


_Parse: TypeAlias = Callable[[str], Flow | None]
"""A line as a flow, None if it tells of none; ``ValueError`` for one that is broken."""


def flows(lines: Iterable[str], where: str = "") -> Iterator[Flow | BrokenLine]:
    """What ``conntrack -L`` (also ``-E``, ``-o extended``, ``/proc/net/nf_conntrack``) or a CSV of NetFlow tells.

    The first line that is not empty says which of them it is; if it does not, nothing more is read. ``where``
    names the file.
    """
    parse: _Parse | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip("\ufeff\r\n \t")
        if not line:
            continue
        if len(line) > LONGEST:
            yield BrokenLine(number, f"longer than {LONGEST} characters", where)
            continue
        try:
            parse = parse or _form(line)
            found = parse(line)
        except ValueError as exc:
            yield BrokenLine(number, str(exc), where)
            if parse is None:
                return
            continue
        if found is not None:
            yield found


def _form(line: str) -> _Parse:
    """What reads the lines of which this is the first; ``ValueError`` if it is of no known form."""
    # The tally goes to standard error, and so comes first where both go to one file.
    if "src=" in line or _TALLY.match(line):
        return _Conntrack()
    return _Csv(_columns(_cells(line)))


# ---- conntrack

_PAIR = re.compile(r"(src|dst|sport|dport)=([0-9a-fA-F.:]{1,45})(?= |$)")
_STAMP = re.compile(r"^\[(\d{1,12})(?:\.\d{1,9})?\s*\]")
_TCP = re.compile(r"(?:^|\s)tcp\s+6\s")
_EVENT = re.compile(r"\[(NEW|UPDATE|DESTROY)\]")
_TALLY = re.compile(r"conntrack v[\d.]+ \(conntrack-tools\)")


class _Conntrack:
    """TCP connections that were answered. What nobody answered does not work, with rules or without."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, ...], None] = OrderedDict()

    def __call__(self, line: str) -> Flow | None:
        if not _TCP.search(line):
            if "src=" not in line and not _TALLY.match(line):
                raise ValueError("no connection as conntrack lists it")
            return None
        if "[UNREPLIED]" in line:
            return None
        found = _PAIR.findall(line)
        if [key for key, _ in found] != ["src", "dst", "sport", "dport"] * 2:
            raise ValueError("not two ends in both directions")
        return self._flow([value for _, value in found], line)

    def _flow(self, values: Sequence[str], line: str) -> Flow:
        source, behind = _address(values[0]), _address(values[5])
        return Flow(
            source,
            _address(values[1]),
            _port(values[3]),
            _port(values[2]),
            self._count(tuple(values[:4]), line),
            _stamp(line),
            None if behind == source else behind,
        )

    def _count(self, ends: tuple[str, ...], line: str) -> int:
        """0 for an event of a connection of which an earlier one told: ``-E`` has a line for each change."""
        event = _EVENT.search(line)
        if event is None:
            return 1
        known = ends in self._told
        if event[1] == "DESTROY":
            self._told.pop(ends, None)
        elif not known:
            self._told[ends] = None
            if len(self._told) > _OPEN:
                self._told.popitem(last=False)
        return int(not known)


def _stamp(line: str) -> dt.datetime | None:
    found = _STAMP.match(line)
    return None if found is None else dt.datetime.fromtimestamp(int(found[1]), dt.UTC)


# ---- NetFlow

_COLUMNS: Mapping[str, Sequence[str]] = {
    "source": ("sa", "srcaddr", "src_addr", "srcip", "src_ip", "sip", "source", "src4_addr", "src6_addr"),
    "destination": ("da", "dstaddr", "dst_addr", "dstip", "dst_ip", "dip", "destination", "dst4_addr"),
    "source_port": ("sp", "srcport", "src_port", "sport"),
    "port": ("dp", "dstport", "dst_port", "dport"),
    "protocol": ("pr", "proto", "protocol"),
    "seen": ("te", "lastseen", "last", "t_last", "end", "ts", "firstseen", "first", "t_first", "start"),
    "count": ("fl", "flows"),
    "flags": ("flg", "flags", "tcpflags", "tcp_flags"),
}
"""What nfdump in its versions, and others, call a column; the first that is there counts."""
_NEEDED = ("source", "destination", "port")
_MAY_BE_TCP = frozenset({"TCP", "6", "", "0"})
"""nfdump writes 0 where it has added up flows (``-A``) without regard to the protocol."""
_END = frozenset({"summary", "summary:"})


class _Csv:
    """Columns by the names in the first line."""

    def __init__(self, columns: Mapping[str, int]) -> None:
        self._columns = columns
        self._least = max(columns[what] for what in _NEEDED)
        self._heading = True
        self._ended = False

    def __call__(self, line: str) -> Flow | None:
        cells = _cells(line)
        if cells[0].strip().lower() in _END:
            self._ended = True
        if self._ended:
            return None
        if self._heading:
            self._heading = False
            return None
        return self._flow(cells)

    def _flow(self, cells: Sequence[str]) -> Flow | None:
        def cell(what: str) -> str:
            index = self._columns.get(what)
            return "" if index is None or index >= len(cells) else cells[index].strip()

        if len(cells) <= self._least:
            raise ValueError(f"only {len(cells)} columns")
        if cell("protocol").upper() not in _MAY_BE_TCP:
            return None
        flags = cell("flags").upper()
        if "S" in flags and "A" not in flags:
            return None  # nobody answered
        return Flow(
            _address(cell("source")),
            _address(cell("destination")),
            _port(cell("port")),
            _port(cell("source_port") or "0"),
            _count(cell("count")),
            _moment(cell("seen")),
        )


def _cells(line: str) -> Sequence[str]:
    try:
        return next(csv.reader([line], strict=True, skipinitialspace=True))
    except csv.Error as exc:
        raise ValueError("a quote that does not end") from exc


def _columns(cells: Sequence[str]) -> Mapping[str, int]:
    places = {cell.lower().replace(" ", ""): index for index, cell in reversed(list(enumerate(cells)))}
    found = {
        what: next(places[name] for name in names if name in places)
        for what, names in _COLUMNS.items()
        if any(name in places for name in names)
    }
    if not all(what in found for what in _NEEDED):
        raise ValueError("neither a line of conntrack nor a heading with source, destination and port")
    return found


def _count(text: str) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError("no count of flows")
    return max(1, int(text))


@lru_cache(1 << 12)
def _moment(text: str) -> dt.datetime | None:
    """With or without a fraction and a zone; without one it is taken for UTC."""
    try:
        found = dt.datetime.fromisoformat(text)
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


# ---- both


@lru_cache(1 << 16)
def _address(text: str) -> Address:
    try:
        found = ipaddress.ip_address(text)
    except ValueError as exc:
        raise ValueError("no address where one belongs") from exc
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= _LAST_PORT):
        raise ValueError("no port where one belongs")
    return int(text)
