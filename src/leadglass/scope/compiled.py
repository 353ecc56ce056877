"""From rules and pinned names to the table that is asked, and the list of what was refused.

The rule for a name's answers, against DNS rebinding: whoever controls a name's records must not be
able to point the scanner at the network it stands in. A public address is pinned. A loopback,
link-local, shared or private one is pinned only if a range of the scope, written as addresses,
covers it; a private one also when the scope says that it is seen from inside. Excluded addresses
stay excluded. What is not pinned is listed, with its reason.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.errors import ScopeError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.ports import port_ranges
from leadglass.scope.rules import Exclusion, Refusal, Target
from leadglass.scope.special import Address, Kind, Network, kind_of, spans, translated
from leadglass.scope.table import Cell, Conflict, Cover, Grant, Hole, Profile, Table

__all__ = ["Compiled", "Rules", "compile_rules"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What there is to compile."""

    targets: tuple[Target, ...]
    exclusions: tuple[Exclusion, ...]
    ceiling: Rung
    """No target is asked anything deeper, whatever it says itself."""
    position: Position
    answers: Mapping[str, tuple[str, ...]]
    """The addresses of names."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """The rules, ready to be asked."""

    table: Table
    names: Mapping[str, str]
    """Pinned address to the first name that has it."""
    refused: tuple[Refusal, ...]
    unpinned: str | None
    """An excluded name that is not resolved: nothing may be touched before it is."""
    known: dict[str, Cell] = field(default_factory=dict, repr=False, compare=False)
    """What the table says of some addresses, for ``Hosts`` to fill."""


def compile_rules(rules: Rules) -> Compiled:
    """Build the table; ``ScopeError`` where targets contradict each other, naming the line."""
    holes = [hole for exclusion in rules.exclusions for hole in _holes(exclusion, rules.answers)]
    literal = [cover for target in rules.targets for cover in _literal_covers(target, rules.ceiling)]
    ranges = _table(literal, holes, rules.targets)
    pinned: list[Cover] = []
    names: dict[str, str] = {}
    refused: list[Refusal] = []
    for target, name, answer in _answers(rules):
        reason = _refusal(answer, ranges, rules.position)
        if reason is not None:
            refused.append(Refusal(name, answer or None, reason))
            continue
        address = ipaddress.ip_address(answer)
        names.setdefault(str(address), name)
        pinned += _covers(target, ipaddress.ip_network(address), rules.ceiling)
    table = _table([*literal, *pinned], holes, rules.targets)
    return Compiled(table, names, tuple(dict.fromkeys(refused)), _unpinned(rules))


def _literal_covers(target: Target, ceiling: Rung) -> Iterator[Cover]:
    if not isinstance(target.range, str):
        yield from _covers(target, target.range, ceiling)


def _covers(target: Target, network: Network, ceiling: Rung) -> Iterator[Cover]:
    grant = Grant(min(target.deepest, ceiling), target.called_ae)
    profile = Profile(tuple(port_ranges(target.ports)), grant)
    for span in spans(network):
        yield Cover(network.version, span, profile)


def _holes(exclusion: Exclusion, answers: Mapping[str, tuple[str, ...]]) -> Iterator[Hole]:
    for network in _networks(exclusion, answers):
        for shape in (network, *translated(network)):
            yield Hole.of(shape, exclusion.reason)


def _networks(exclusion: Exclusion, answers: Mapping[str, tuple[str, ...]]) -> Iterable[Network]:
    if not isinstance(exclusion.range, str):
        return [exclusion.range]
    if exclusion.range not in answers:
        return []  # not resolved yet, and so nothing is permitted: see Compiled.unpinned
    try:
        found = [ipaddress.ip_network(answer) for answer in answers[exclusion.range]]
    except ValueError:
        found = []
    if not found:
        raise ScopeError(
            f"the excluded name {exclusion.range} has no address, so nobody can tell what to leave alone",
            where=exclusion.where,
            then="write its address instead",
        )
    return found


def _answers(rules: Rules) -> Iterator[tuple[Target, str, str]]:
    """(target, name, answer) of all targets whose names were asked for; an empty answer for none."""
    for target in rules.targets:
        if isinstance(target.range, str) and target.range in rules.answers:
            for answer in rules.answers[target.range] or ("",):
                yield target, target.range, answer


def _refusal(answer: str, ranges: Table, position: Position) -> str | None:
    if not answer:
        return "it has no address"
    try:
        address: Address = ipaddress.ip_address(answer)
    except ValueError:
        return "this is no address"
    cell = ranges.find(str(address))
    if cell is not None:
        return f"excluded: {cell.excluded}" if cell.excluded is not None else None
    kind = kind_of(address)
    if kind is Kind.PUBLIC or (kind is Kind.PRIVATE and position is Position.INSIDE):
        return None
    return f"a name may not lead to an address that is {kind.value}, unless a range of the scope covers it"


def _unpinned(rules: Rules) -> str | None:
    names = (e.range for e in rules.exclusions if isinstance(e.range, str))
    return next((name for name in names if name not in rules.answers), None)


def _table(covers: list[Cover], holes: list[Hole], targets: tuple[Target, ...]) -> Table:
    try:
        return Table(covers, holes)
    except Conflict as exc:
        last = next(t for t in reversed(targets) if t.called_ae in exc.titles)
        raise ScopeError(str(exc), where=last.where, then="give it one title") from exc
