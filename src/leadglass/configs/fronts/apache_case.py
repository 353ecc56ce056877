"""Which ways lead through an Apache httpd: its hosts, what they pass on, and what each path asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from leadglass.configs.fronts.apache_gates import Asked, asked, gate
from leadglass.configs.fronts.apache_syntax import Directive, effective, parse
from leadglass.configs.fronts.imaging import Target, is_imaging, native_paths, target_of
from leadglass.configs.fronts.needs import Gate, Need, bound_to
from leadglass.configs.fronts.patterns import matches
from leadglass.configs.fronts.ways import MOST_WAYS, Door, Way
from leadglass.configs.reading import Service
from leadglass.configs.source import Source

__all__ = ["Case", "Host", "Pass", "Spot", "case_of"]

_ADDRESS = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>\d{1,5}|\*)|(?P<alone>\d{1,5})")
_LITERAL = re.compile(r"\^?(/[\w./-]*[\w-])(?![*?+{\w])")
_SAMPLES = ("/dicom-web/studies", "/wado", "/system", "/instances", "/studies", "/dcm4chee-arc/aets")
_ALL = frozenset(
    {"^", "^/", ".*", "^.*$", "(.*)", "^(.*)$", "^/(.*)$", "^/?(.*)", "^/?(.*)$", "^/(.*)", "^(.*)"}
)
_OF_THE_DOOR = re.compile(r"HTTPS|SERVER_PORT|REQUEST_SCHEME|HTTP_HOST|SERVER_NAME|WELL-KNOWN")
"""Conditions by which a redirect to TLS is commonly limited: nearly everybody meets them."""
_MOST_MEMBERS = 16
_MOST_SECTIONS = 100
_MOST_PASSES = 200
_MOST_INHERITED = 500_000


class Pass(NamedTuple):
    """What sends requests on: ``ProxyPass`` and its like."""

    path: str
    """What a request's path begins with, or an expression."""
    regular: bool
    url: str
    directive: Directive


@dataclass(frozen=True, eq=False)
class Host:
    """A ``VirtualHost``, or the main server."""

    section: Directive | None
    lines: Sequence[Directive] = field(repr=False)
    """What holds in it, the main server's before its own."""
    doors: tuple[Door, ...]
    _known: dict[Directive, Asked] = field(default_factory=dict, repr=False)

    @cached_property
    def passes(self) -> Sequence[Pass]:
        """Everything that passes on; of several with one path the first, which is the one that is tried."""
        found = {(passed.path, passed.regular): passed for passed in reversed(list(_passes(self)))}
        return tuple(reversed(found.values()))

    @cached_property
    def _named(self) -> Mapping[str, Sequence[Directive]]:
        found: dict[str, list[Directive]] = {}
        for line in self.lines:
            found.setdefault(line.name, []).append(line)
        return found

    def all(self, *names: str) -> list[Directive]:
        """Those with one of these names, in their order."""
        found = [line for name in names for line in self._named.get(name, ())]
        return found if len(names) == 1 else sorted(found, key=lambda line: line.start)

    def says(self, name: str) -> str:
        """The first argument of the last one of that name, in lower case."""
        found = self._named.get(name)
        return found[-1].argument.lower() if found else ""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What it is called by."""
        return tuple(word for line in self.all("servername", "serveralias") for word in line.arguments)

    @cached_property
    def locations(self) -> Sequence[Directive]:
        """Sections by path, in the order in which they are applied."""
        return self.all("location", "locationmatch")

    def around(self, path: str) -> list[Directive]:
        """The sections that hold for a path."""
        return [section for section in self.locations if _holds(section, path)]

    def gate(self, path: str, passed: Pass, door: Door) -> Gate:
        """What is asked of a request for ``path`` that is passed on."""
        url = passed.url + ("" if passed.regular else path[len(passed.path) :])
        proxies = [s for s in self.all("proxy") if _holds_for_url(s, url)]
        sections = (*proxies, *self.around(path))
        found = gate(map(self._asked, sections), self.says("sslverifyclient"), tls=door.tls)
        return found | self._rewritten(door)

    def _asked(self, section: Directive) -> Asked:
        if section not in self._known:
            self._known[section] = asked(section.inner or [])
        return self._known[section]

    def _rewritten(self, door: Door) -> Gate:
        certified, away = self._rules
        found = {Need.CERTIFICATE} if certified else set()
        return frozenset(found | ({Need.NOBODY} if away and not door.tls else set()))

    @cached_property
    def _rules(self) -> tuple[bool, bool]:
        """Whether rules refuse without a certificate, and whether they send away whoever comes without TLS."""
        certified = away = False
        conditions: list[str] = []
        for line in self.all("rewritecond", "rewriterule"):
            if line.name == "rewritecond":
                conditions.append(" ".join(line.arguments).upper())
                continue
            flags = _flags(line)
            if not flags.isdisjoint({"F", "FORBIDDEN"}):
                certified = certified or any("SSL_CLIENT_VERIFY" in told for told in conditions)
            if not flags.isdisjoint({"R", "REDIRECT"}) and line.argument in _ALL:
                away = away or all(map(_OF_THE_DOOR.search, conditions))
            conditions = []
        return certified, away


@dataclass(frozen=True)
class Spot:
    """One path that leads to an imaging server, by all doors of its host."""

    host: Host
    passed: Pass
    path: str
    ways: Sequence[Way]

    @property
    def open_ways(self) -> Sequence[Way]:
        """Those by which a stranger from anywhere needs nothing."""
        return tuple(way for way in self.ways if not way.gate)

    @property
    def listener(self) -> str:
        """The door's name."""
        return (self.open_ways or self.ways)[0].door.name


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    source: Source
    top: Sequence[Directive]
    hosts: Sequence[Host]
    spots: Sequence[Spot]
    ways: Sequence[Way] = field(repr=False)

    def all(self, name: str) -> Iterator[Directive]:
        """Every line of that name that holds, wherever it stands."""
        todo = [list(effective(self.top))]
        while todo:
            for line in todo.pop():
                if line.name == name:
                    yield line
                if line.inner is not None:
                    todo.append(list(effective(line.inner)))


