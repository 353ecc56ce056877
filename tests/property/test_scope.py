"""Promise 2 against an oracle: no permit for anything that the scope's text does not permit.

The oracle reads the same random rules in the slowest way there is: one address, one port, one
rule at a time, with ``ipaddress`` and the wall clock.
"""

from __future__ import annotations

import datetime as dt
import functools
import ipaddress
import json
import tomllib
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from leadglass.errors import ScopeDenied, ScopeError
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.rung import Rung
from leadglass.scope.parse import parse
from leadglass.scope.scope import PERMIT_SECONDS, Scope
from leadglass.settings.lines import Path, lines

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

SPECIAL = [
    ipaddress.ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "::ffff:0:0/96", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
]
NEVER = [
    ipaddress.ip_network(block)
    for block in ("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::/128", "::ffff:0:0/96", "ff00::/8")
]
CEILING = {"owner": Rung.SAMPLE, "mandate": Rung.BLANK_QUERY, "research": Rung.NEGOTIATE}
ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Chatham")
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
YEAR = 365 * 86400


def inside(inner: Network, outer: Network) -> bool:
    """Whether all of one network lies in another."""
    if isinstance(inner, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and inner.subnet_of(outer)


@functools.cache
def holes(network: Network) -> list[Network]:
    """What a range does not take in, because it is wider."""
    return [block for block in SPECIAL if block != network and inside(block, network)]


def covers(network: Network, ip: Address) -> bool:
    """Whether a target that names ``network`` names ``ip``."""
    return ip in network and not any(ip in hole for hole in holes(network))


def translated(ip: Address) -> Address:
    """The IPv4 address that a NAT64 gateway makes of it, if it does."""
    if isinstance(ip, ipaddress.IPv6Address) and ip in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip


@dataclass(frozen=True)
class Rule:
    network: Network
    ports: tuple[tuple[int, int], ...]
    deepest: Rung | None


@dataclass(frozen=True)
class Spec:
    """A random scope before it is written down."""

    basis: str
    deepest: Rung
    valid_until: dt.date
    hours: tuple[int, int, str] | None
    rules: tuple[Rule, ...]
    excluded: tuple[Network, ...]

    def text(self) -> str:
        """The scope file that says this."""
        parts = [
            (
                f'name = "random"\n[authorisation]\nbasis = "{self.basis}"\ngranted_by = "a"\ncontact = "b"\n'
                f'reference = "c"\nvalid_until = {self.valid_until}\n[limits]\ndeepest = "{self.deepest.word}"\n'
            )
        ]
        if self.hours:
            opens, closes, zone = self.hours
            window = f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}"
            parts.append(f'hours = "{window}"\ntimezone = "{zone}"\n')
        for rule in self.rules:
            ports = json.dumps([first if first == last else f"{first}-{last}" for first, last in rule.ports])
            parts.append(f'[[targets]]\nrange = "{rule.network}"\nports = {ports}\n')
            if rule.deepest is not None:
                parts.append(f'deepest = "{rule.deepest.word}"\n')
        parts += [f'[[exclude]]\nrange = "{network}"\nreason = "x"\n' for network in self.excluded]
        return "".join(parts)

    def depth(self, address: str, port: int) -> Rung | None:
        """How deep this endpoint may be asked."""
        ip = ipaddress.ip_address(address)
        if any(each in network for network in self.excluded for each in (ip, translated(ip))):
            return None
        found = [
            rule.deepest if rule.deepest is not None else self.deepest
            for rule in self.rules
            if covers(rule.network, ip) and any(a <= port <= b for a, b in rule.ports)
        ]
        return min([*found, self.deepest]) if found else None

    def is_open(self, moment: float) -> bool:
        """Whether it is in force, and within its hours, by the wall clock."""
        zone = zoneinfo.ZoneInfo(self.hours[2] if self.hours else "UTC")
        local = dt.datetime.fromtimestamp(moment, zone)
        if local.date() > self.valid_until:
            return False
        if self.hours is None:
            return True
        opens, closes, _ = self.hours
        minute = local.hour * 60 + local.minute
        return opens <= minute < closes if opens < closes else minute >= opens or minute < closes


