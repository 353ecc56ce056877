"""What else is wrong in an nginx file: transport, other sites' scripts, files, identities and passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from leadglass.configs.catalogue import finding
from leadglass.configs.fronts import nginx_fixes as fixes
from leadglass.configs.fronts.imaging import Target, is_imaging
from leadglass.configs.fronts.nginx_access_rules import access
from leadglass.configs.fronts.nginx_case import Case, Spot
from leadglass.configs.fronts.nginx_gates import checks, gate
from leadglass.configs.fronts.nginx_syntax import Block, Directive
from leadglass.configs.fronts.nginx_ways import Location, Server
from leadglass.configs.fronts.transport import retired, weak_ciphers
from leadglass.configs.fronts.ways import Door
from leadglass.configs.reading import Reach
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Severity

__all__ = ["findings"]

_ORIGIN = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"
_IDENTITY = re.compile(r"(x-)?(remote|forwarded|webauth|auth-request|authenticated|auth)[-_]?(user|email|groups?|name)?|x-user(name)?", re.IGNORECASE)  # fmt: skip
_OWN_LOGIN = re.compile(r"(Basic|Bearer)\s+(?!\$\{?(http|arg|cookie)_)\S", re.IGNORECASE)
"""Of the front: written here, or put in from the environment; not what the caller sent."""
_LITERAL_LOGIN = re.compile(r"(Basic|Bearer)\s+[^\s$]{4,}", re.IGNORECASE)
_CLIENT_HOST = re.compile(r"\$\{?(arg_\w+|http_\w+|cookie_\w+|host)\}?")


def findings(case: Case) -> Iterator[Finding]:
    """Every finding, in no order."""
    yield from access(case)
    yield from _plain(case)
    yield from _tls(case)
    for spot in case.spots:
        yield from _cross_origin(case, spot)
        yield from _logs_in_for_all(case, spot)
        yield from _believes_the_caller(case, spot)
        yield from _secrets(case, spot.location.block, spot)
    for server in case.servers:
        yield from _files(case, server)
        yield from _status(case, server)
        yield from _merged_slashes(case, server)


def _plain(case: Case) -> Iterator[Finding]:
    """Doors without TLS; one that is found open beside TLS is told by the rule of access."""
    told: set[int] = set()
    for server, spots in case.by_server.items():
        beside = any(door.tls for door in server.doors) or not case.names_with_tls.isdisjoint(server.names)
        for door in dict.fromkeys(way.door for spot in spots for way in spot.ways):
            if (
                door.tls
                or door.at in told
                or door.bound is Reach.LOOPBACK
                or _leaves_certificates(spots, door)
            ):
                continue
            told.add(door.at)
            yield _plain_door(case, server, door, beside=beside)


def _plain_door(case: Case, server: Server, door: Door, *, beside: bool) -> Finding:
    rule = "LG-NGINX-015" if beside else "LG-NGINX-014"
    port = f"port {door.port}" if door.port else "the server that includes this"
    says = f"{port} serves images and logins unencrypted{' beside TLS, without a redirect' if beside else ''}"
    edits = fixes.redirect(case.source, server) if beside else ()
    return finding(rule, case.source, door.at, "listen", says, listener=door.name, edits=edits)


def _leaves_certificates(spots: Sequence[Spot], door: Door) -> bool:
    """Whether the rule of access has said already that this door leaves out the certificate."""
    return any(spot.asks and any(way.door == door for way in spot.open_ways) for spot in spots)


def _tls(case: Case) -> Iterator[Finding]:
    for directive in case.all("ssl_protocols"):
        if old := retired(directive.arguments):
            says = f"TLS versions are offered that are retired: {', '.join(old)}"
            edits = fixes.reword(case.source, directive.words, "TLSv1.2 TLSv1.3")
            yield finding("LG-NGINX-016", case.source, directive.start, "ssl_protocols", says, edits=edits)
    for directive in case.all("ssl_ciphers"):
        if weak := weak_ciphers(directive.argument):
            says = f"cipher suites are offered that protect nothing or little: {', '.join(weak)}"
            yield finding("LG-NGINX-017", case.source, directive.start, "ssl_ciphers", says)


def _cross_origin(case: Case, spot: Spot) -> Iterator[Finding]:
    """Which other sites' scripts may read answers: headers of the nearest level only, or of an ``if``."""
    scope = spot.location.scope
    level = scope.level("add_header")
    blocks = [level] if level else []
    blocks += [
        d.block for d in spot.location.block.all("if") if d.block is not None and not _lists_origins(d)
    ]
    for block in blocks:
        headers = {d.argument.lower(): d for d in block.all("add_header") if len(d.words) > 1}
        origin = headers.get(_ORIGIN)
        if origin is not None:
            credentials = headers.get(_CREDENTIALS)
            with_login = credentials is not None and credentials.arguments[1].lower() == "true"
            yield from _origin(case, spot, origin, with_login=with_login)


def _origin(case: Case, spot: Spot, header: Directive, *, with_login: bool) -> Iterator[Finding]:
    value = header.arguments[1]
    if value == "*":
        says = "scripts of every web site that a person inside visits may read the answers"
        rule = "LG-NGINX-018"
    elif value in {"$http_origin", "${http_origin}"}:
        says = "every site that asks is named as permitted" + (
            ", with the visitor's login" if with_login else ""
        )
        rule = "LG-NGINX-019"
    else:
        return
    severity = Severity.HIGH if with_login and rule == "LG-NGINX-019" else Severity.MEDIUM
    yield finding(
        rule, case.source, header.start, "add_header", says, listener=spot.listener, severity=severity
    )