def case_of(source: Source) -> Case:
    """Read a file; ``ConfigError`` at its place when it is broken."""
    top = parse(source)
    hosts = tuple(_hosts(source, top))
    for host in hosts:
        if len(host.locations) > _MOST_SECTIONS or len(host.passes) > _MOST_PASSES:
            at = host.section.start if host.section else 0
            raise source.fault(
                f"more than {_MOST_SECTIONS} Locations or {_MOST_PASSES} ProxyPass in one host",
                at,
                then="split it",
            )
    native = len(native_paths(p.path for host in hosts for p in host.passes)) > 1
    ways: list[Way] = []
    spots: list[Spot] = []
    for host in hosts:
        for passed in host.passes:
            for path in _paths(host, passed):
                found = tuple(_ways(host, passed, path, native=native))
                ways += found
                open_ones = [way for way in found if way.imaging and Need.NOBODY not in way.gate]
                if open_ones:
                    spots.append(Spot(host, passed, path, open_ones))
                if len(ways) > MOST_WAYS:
                    raise source.fault(f"more than {MOST_WAYS} ways lead through it", passed.directive.start)
    return Case(source, top, hosts, spots, ways)


def _hosts(source: Source, top: Sequence[Directive]) -> Iterator[Host]:
    main = [line for line in effective(top) if line.name != "virtualhost"]
    sections = [line for line in effective(top) if line.name == "virtualhost"]
    listens = [line for line in main if line.name == "listen"]
    if len(sections) * len(main) > _MOST_INHERITED:
        raise source.fault(
            f"{len(sections)} hosts inherit {len(main)} lines", sections[-1].start, then="split it"
        )
    for section in sections:
        own = list(effective(section.inner or []))
        yield Host(section, [*main, *own], tuple(_doors(section, [*main, *own], section.words)))
    if not sections:
        doors = [door for line in listens for door in _doors(line, main, line.words[:1])]
        yield Host(None, main, tuple(doors) or (Door(None, tls=_tls(main), bound=bound_to(""), at=0),))


def _doors(at: Directive, lines: Sequence[Directive], words: Sequence[object]) -> Iterator[Door]:
    https = at.name == "listen" and "https" in at.arguments[1:]
    for text in dict.fromkeys(str(getattr(word, "text", word)) for word in words[:_MOST_MEMBERS]):
        found = _ADDRESS.fullmatch(text)
        host = (found["host"] or "") if found else text
        number = (found["port"] or found["alone"]) if found else ""
        port = int(number) if number and number.isdigit() else 80
        yield Door(port, https or _tls(lines), bound_to("" if host == "_default_" else host), at.start)


def _tls(lines: Sequence[Directive]) -> bool:
    said = [line.argument.lower() for line in lines if line.name == "sslengine"]
    return bool(said) and said[-1] == "on"