# Few places and much overlap: this is where mistakes live.
PLACES = (
    *("192.0.2.0/24", "10.0.0.0/8", "10.3.0.0/24", "9.255.255.0/24", "0.0.0.0/0", "8.0.0.0/5"),
    *("2001:db8::/120", "::/0", "fd00::/120", "64:ff9b::c000:200/120"),
)


@st.composite
def networks(draw: st.DrawFn, least: int = 0) -> Network:
    """A network in one of a few places, all of it or a small piece."""
    place = ipaddress.ip_network(draw(st.sampled_from(PLACES)))
    if draw(st.booleans()) and place.prefixlen >= least:
        return place
    bits = draw(st.integers(0, 5))
    offset = draw(st.integers(0, 255)) % place.num_addresses
    return ipaddress.ip_network(
        (int(place.network_address) + offset, place.max_prefixlen - bits), strict=False
    )


ports = st.lists(
    st.tuples(st.integers(100, 110), st.integers(0, 5)).map(lambda p: (p[0], p[0] + p[1])),
    min_size=1,
    max_size=3,
).map(tuple)
rungs = st.sampled_from(list(Rung))
minutes = st.integers(0, 24 * 60 - 1)


@st.composite
def specs(draw: st.DrawFn, ranges: st.SearchStrategy[Network] | None = None) -> Spec:
    """A consistent random scope."""
    ranges = networks() if ranges is None else ranges
    basis = draw(st.sampled_from(list(CEILING)))
    deepest = draw(rungs.filter(lambda rung: rung <= CEILING[basis]))
    hours = draw(st.none() | st.tuples(minutes, minutes, st.sampled_from(ZONES)))
    assume(hours is None or hours[0] != hours[1])
    lower = st.none() | rungs.filter(lambda rung: rung <= deepest)
    hosts = ranges.filter(lambda n: not any(inside(n, b) for b in NEVER))
    rules = draw(st.lists(st.builds(Rule, hosts, ports, lower), min_size=1, max_size=6))
    excluded = draw(st.lists(ranges, max_size=4))
    day = dt.date(2026, 1, 1) + dt.timedelta(days=draw(st.integers(1, 365)))
    return Spec(basis, deepest, day, hours, tuple(rules), tuple(excluded))


def scope_or_error(text: str) -> Scope | ScopeError:
    """What becomes of a file."""
    try:
        return parse(text, filename="scope.toml", moment=START)
    except ScopeError as exc:
        return exc


def permit_or_none(scope: Scope, endpoint: Endpoint, rung: Rung, moment: float) -> Permit | None:
    """What the gate says."""
    try:
        return scope.permit(endpoint, rung, moment)
    except ScopeDenied:
        return None


def read(spec: Spec) -> Scope:
    """The scope that the text says; examples that are refused as empty are passed over."""
    found = scope_or_error(spec.text())
    if isinstance(found, ScopeError):
        assert "empty" in found.what
    assume(isinstance(found, Scope))
    assert isinstance(found, Scope)
    return found


@st.composite
def endpoints(draw: st.DrawFn) -> Endpoint:
    """Endpoints in, at the edge of and near the places."""
    network = draw(networks())
    edge = draw(st.sampled_from([int(network.network_address), int(network.broadcast_address)]))
    value = (edge + draw(st.integers(-2, 2))) % 2**network.max_prefixlen
    address = ipaddress.IPv4Address(value) if network.version == 4 else ipaddress.IPv6Address(value)
    return Endpoint(str(address), draw(st.integers(98, 117)))


