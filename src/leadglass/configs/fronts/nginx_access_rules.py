"""What is wrong with who is let through to an imaging server: paths left open, and checks that check nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from leadglass.configs.catalogue import finding
from leadglass.configs.fronts import nginx_fixes as fixes
from leadglass.configs.fronts.nginx_case import Case, Spot
from leadglass.configs.fronts.nginx_gates import LOGINS, Check, checks, forges_addresses, unfiled
from leadglass.configs.fronts.nginx_scopes import Scope, Site
from leadglass.configs.fronts.nginx_syntax import Block, Directive
from leadglass.configs.fronts.nginx_ways import Location
from leadglass.model.finding import Edit, Finding, Place

__all__ = ["access"]

_Rule: TypeAlias = Callable[[Case, Spot], Finding | None]


def access(case: Case) -> Iterator[Finding]:
    """For each location that lets a stranger through the finding that says best why; one that several share is told once."""
    told: dict[tuple[str, Place], Finding] = {}
    for spot in case.spots:
        if spot.open_ways:
            found = next(found for rule in _RULES if (found := rule(case, spot)) is not None)
            told.setdefault((found.rule, found.place), found)
    yield from told.values()
    for spot in case.streams:
        yield from _stream(case, spot)


def _unfiled(case: Case, spot: Spot) -> Finding | None:
    basic = unfiled(spot.location.scope)
    if basic is None:
        return None
    files = {case.source.text[d.start : d.end] for d in case.all("auth_basic_user_file")}
    edits = (case.source.edit(basic.end, basic.end, f" {files.pop()}"),) if len(files) == 1 else ()
    says = f"{_where(spot)} has auth_basic without auth_basic_user_file: nginx then asks nobody"
    return _found(case, spot, "LG-NGINX-004", basic, says, edits=edits)


def _granted(case: Case, spot: Spot) -> Finding | None:
    request = spot.location.scope.nearest("auth_request")
    if request is None or request.argument not in spot.server.granting:
        return None
    says = f"{_where(spot)} asks {request.argument}, which grants every request"
    return _found(case, spot, "LG-NGINX-005", request, says)


def _checked_in_vain(case: Case, spot: Spot) -> Finding | None:
    for block in (spot.location.block, spot.server.block):
        for check in case.site.once(_checks, block):
            if check.vain:
                says = f"{_where(spot)} is guarded by ${check.variable} alone, which every caller can write"
                return _found(case, spot, "LG-NGINX-006", check.directive, says)
    return None


def _checks(site: Site, block: Block) -> Sequence[Check]:
    return checks(block, site)


def _switched_off(case: Case, spot: Spot) -> Finding | None:
    own = spot.location.block
    for name in LOGINS:
        off = own.last(name)
        outer = Scope(spot.location.scope.blocks[:-1]).nearest(name)
        if name == "auth_basic" and spot.location.scope.nearest("auth_basic_user_file") is None:
            continue
        if off is not None and off.argument == "off" and outer is not None and outer.argument != "off":
            says = f"{_where(spot)} switches off the {name} that holds around it"
            return _found(case, spot, "LG-NGINX-003", off, says, edits=fixes.remove(case.source, off))
    return None


def _writing_only(case: Case, spot: Spot) -> Finding | None:
    for limit in spot.location.block.all("limit_except"):
        if limit.block is not None and limit.block.all(*LOGINS, "deny"):
            methods = " ".join(limit.arguments)
            says = f"{_where(spot)} asks callers only for methods other than {methods}: reading is open"
            edits = fixes.move_out(case.source, spot.location, limit.block) or _as_beside(case, spot)
            return _found(case, spot, "LG-NGINX-007", limit, says, edits=edits)
    return None


def _optional_certificate(case: Case, spot: Spot) -> Finding | None:
    scope = spot.location.scope
    verify = scope.nearest("ssl_verify_client")
    if verify is None or not verify.argument.startswith("optional"):
        return None
    says = f"ssl_verify_client {verify.argument} lets callers without a certificate through to {_path(spot)}"
    return _found(
        case, spot, "LG-NGINX-008", verify, says, edits=fixes.require_certificate(case.source, scope)
    )


def _forged_address(case: Case, spot: Spot) -> Finding | None:
    trusts = forges_addresses(spot.location.scope)
    if trusts is None or spot.location.scope.level("allow", "deny") is None:
        return None
    says = f"{_where(spot)} allows by address, and set_real_ip_from {trusts.argument} lets every caller choose his"
    return _found(case, spot, "LG-NGINX-009", trusts, says)


def _plain_door(case: Case, spot: Spot) -> Finding | None:
    """The same location asks for a certificate over TLS, and has a door where there is none to show."""
    doors = {way.door for way in spot.open_ways}
    if not spot.asks or any(door.tls for door in doors):
        return None
    door = min(doors, key=lambda door: door.at)
    says = f"port {door.port} leads without TLS, and without the certificate asked for beside it, to {_path(spot)}"
    edits = fixes.redirect(case.source, spot.server)
    return finding("LG-NGINX-010", case.source, door.at, "listen", says, listener=door.name, edits=edits)


def _beside_protected(case: Case, spot: Spot) -> Finding | None:
    asking = _asking_beside(case, spot)
    if asking is None:
        return None
    says = f"{_where(spot)} asks nobody, and {asking.path} beside it does"
    edits = _as_beside(case, spot)
    return _found(case, spot, "LG-NGINX-002", spot.location.directive or spot.directive, says, edits=edits)


def _nothing_asked(case: Case, spot: Spot) -> Finding:
    says = f"{_where(spot)} lets everybody through to {_target(spot)}"
    return _found(case, spot, "LG-NGINX-001", spot.location.directive or spot.directive, says)


_RULES: Sequence[_Rule] = (
    _plain_door,
    _unfiled,
    _granted,
    _forged_address,
    _switched_off,
    _writing_only,
    _checked_in_vain,
    _optional_certificate,
    _beside_protected,
    _nothing_asked,
)
"""The most telling first; the last one always says something."""


def _stream(case: Case, spot: Spot) -> Iterator[Finding]:
    """DICOM itself: who may associate, and whether it is encrypted."""
    doors = {way.door for way in spot.ways}
    verify = spot.server.scope.nearest("ssl_verify_client")
    if spot.open_ways and all(door.tls for door in doors):
        optional = verify is not None and verify.argument.startswith("optional")
        says = f"TLS without a required client certificate leads everybody to DICOM at {_target(spot)}"
        edits = fixes.require_certificate(case.source, spot.server.scope) if optional else ()
        at = verify if optional and verify else spot.directive
        yield _found(case, spot, "LG-NGINX-012", at, says, edits=edits)
    elif spot.open_ways:
        says = f"everybody who reaches the port associates with {_target(spot)}"
        yield _found(case, spot, "LG-NGINX-011", spot.directive, says)
    elif not all(door.tls for door in doors):
        says = f"DICOM passes unencrypted to {_target(spot)}"
        yield _found(case, spot, "LG-NGINX-013", spot.directive, says)


def _as_beside(case: Case, spot: Spot) -> tuple[Edit, ...]:
    asking = _asking_beside(case, spot)
    return fixes.ask_as(case.source, asking, spot.location) if asking else ()


def _asking_beside(case: Case, spot: Spot) -> Location | None:
    """A location of the same server that asks: one of the archive's, or of anything else."""
    asking = case.asking[spot.server]
    return next((location for location in asking if location.block is not spot.location.block), None)


def _found(
    case: Case, spot: Spot, rule: str, at: Directive, says: str, *, edits: tuple[Edit, ...] = ()
) -> Finding:
    """At the directive that is wrong."""
    return finding(rule, case.source, at.start, at.name, says, listener=spot.listener, edits=edits)


def _where(spot: Spot) -> str:
    return f"location {_path(spot)}"


def _path(spot: Spot) -> str:
    return f"{spot.location.modifier} {spot.location.path}".strip()


def _target(spot: Spot) -> str:
    target = spot.ways[0].target
    return f"{target.host}:{target.port}" if target.port else target.host
