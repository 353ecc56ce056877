"""What is wrong in an Apache httpd's file that stands before an imaging server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from leadglass.configs.catalogue import finding
from leadglass.configs.fronts import apache_fixes as fixes
from leadglass.configs.fronts.apache_case import Case, Host, Spot
from leadglass.configs.fronts.apache_gates import asked, by_require, gate, holds_for_get
from leadglass.configs.fronts.apache_syntax import Directive, effective
from leadglass.configs.fronts.imaging import Target, is_imaging
from leadglass.configs.fronts.needs import Need
from leadglass.configs.fronts.transport import retired, weak_ciphers
from leadglass.configs.fronts.ways import Door
from leadglass.configs.reading import Reach
from leadglass.model.finding import Edit, Finding, Place
from leadglass.model.verdict import Severity

__all__ = ["findings"]

_Rule: TypeAlias = Callable[[Case, Spot], Finding | None]
_ORIGINS = re.compile(r"%\{(HTTP_ORIGIN|ORIGIN|CORS_ORIGIN)\}[es]|\$\{?http_origin", re.IGNORECASE)
_LITERAL_LOGIN = re.compile(r"(Basic|Bearer)\s+[^\s%$]{4,}", re.IGNORECASE)


def findings(case: Case) -> Iterator[Finding]:
    """Every finding, in no order."""
    told: dict[tuple[str, Place, str], Finding] = {}
    for spot in case.spots:
        if spot.open_ways:
            found = next(found for rule in _RULES if (found := rule(case, spot)) is not None)
            told.setdefault((found.rule, found.place, found.option), found)
    yield from told.values()
    yield from _plain(case)
    yield from _tls(case)
    yield from _headers(case)
    yield from _elsewhere(case)


def _satisfied_by_address(case: Case, spot: Spot) -> Finding | None:
    for section in reversed(spot.host.around(spot.path)):
        lines = list(effective(section.inner or []))
        satisfy = next((line for line in lines if line.name == "satisfy"), None)
        if satisfy is not None and satisfy.argument.lower() == "any" and by_require(lines):
            says = f"{spot.path} takes an address or a login, and every address is allowed"
            return _found(
                case, spot, "LG-APACHE-004", satisfy, says, edits=fixes.reword(case, satisfy, "All")
            )
    return None


def _reading_left_out(case: Case, spot: Spot) -> Finding | None:
    for section in reversed(spot.host.around(spot.path)):
        for limit in effective(section.inner or []):
            inner = limit.inner or [] if limit.name in {"limit", "limitexcept"} else []
            if by_require(inner) and not holds_for_get(limit):
                says = f"{spot.path} asks callers for some methods only: reading is open"
                edits = fixes.move_out(case, section, limit)
                return _found(case, spot, "LG-APACHE-013", limit, says, edits=edits)
    return None


def _optional_certificate(case: Case, spot: Spot) -> Finding | None:
    lines = [*spot.host.all("sslverifyclient")]
    lines += [
        line for s in spot.host.around(spot.path) for line in s.inner or [] if line.name == "sslverifyclient"
    ]
    if not lines or not lines[-1].argument.lower().startswith("optional"):
        return None
    says = f"SSLVerifyClient {lines[-1].argument} lets callers without a certificate through to {spot.path}"
    named = spot.host.all("sslcacertificatefile", "sslcacertificatepath")
    edits = fixes.reword(case, lines[-1], "require") if named else ()
    return _found(case, spot, "LG-APACHE-005", lines[-1], says, edits=edits)


def _plain_host(case: Case, spot: Spot) -> Finding | None:
    """The same name asks for a certificate over TLS, and here there is none to show."""
    door = spot.open_ways[0].door
    certified = {n for host in case.hosts if host.says("sslverifyclient") == "require" for n in host.names}
    if door.tls or certified.isdisjoint(spot.host.names):
        return None
    says = (
        f"port {door.port} leads without TLS, and without the certificate asked for beside it, to {spot.path}"
    )
    return _found(case, spot, "LG-APACHE-018", spot.host.section or spot.passed.directive, says)


def _opened_again(case: Case, spot: Spot) -> Finding | None:
    """A section that grants everything inside of one that asks."""
    around = spot.host.around(spot.path)
    for section in reversed(around):
        granted = next((line for line in section.inner or [] if _grants(line)), None)
        if granted is not None and any(
            by_require(effective(s.inner or [])) for s in around if s is not section
        ):
            says = f"{spot.path} grants to everybody what is asked for around it"
            return _found(case, spot, "LG-APACHE-002", granted, says, edits=fixes.remove(case, granted))
    return None


def _beside_protected(case: Case, spot: Spot) -> Finding | None:
    asking = next(
        (s for s in spot.host.locations if by_require(effective(s.inner or [])) and s.name == "location"),
        None,
    )
    if asking is None:
        return None
    says = f"{spot.path} asks nobody, and {asking.argument} beside it does"
    edits = fixes.ask_as(case, asking, spot)
    return _found(case, spot, "LG-APACHE-002", spot.passed.directive, says, edits=edits)


def _guarded_by_directory(case: Case, spot: Spot) -> Finding | None:
    for section in spot.host.all("directory", "directorymatch"):
        lines = list(effective(section.inner or []))
        if any(line.name == "authtype" for line in lines) and by_require(lines):
            says = f"the login of Directory {section.argument} is never asked for {spot.path}, which is passed on"
            return _found(case, spot, "LG-APACHE-003", section, says)
    return None


def _nothing_asked(case: Case, spot: Spot) -> Finding:
    target = spot.ways[0].target
    says = f"{spot.path} lets everybody through to {target.host}{f':{target.port}' if target.port else ''}"
    return _found(case, spot, "LG-APACHE-001", spot.passed.directive, says)


_RULES: Sequence[_Rule] = (
    _satisfied_by_address,
    _reading_left_out,
    _opened_again,
    _optional_certificate,
    _plain_host,
    _beside_protected,
    _guarded_by_directory,
    _nothing_asked,
)
"""The most telling first; the last one always says something."""


def _plain(case: Case) -> Iterator[Finding]:
    with_tls = {n for s in case.spots if any(w.door.tls for w in s.ways) for n in s.host.names}
    doors: dict[Door, Host] = {way.door: spot.host for spot in case.spots for way in spot.ways}
    for door, host in doors.items():
        if door.tls or door.bound is Reach.LOOPBACK:
            continue
        beside = not with_tls.isdisjoint(host.names)
        says = f"{f'port {door.port}' if door.port else 'the host that includes this'} serves images and logins unencrypted"
        rule = "LG-APACHE-007" if beside else "LG-APACHE-006"
        yield finding(rule, case.source, door.at, "VirtualHost", says, listener=door.name)


def _tls(case: Case) -> Iterator[Finding]:
    for line in case.all("sslprotocol"):
        if old := _versions(line.arguments):
            says = f"TLS versions are offered that are retired: {', '.join(old)}"
            edits = fixes.reword(case, line, "-all +TLSv1.2 +TLSv1.3")
            yield finding("LG-APACHE-008", case.source, line.start, "SSLProtocol", says, edits=edits)
    for line in case.all("sslciphersuite"):
        if line.words and (weak := weak_ciphers(line.arguments[-1])):
            says = f"cipher suites are offered that protect nothing or little: {', '.join(weak)}"
            yield finding("LG-APACHE-009", case.source, line.start, "SSLCipherSuite", says)


def _versions(words: Sequence[str]) -> tuple[str, ...]:
    """The retired versions that are left; ``all`` has TLS 1.0 and 1.1 in it, and no SSL any more."""
    on: set[str] = set()
    for word in words:
        name = word.lstrip("+-").lower()
        names = {"tlsv1", "tlsv1.1"} if name == "all" else {name}
        on = on - names if word.startswith("-") else on | names
    return retired(sorted(on))


def _headers(case: Case) -> Iterator[Finding]:
    if not case.spots:
        return
    listener = case.spots[0].listener
    opened = any(spot.open_ways for spot in case.spots)
    for line in case.all("header"):
        words = [word for word in line.arguments if word.lower() not in {"always", "onsuccess"}]
        if len(words) > 2 and words[1].lower() == "access-control-allow-origin":
            yield from _origin(case, line, words[2], listener)
    for line in case.all("requestheader"):
        words = list(line.arguments)
        if len(words) > 2 and words[1].lower() == "authorization" and _LITERAL_LOGIN.search(words[2]):
            rule = "LG-APACHE-015" if opened else "LG-APACHE-016"
            says = "the archive's password stands in this file" + (", and nobody is asked" if opened else "")
            yield finding(rule, case.source, line.start, "RequestHeader", says, listener=listener)


def _origin(case: Case, line: Directive, value: str, listener: str) -> Iterator[Finding]:
    if value == "*":
        says = "scripts of every web site that a person inside visits may read the answers"
        yield finding("LG-APACHE-010", case.source, line.start, "Header", says, listener=listener)
    elif _ORIGINS.search(value) and not any("origin" in w.lower() for w in line.arguments[3:]):
        says = "every site that asks is named as permitted"
        yield finding("LG-APACHE-011", case.source, line.start, "Header", says, listener=listener)


def _elsewhere(case: Case) -> Iterator[Finding]:
    for line in case.all("proxyrequests"):
        if line.argument.lower() == "on":
            says = "callers may have any server asked through this one"
            edits = fixes.reword(case, line, "Off")
            yield finding("LG-APACHE-012", case.source, line.start, "ProxyRequests", says, edits=edits)
    for section in case.all("location"):
        lines = list(effective(section.inner or []))
        status = next((s for s in lines if s.name == "sethandler" and s.argument == "server-status"), None)
        if status is not None and not by_require(lines):
            says = f"{section.argument} tells everybody what is asked for"
            yield finding("LG-APACHE-014", case.source, status.start, "SetHandler", says)
    for section in case.all("directory"):
        yield from _listing(case, section)


def _listing(case: Case, section: Directive) -> Iterator[Finding]:
    lines = list(effective(section.inner or []))
    for line in lines:
        on = line.name == "options" and {"indexes", "+indexes"} & {w.lower() for w in line.arguments}
        if on and not by_require(lines) and is_imaging(Target("", None), section.argument):
            says = f"every file of {section.argument} is listed to whoever asks"
            yield finding("LG-APACHE-017", case.source, line.start, "Options", says, severity=Severity.HIGH)


def _asks(section: Directive) -> bool:
    """Whether a section alone keeps strangers out by a login."""
    return section.name == "location" and Need.LOGIN in gate([asked(section.inner or [])], "", tls=False)


def _grants(line: Directive) -> bool:
    return line.name == "require" and tuple(map(str.lower, line.arguments)) == ("all", "granted")


def _found(
    case: Case, spot: Spot, rule: str, at: Directive, says: str, *, edits: tuple[Edit, ...] = ()
) -> Finding:
    name = case.source.text[at.start : at.end].lstrip("<").split(None, 1)[0].rstrip(">")
    return finding(rule, case.source, at.start, name, says, listener=spot.listener, edits=edits)