@given(specs(), st.lists(st.tuples(endpoints(), rungs, st.floats(0, YEAR)), min_size=1, max_size=30))
def test_a_permit_is_given_exactly_where_the_oracle_gives_one(
    spec: Spec, asked: list[tuple[Endpoint, Rung, float]]
) -> None:
    scope = read(spec)
    for endpoint, rung, later in asked:
        moment = START + later
        depth = spec.depth(endpoint.address, endpoint.port)
        wanted = depth is not None and Rung.CONNECT <= rung <= depth and spec.is_open(moment)
        assert scope.depth(endpoint.address, endpoint.port) == depth
        permit = permit_or_none(scope, endpoint, rung, moment)
        assert (permit is not None) is wanted
        if permit is None:
            continue
        assert (permit.endpoint, permit.rung) == (endpoint, rung)
        assert moment < permit.valid_until <= moment + PERMIT_SECONDS
        # It is open up to its end, and it does not end early.
        last = min(permit.valid_until, moment + PERMIT_SECONDS - 1) - 1e-3
        assert last <= moment or spec.is_open(last)
        if permit.valid_until < moment + PERMIT_SECONDS - 1e-6:
            assert not spec.is_open(permit.valid_until)


@given(specs(networks(least=200)))
def test_targets_are_the_oracles_set_each_once(spec: Spec) -> None:
    scope = read(spec)
    assume(scope.count() < 20_000)
    listed = list(scope.targets())
    near = {str(a) for rule in spec.rules for a in rule.network if rule.network.num_addresses <= 256}

    assert len(listed) == len(set(listed)) == scope.count() == sum(scope.counts().values())
    assert set(listed) == {
        (address, port)
        for address in near
        for port in range(98, 118)
        if spec.depth(address, port) is not None
    }


@given(specs(), rungs, rungs, endpoints(), st.floats(0, YEAR))
def test_research_never_gets_a_query_whatever_the_file_says(
    spec: Spec, limit: Rung, target: Rung, endpoint: Endpoint, later: float
) -> None:
    rules = tuple(Rule(rule.network, rule.ports, target) for rule in spec.rules)
    bold = Spec("research", limit, spec.valid_until, spec.hours, rules, spec.excluded)
    scope = scope_or_error(bold.text())
    if isinstance(scope, ScopeError):
        return
    for rung in (Rung.BLANK_QUERY, Rung.SAMPLE):
        with pytest.raises(ScopeDenied):
            scope.permit(endpoint, rung, START + later)
    assert max(scope.counts()) <= Rung.NEGOTIATE


LINES = st.sampled_from(
    [
        *(
            'name = "x"',
            "[authorisation]",
            'basis = "owner"',
            'granted_by = "a"',
            'contact = "b"',
            "[limits]",
        ),
        *(
            "valid_until = 2027-01-31",
            'deepest = "sample"',
            "rate = 1e999",
            "[[targets]]",
            'range = "192.0.2.1"',
        ),
        *(
            "ports = [104]",
            "ports = [",
            "]",
            "{",
            '"""',
            "'''",
            "[[exclude]]",
            'reason = "x"',
            "a.b.c = {}",
            "# x",
        ),
        *(
            'hours = "00:00-23:59"',
            'timezone = "UTC"',
            "[vantage]",
            "targets = [{range = 1}]",
            "= 1",
            "\t",
            '"',
        ),
    ]
)


@given(st.lists(LINES, max_size=20).map("\n".join) | st.text(max_size=200))
def test_any_text_is_a_scope_or_one_error_of_one_line(text: str) -> None:
    found = scope_or_error(text)
    if isinstance(found, Scope):
        assert found.count() > 0
        return
    assert str(found).startswith("scope.toml")
    assert len(str(found).splitlines()) == 1


# ---- the line of every key