def _passes(host: Host) -> Iterator[Pass]:
    """Everything that passes on, in the order in which it is tried."""
    for line in host.all("proxypass", "proxypassmatch"):
        if len(line.words) >= 2 and line.arguments[1] != "!":
            yield Pass(line.argument, line.name == "proxypassmatch", line.arguments[1], line)
    for line in host.all("rewriterule"):
        if _proxies(line):
            yield Pass(line.argument, True, line.arguments[1], line)
    for section in host.locations:
        for line in effective(section.inner or []):
            regular = section.name == "locationmatch" or section.argument == "~"
            path = section.arguments[-1] if section.words else "/"
            if line.name in {"proxypass", "proxypassmatch"} and line.words and line.argument != "!":
                yield Pass(path, regular, line.argument, line)
            elif line.name == "sethandler" and line.argument.lower().startswith("proxy:"):
                yield Pass(path, regular, line.argument[len("proxy:") :], line)
            elif line.name == "rewriterule" and _proxies(line):
                yield Pass(path, regular, line.arguments[1], line)


def _proxies(rule: Directive) -> bool:
    return not _flags(rule).isdisjoint({"P", "PROXY"})


def _flags(rule: Directive) -> frozenset[str]:
    """The flags of a rule, without what is set by them."""
    written = rule.arguments[2][:200].upper() if len(rule.words) > 2 else ""
    return frozenset(flag.strip().partition("=")[0] for flag in written.strip("[]").split(","))


def _paths(host: Host, passed: Pass) -> Iterator[str]:
    """The path itself, and what sections and habits name within it; not what ``ProxyPass PATH !`` takes out."""
    yield passed.path
    if passed.regular:
        return
    base = passed.path.rstrip("/")
    within = [
        path
        for path in (*_named(host, passed), *_SAMPLES)
        if path.startswith(f"{base}/") and path != passed.path
    ]
    out = [line.argument for line in host.all("proxypass") if line.arguments[1:2] == ("!",)]
    taken = [p.path for p in host.passes if not p.regular and len(p.path) > len(passed.path)]
    if not host.doors:
        return
    usual = {passed.path: host.gate(passed.path, passed, host.doors[0])}
    for path in sorted(set(within), key=len):
        if any(path.startswith(other) for other in (*out, *taken)):
            continue
        asks = host.gate(path, passed, host.doors[0])
        nearest = max((known for known in usual if path.startswith(known)), key=len)
        if asks != usual[nearest]:
            usual[path] = asks
            yield path


def _named(host: Host, passed: Pass) -> Iterator[str]:
    """The paths that sections speak of: as they are, as an expression begins, as they are called behind."""
    for section in host.locations:
        pattern = section.arguments[-1] if section.words else ""
        regular = section.name == "locationmatch" or section.argument == "~"
        found = _LITERAL.match(pattern) if regular else None
        yield found[1] if found else pattern
    for section in host.all("proxy"):
        if section.argument.startswith(passed.url):
            yield passed.path + section.argument[len(passed.url) :].rstrip("*")


def _ways(host: Host, passed: Pass, path: str, *, native: bool) -> Iterator[Way]:
    for target in _targets(host, passed.url):
        imaging = is_imaging(target, path, host.names) or (native and bool(native_paths([path])))
        for door in host.doors:
            asks = host.gate(path, passed, door)
            yield Way(door, path, target, asks, Service.WEB, imaging, passed.directive.start)


def _targets(host: Host, url: str) -> Sequence[Target]:
    if not url.lower().startswith("balancer://"):
        return (target_of(url),)
    name = url[len("balancer://") :].partition("/")[0]
    groups = [s for s in host.all("proxy") if s.argument.lower().rstrip("/") == f"balancer://{name}".lower()]
    members = [line for s in groups for line in effective(s.inner or []) if line.name == "balancermember"]
    found = [target_of(line.argument) for line in members[:_MOST_MEMBERS]]
    return [Target(one.host, one.port, one.path, name) for one in found] or [Target(name, None, "", name)]


def _holds(section: Directive, path: str) -> bool:
    """``Location /x`` holds for ``/x`` and what is under it, and not for ``/xy``."""
    if not section.words:
        return False
    pattern = section.arguments[-1]
    if section.name == "locationmatch" or section.argument == "~":
        return matches(pattern, path) is True
    return (
        path == pattern
        or path.startswith(pattern if pattern.endswith("/") else f"{pattern}/")
        or pattern == "/"
    )


def _holds_for_url(section: Directive, url: str) -> bool:
    pattern = section.argument
    return pattern == "*" or (pattern != "" and url.startswith(pattern.rstrip("*")))
