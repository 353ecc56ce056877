"""The scope: asked before every connection, and the only place where a permit comes from.

A scope is frozen. Names in it stand for nothing until their addresses, resolved once by
somebody else, are pinned with ``with_names``; from then on only these addresses count, whatever
DNS says later.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.errors import ScopeDenied, ScopeError
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.compiled import Compiled, Rules, compile_rules
from leadglass.scope.hosts import Hosts, literal
from leadglass.scope.hours import Calendar, Stretch, end_of_day
from leadglass.scope.rules import Authorisation, Exclusion, Identity, Limits, Refusal, Target
from leadglass.scope.table import Cell, Grant, number

__all__ = ["PERMIT_SECONDS", "Scope"]

PERMIT_SECONDS = 60.0
"""How long a permit stands at most: long enough to wait for a turn, too short to be kept for later."""

_SHALLOWEST = Rung.CONNECT
"""The first rung that opens a connection."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom we may ask, how deep, when, in whose name. Implements ``ports.conversation.Gate``."""

    name: str
    authorisation: Authorisation
    limits: Limits
    position: Position
    identity: Identity
    rules: tuple[Target, ...]
    exclusions: tuple[Exclusion, ...] = ()
    pins: tuple[tuple[str, tuple[str, ...]], ...] | None = None
    """Each name with its answers, as ``with_names`` was given them; None before that."""
    _compiled: Compiled = field(init=False, repr=False, compare=False)
    _calendar: Calendar = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        day = self.authorisation.valid_until
        expires = end_of_day(day, self.limits.zone) if day else None
        object.__setattr__(self, "_calendar", Calendar(expires, self.limits.hours))
        object.__setattr__(self, "_compiled", compile_rules(self._rules()))

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Names and answers that are not touched, each with its reason: to be shown, not swallowed."""
        return self._compiled.refused

    @property
    def expires(self) -> float:
        """The POSIX time at which the authorisation ends; infinity if it names no day."""
        return self._calendar.expires

    def user_agent(self, version: str) -> str:
        """Who asks, for HTTP (RFC 9110 10.1.5): the tool with its version, and where to complain."""
        about = [f"+{self.identity.url}" if self.identity.url else "", self.authorisation.contact]
        note = "; ".join(filter(None, about))
        return f"Leadglass/{version} ({note})" if note.isascii() else f"Leadglass/{version}"

    def stretch(self, moment: float) -> Stretch:
        """Whether the scope is open at ``moment``, since when and until when."""
        return self._calendar.at(moment)

    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        """Leave for one connection; ``ScopeDenied`` says why not.

        It stands until the authorisation ends, the hours close or ``PERMIT_SECONDS`` pass, whichever is first.
        """
        grant = self.grant(endpoint.address, endpoint.port)
        stretch = self._calendar.at(moment)
        if grant is None or not stretch.is_open or rung < _SHALLOWEST or rung > grant.depth:
            raise ScopeDenied(self._denial(endpoint, rung, moment), where=str(endpoint))
        until, soon = stretch.until, moment + PERMIT_SECONDS
        return Permit(endpoint, rung, soon if soon < until else until)  # noqa: FURB136 - min() takes ten times as long

    def depth(self, address: str, port: int, moment: float | None = None) -> Rung | None:
        """How deep this endpoint may be asked, at ``moment`` if given; None if not at all."""
        if moment is not None and not self._calendar.at(moment).is_open:
            return None
        grant = self.grant(address, port)
        return grant.depth if grant else None

    def ports(self, address: str) -> Iterator[int]:
        """The ports at which this address may be asked anything, ascending, whatever the hour."""
        cell = self._cell(address)
        for first, last in cell.ports() if cell else ():
            yield from range(first, last + 1)

    def called_ae(self, address: str, port: int) -> str | None:
        """The called AE title that the scope gives for this endpoint; None if it gives none."""
        grant = self.grant(address, port)
        return grant.called_ae if grant else None

    def name_of(self, address: str) -> str | None:
        """The first name of the scope that is pinned to ``address``, for SNI and the Host header."""
        return self._compiled.names.get(address)

    @property
    def named_addresses(self) -> Mapping[str, str]:
        """What ``name_of`` answers, for the addresses that have a name."""
        return self._compiled.names

    def names(self) -> tuple[str, ...]:
        """The names to resolve, once, before ``with_names``; each once, excluded ones too."""
        ranges = [*(rule.range for rule in self.rules), *(rule.range for rule in self.exclusions)]
        return tuple(dict.fromkeys(r for r in ranges if isinstance(r, str)))

    def with_names(self, resolved: Mapping[str, tuple[str, ...]]) -> Scope:
        """This scope with its names pinned to addresses; the answers are checked (see ``refused``).

        ``ScopeError`` if an excluded name has no address (nobody could tell what to leave alone) or
        if nothing is left to ask.
        """
        pinned = dataclasses.replace(
            self, pins=tuple((name, resolved.get(name, ())) for name in self.names())
        )
        if pinned.count() == 0:
            why = "; ".join(str(refusal) for refusal in pinned.refused[:3])
            raise ScopeError(
                f"the scope leaves nothing to ask ({why or 'everything is excluded'})", where=self.name
            )
        return pinned

    def targets(self) -> Iterator[tuple[str, int]]:
        """Every (address, port) of the scope, each once, without the excluded; nothing is listed.

        Includes endpoints whose depth is ``passive``. Names count by their pinned addresses. Raises ``ScopeDenied``
        while an excluded name is not pinned.
        """
        self._require_pinned_exclusions()
        for version, span, cell in self._compiled.table.segments():
            length = 4 if version == 4 else 16
            ranges = [range(first, last + 1) for first, last in cell.ports()]
            for value in range(span.first, span.last + 1):
                address = literal(value.to_bytes(length, "big"))
                for ports in ranges:
                    for port in ports:
                        yield address, port

    def hosts(self) -> Hosts:
        """Every address that may be connected to, numbered; ``ScopeDenied`` while an excluded name is not pinned."""
        self._require_pinned_exclusions()
        return Hosts(self._compiled.table, self._compiled.known)

    def count(self) -> int:
        """How many endpoints ``targets`` generates, without generating them."""
        return sum(self.counts().values())

    def counts(self) -> Mapping[Rung, int]:
        """How many endpoints may be asked how deep; rungs without one are left out."""
        found: Counter[Rung] = Counter()
        for _, span, cell in self._compiled.table.segments():
            for first, last in cell.ports():
                grant = cell.grant(first)
                assert grant is not None
                found[grant.depth] += (span.last - span.first + 1) * (last - first + 1)
        return found

    def _rules(self) -> Rules:
        ceiling = min(self.limits.deepest, self.authorisation.ceiling)
        return Rules(self.rules, self.exclusions, ceiling, self.position, dict(self.pins or ()))

    def grant(self, address: str, port: int) -> Grant | None:
        """What the rules say of this endpoint, whatever the hour; None if nothing may be asked there."""
        cell = self._cell(address)
        return cell.grant(port) if cell else None

    def _cell(self, address: str) -> Cell | None:
        """How this address is treated; None if it is not named, or nobody can tell yet."""
        compiled = self._compiled
        return None if compiled.unpinned else compiled.known.get(address) or compiled.table.find(address)

    def _require_pinned_exclusions(self) -> None:
        if self._compiled.unpinned:
            raise ScopeDenied(f"the excluded name {self._compiled.unpinned} is not resolved yet")

    def _denial(self, endpoint: Endpoint, rung: Rung, moment: float) -> str:
        return (
            self._place_denial(endpoint)
            or self._depth_denial(endpoint, rung)
            or self._time_denial(moment)
            or "not permitted"
        )

    def _place_denial(self, endpoint: Endpoint) -> str | None:
        if self._compiled.unpinned:
            return f"the excluded name {self._compiled.unpinned} is not resolved yet"
        if number(endpoint.address) is None:
            return f"{endpoint.address!r} is no canonical address"
        cell = self._compiled.table.find(endpoint.address)
        if cell is None:
            return "the address is not in the scope"
        if cell.excluded is not None:
            return f"excluded: {cell.excluded}"
        if cell.grant(endpoint.port) is None:
            return f"port {endpoint.port} is not in the scope for this address"
        return None

    def _depth_denial(self, endpoint: Endpoint, rung: Rung) -> str | None:
        depth = self.depth(endpoint.address, endpoint.port)
        if rung < _SHALLOWEST:
            return f"{rung.word} opens no connection"
        if depth is not None and rung > depth:
            return f"{rung.word} is deeper than the scope permits here, which is {depth.word}"
        return None

    def _time_denial(self, moment: float) -> str | None:
        stretch = self._calendar.at(moment)
        if stretch.is_open:
            return None
        if moment >= self.expires:
            return f"the authorisation ended with {self.authorisation.valid_until}"
        opens = "never again" if stretch.until >= self.expires else _local(stretch.until, self.limits.zone)
        return f"outside the hours {self.limits.hours_text}; it opens {opens}"


def _local(moment: float, zone: dt.tzinfo) -> str:
    local = dt.datetime.fromtimestamp(math.floor(moment), zone)
    return f"{local:%Y-%m-%d %H:%M} ({local.tzname()})"