def _lists_origins(condition: Directive) -> bool:
    """``if ($http_origin ~ list)``: only those in the list get the header."""
    return any("http_origin" in word for word in condition.arguments) and len(condition.words) > 1


def _logs_in_for_all(case: Case, spot: Spot) -> Iterator[Finding]:
    """The archive's password in the front: who passes the front is in."""
    level = spot.location.scope.level("proxy_set_header")
    for header in level.all("proxy_set_header") if level else ():
        if header.argument.lower() != "authorization" or len(header.words) < 2:
            continue
        values = case.site.expanded(header.arguments[1], spot.location.scope)
        if spot.open_ways and any(_OWN_LOGIN.match(value) for value in values):
            says = "the front logs in at the archive for everybody"
            yield finding(
                "LG-NGINX-020", case.source, header.start, header.name, says, listener=spot.listener
            )
        elif any(_LITERAL_LOGIN.match(value) for value in values):
            says = "the archive's password stands in this file"
            yield finding("LG-NGINX-021", case.source, header.start, header.name, says)


def _believes_the_caller(case: Case, spot: Spot) -> Iterator[Finding]:
    """Names and addresses that the caller himself has written, passed on as if they were known."""
    level = spot.location.scope.level("proxy_set_header")
    for header in level.all("proxy_set_header") if level else ():
        own = f"$http_{header.argument.lower().replace('-', '_')}"
        if len(header.words) > 1 and header.arguments[1] == own and _IDENTITY.fullmatch(header.argument[:60]):
            says = f"{header.argument} is passed on as the caller wrote it: whoever he says he is"
            yield finding(
                "LG-NGINX-022", case.source, header.start, header.name, says, listener=spot.listener
            )
    if any(_CLIENT_HOST.fullmatch(way.target.host) for way in spot.ways):
        says = "the caller chooses which server he is passed on to"
        at = spot.directive
        yield finding("LG-NGINX-023", case.source, at.start, at.name, says, listener=spot.listener)


def _secrets(case: Case, block: Block, spot: Spot) -> Iterator[Finding]:
    for check in checks(block, case.site):
        if check.holds_secret:
            says = f"the value of ${check.variable} that lets a caller in stands in this file"
            yield finding(
                "LG-NGINX-021", case.source, check.directive.start, "if", says, listener=spot.listener
            )


def _files(case: Case, server: Server) -> Iterator[Finding]:
    for location in server.locations:
        yield from _traversed(case, location)
        yield from _listed(case, server, location)
    if (listing := server.block.last("autoindex")) is not None and listing.argument == "on":
        yield _listing(case, listing, server.block.last("root"))


def _traversed(case: Case, location: Location) -> Iterator[Finding]:
    """``/x`` that stands for ``/data/``: ``/x../`` is then ``/data/../``."""
    if location.path.endswith("/") or location.modifier not in {"", "^~"}:
        return
    for directive in location.block.all("alias", "proxy_pass"):
        passed = directive.argument.partition("://")[2].partition("/")[2]
        beyond = directive.argument if directive.name == "alias" else passed
        if beyond.endswith("/") and "$" not in beyond:
            edits = fixes.slash(case.source, location)
            says = f"location {location.path} without a slash, {directive.name} with one: {location.path}../ leaves it"
            yield finding("LG-NGINX-024", case.source, directive.start, directive.name, says, edits=edits)


def _listed(case: Case, server: Server, location: Location) -> Iterator[Finding]:
    listing = location.block.last("autoindex")
    if listing is None or listing.argument != "on":
        return
    asks = gate(location.scope, server.block, location.block, case.site, tls=True, granting=server.granting)
    if not asks:
        root = location.block.last("alias") or location.scope.nearest("root")
        yield _listing(case, listing, root, location.path)


def _listing(case: Case, listing: Directive, root: Directive | None, path: str = "/") -> Finding:
    folder = root.argument if root else ""
    images = is_imaging(Target("", None), f"{path} {folder}")
    says = f"every file of {folder or 'the folder'} is listed to whoever asks"
    edits: tuple[Edit, ...] = fixes.reword(case.source, listing.words, "off")
    severity = Severity.HIGH if images else Severity.LOW
    return finding(
        "LG-NGINX-025", case.source, listing.start, "autoindex", says, edits=edits, severity=severity
    )


def _status(case: Case, server: Server) -> Iterator[Finding]:
    for location in server.locations:
        page = location.block.last("stub_status")
        if page is None or location.block.all("internal"):
            continue
        asks = gate(
            location.scope, server.block, location.block, case.site, tls=True, granting=server.granting
        )
        bound = {door.bound for door in server.doors}
        if not asks and bound != {Reach.LOOPBACK}:
            says = f"{location.path} tells everybody how busy the front is"
            yield finding("LG-NGINX-026", case.source, page.start, "stub_status", says)


def _merged_slashes(case: Case, server: Server) -> Iterator[Finding]:
    """``//dicom-web`` is then no ``/dicom-web``, and falls to the location around it."""
    kept = server.scope.nearest("merge_slashes")
    if kept is None or kept.argument != "off":
        return
    spots = case.by_server.get(server, ())
    falls = any(spot.location.path == "/" and spot.open_ways for spot in spots)
    asks = any(spot.location.path != "/" and spot.asks for spot in spots)
    if falls and asks:
        says = "with merge_slashes off a path with two slashes passes by the location that asks"
        edits = fixes.reword(case.source, kept.words, "on")
        yield finding("LG-NGINX-027", case.source, kept.start, "merge_slashes", says, edits=edits)
