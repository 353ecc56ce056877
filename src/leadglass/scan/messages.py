"""What the process that keeps a scan and the processes that ask tell each other.

Each message is one kind byte, a JSON head and, for results, packed rows: there may be millions of
these. Both sides are the same version of the same program; nothing here outlives them.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import struct
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from leadglass.model.look import Look, Sighting, Sightings
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Severity

__all__ = [
    "Drop",
    "Hungry",
    "Message",
    "Result",
    "Rows",
    "Setup",
    "SoFar",
    "Stop",
    "Task",
    "Trouble",
    "Turn",
    "decode",
    "encode",
    "stretches",
]


@dataclass(frozen=True, slots=True)
class Setup:
    """To a member, first: the scan it takes part in."""

    ulid: str
    scope_text: str
    scope_file: str
    pins: tuple[tuple[str, tuple[str, ...]], ...]
    """The scope's names and the addresses they were pinned to."""
    deepest: int
    permutation_key: str
    """Hexadecimal."""
    invented_sop_class: str
    members: int
    """How many share the limits."""
    rate: float
    """New connections a second, for this member alone."""


@dataclass(frozen=True, slots=True)
class Task:
    """To a member: the hosts at positions ``first`` to ``after - 1``."""

    shard: int
    first: int
    after: int
    listed: tuple[tuple[str, tuple[int, ...]], ...] | None = None
    """Address and ports at each position, where others found them; None: those of the scope."""


@dataclass(frozen=True, slots=True)
class Turn:
    """To a member: open so many new connections a second from now on; 0 pauses."""

    rate: float
    until: float
    """Monotonic seconds, by the clock that all processes of a machine share: from then on none, until told anew."""


@dataclass(frozen=True, slots=True)
class Drop:
    """To a member: these shards belong to somebody else now."""

    shards: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """To a member: no more; send what is complete, and end."""


@dataclass(frozen=True, slots=True)
class Hungry:
    """From a member: the last shard it has is begun."""


@dataclass(frozen=True, slots=True)
class SoFar:
    """From a member, now and then: how many endpoints it has asked of shards that are not complete."""

    asked: tuple[tuple[int, int], ...]
    """Number of the shard, endpoints."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """From a member: it cannot go on; ``what`` is one line for the user."""

    what: str
    then: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """From a member: what was seen in a shard, and the stretches of it that were not finished."""

    shard: int
    sightings: Sequence[Sighting]
    rest: tuple[tuple[int, int], ...] = ()


Message: TypeAlias = Setup | Task | Turn | Drop | Stop | Hungry | SoFar | Trouble | Result

_KINDS: Sequence[type[Any]] = (Setup, Task, Turn, Drop, Stop, Hungry, SoFar, Trouble, Result)
_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}
_HEAD = struct.Struct(">BI")
_FOUR, _SIX = struct.Struct(">4sHIII"), struct.Struct(">16sHIII")
"""Address, port, moment, number of the source, number of the look."""
_FOUR_KEYED, _SIX_KEYED = struct.Struct(">6sIII"), struct.Struct(">18sIII")
"""The same bytes; address and port together are ``model.key``."""


class Rows:
    """The sightings of one shard, packed as they come in."""

    __slots__ = ("_four", "_looks", "_numbers", "_six", "_sources")

    def __init__(self) -> None:
        self._looks: list[Look] = []
        self._numbers: dict[int, int] = {}
        """By the identity of the look, which stays the same for as long as it is here."""
        self._sources: dict[str | None, int] = {}
        self._four = bytearray()
        self._six = bytearray()

    def number(self, look: Look) -> int:
        """The number of ``look`` in these rows, for ``add``."""
        number = self._numbers.get(id(look))
        if number is None:
            number = self._numbers[id(look)] = len(self._looks)
            self._looks.append(look)
        return number

    def add(self, address: bytes, port: int, observed_at: int, source: str | None, look: int) -> None:
        """One more: ``address`` packed, ``observed_at`` in POSIX seconds, ``look`` by number."""
        at = self._sources.get(source)
        if at is None:
            at = self._sources[source] = len(self._sources)
        if len(address) == 4:
            self._four += _FOUR.pack(address, port, observed_at, at, look)
        else:
            self._six += _SIX.pack(address, port, observed_at, at, look)

    def leave_out(self, addresses: Container[bytes]) -> None:
        """Forget what was seen at these addresses."""
        self._four = _without(addresses, self._four, _FOUR.size, 4)
        self._six = _without(addresses, self._six, _SIX.size, 16)

    def encoded(self, shard: int, rest: Iterable[tuple[int, int]] = ()) -> bytes:
        """The ``Result`` with these rows."""
        head = {
            "shard": shard,
            "rest": list(rest),
            "looks": [_look_fields(look) for look in self._looks],
            "sources": list(self._sources),
            "four": len(self._four),
        }
        return _message(Result, head) + self._four + self._six


def _without(addresses: Container[bytes], rows: bytearray, size: int, length: int) -> bytearray:
    kept = bytearray()
    for at in range(0, len(rows), size):
        if bytes(rows[at : at + length]) not in addresses:
            kept += rows[at : at + size]
    return kept


def encode(message: Message) -> bytes:
    """``message`` as bytes, to be sent with their length before them."""
    if isinstance(message, Result):
        rows = Rows()
        for endpoint, observed_at, source, look in message.sightings:
            port = int.from_bytes(endpoint[-2:], "big")
            rows.add(endpoint[:-2], port, observed_at, source, rows.number(look))
        return rows.encoded(message.shard, message.rest)
    return _message(type(message), dataclasses.asdict(message))


def decode(data: bytes) -> Message:
    """The message that ``data`` holds."""
    number, length = _HEAD.unpack_from(data)
    kind = _KINDS[number]
    fields = json.loads(data[_HEAD.size : _HEAD.size + length])
    if kind is Result:
        return _result(fields, memoryview(data)[_HEAD.size + length :])
    message: Message = kind(**{name: _frozen(value) for name, value in fields.items()})
    return message


def _message(kind: type[Any], fields: dict[str, Any]) -> bytes:
    head = json.dumps(fields, separators=(",", ":")).encode()
    return _HEAD.pack(_NUMBER[kind], len(head)) + head


def _result(head: dict[str, Any], rows: memoryview) -> Result:
    looks = [_look(fields) for fields in head["looks"]]
    four = head["four"]
    found = [*_FOUR_KEYED.iter_unpack(rows[:four]), *_SIX_KEYED.iter_unpack(rows[four:])]
    return Result(head["shard"], Sightings(found, head["sources"], looks), tuple(map(_pair, head["rest"])))


def _look_fields(look: Look) -> list[Any]:
    identity = look.identity.hex() if look.identity else None
    return [
        *(look.evidence, look.body, int(look.rung), look.access, look.severity),
        *(look.product, look.version, identity, look.judged_by),
    ]


def _look(fields: list[Any]) -> Look:
    evidence, body, rung, access, severity, product, version, identity, judged_by = fields
    return Look(
        *(evidence, body, Rung(rung), Access(access), Severity(severity)),
        *(product, version, bytes.fromhex(identity) if identity else None, judged_by),
    )


def _pair(pair: list[int]) -> tuple[int, int]:
    first, after = pair
    return first, after


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def stretches(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Ascending positions as [first, after) without a gap inside."""
    for _, run in itertools.groupby(enumerate(positions), lambda item: item[1] - item[0]):
        held = [position for _, position in run]
        yield held[0], held[-1] + 1