class Writer:
    """Writes random TOML in random layouts, and remembers the line of everything."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[Path, int] = {}

    def document(self) -> None:
        self.pairs((), self.draw(st.integers(0, 3)), self.newline)
        counts: dict[str, int] = {}
        for index in range(self.draw(st.integers(0, 5))):
            if self.draw(st.booleans()):
                path: Path = (f"table{index}",)
                self.note(path)
                self.text += f"[{self.space()}{self.quoted(str(path[0]))}{self.space()}]"
            else:
                name = self.draw(st.sampled_from(["one", "t w o"]))
                path = (name, counts.setdefault(name, 0))
                counts[name] += 1
                self.lines.setdefault((name,), self.line)
                self.note(path)
                self.text += f"[[{self.space()}{self.quoted(name)}{self.space()}]]"
            self.newline()
            self.pairs(path, self.draw(st.integers(0, 3)), self.newline)

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def note(self, path: Path) -> None:
        self.lines[path] = self.line

    def pairs(self, table: Path, count: int, after: Callable[[], None]) -> None:
        for index in range(count):
            path = (*table, self.draw(st.sampled_from(["k", "a b", "#", '"', "]", "é"])) + str(index))
            self.note(path)
            self.text += self.quoted(str(path[-1]))
            if self.draw(st.booleans()):
                path = (*path, "dotted")
                self.note(path)
                self.text += f"{self.space()}.{self.space()}dotted"
            self.text += f"{self.space()}={self.space()}"
            self.value(path, 2)
            after()

    def value(self, path: Path, depth: int) -> None:
        kind = self.draw(st.sampled_from(["scalar", "array", "inline"] if depth else ["scalar"]))
        if kind == "scalar":
            self.text += self.draw(st.sampled_from(SCALARS))
        elif kind == "array":
            self.text += "["
            for index in range(self.draw(st.integers(0, 3))):
                self.text += "," if index else ""
                self.blank()
                self.note((*path, index))
                self.value((*path, index), depth - 1)
                self.blank()
            self.text += "]"
        else:
            self.text += "{"
            for index in range(self.draw(st.integers(0, 2))):
                self.text += f"{',' if index else ''} "
                self.note((*path, f"i{index}"))
                self.text += f"i{index} = "
                self.value((*path, f"i{index}"), depth - 1)
            self.text += "}"

    def quoted(self, key: str) -> str:
        if key.isascii() and key.replace("_", "").isalnum() and self.draw(st.booleans()):
            return key
        return (
            json.dumps(key, ensure_ascii=self.draw(st.booleans())) if "'" in key or '"' in key else f"'{key}'"
        )

    def space(self) -> str:
        return self.draw(st.sampled_from(["", " ", "\t"]))

    def blank(self) -> None:
        self.text += self.draw(st.sampled_from(["", " ", "\n", "\n\n  # [x] = { \" '\n", "# ]\n"]))

    def newline(self) -> None:
        self.text += self.draw(st.sampled_from(["\n", '  # [x] """ \'\n', "\n\n# a = 1\n", "\t\n"]))


SCALARS = (
    *("1", "-1_000", "1.5e3", "true", "inf", "2027-01-31", "2027-01-31 00:00:00Z", "07:32:00"),
    *(
        '""',
        "''",
        '"# ] } , = \\" \\\\"',
        "'\\'",
        '"""\n# x ]\n"""',
        "'''\n[y]\n'''",
        '"""a""\\"\n"""""',
        "''''a'''''",
    ),
)


@st.composite
def written(draw: st.DrawFn) -> Writer:
    """A document and its lines."""
    writer = Writer(draw)
    writer.document()
    return writer


@given(written())
def test_every_key_of_any_document_has_its_line(document: Writer) -> None:
    tomllib.loads(document.text)

    assert dict(lines(document.text)) == document.lines


def paths(value: Any, path: Path = ()) -> set[Path]:
    """What one can index a document with."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    below = {inner for key, each in items for inner in paths(each, (*path, key))}
    return below | ({path} if path else set())


@given(written())
def test_the_lines_are_those_of_the_keys_that_the_reader_sees(document: Writer) -> None:
    assert set(lines(document.text)) == paths(tomllib.loads(document.text))
