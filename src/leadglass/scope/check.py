"""The scope of a quick look at one's own server: no file, so no more than needs none.

Loopback goes as deep as a blank query. A private network is somebody's, so it is asked for no more
than an association unless whoever calls says by whose word. A public address needs a scope file.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator, Mapping, Sequence

from leadglass.errors import UsageError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.ports import HostPorts
from leadglass.scope.rules import Authorisation, Basis, Identity, Limits, Target
from leadglass.scope.scope import Scope
from leadglass.scope.special import Address, Kind, Network, kind_of
from leadglass.settings.titles import ae_title

__all__ = ["scope_for_check"]

_ADVICE = "write a scope (leadglass scope new) and call check or scan with --scope FILE"

_CALLER = "whoever runs leadglass check at this address"
"""The contact of a scope that nobody wrote: it is told to web servers, so it names no person."""


def scope_for_check(
    targets: Sequence[HostPorts],
    resolved: Mapping[str, tuple[str, ...]],
    *,
    authorised_by: str | None = None,
    called_ae: str | None = None,
    calling_ae: str = "LEADGLASS",
    moment: float,
) -> Scope:
    """The scope for ``targets``, whose names have the addresses in ``resolved``; it stands for a day.

    ``UsageError`` for a public address, for an address that is no host, and for a badly written
    ``authorised_by`` ("NAME, REFERENCE") or title.
    """
    authorisation = _authorisation(authorised_by, moment)
    called = _title(called_ae, "--called-ae") if called_ae is not None else None
    rules = [
        Target(range_, t.ports, depth, called, t.host)
        for t in targets
        for range_, depth in _ranges(t, resolved, authorised_by)
    ]
    return Scope(
        name="check of " + ", ".join(dict.fromkeys(t.host for t in targets)),
        authorisation=authorisation,
        limits=Limits(deepest=Rung.BLANK_QUERY),
        position=Position.UNKNOWN,
        identity=Identity(calling_ae=_title(calling_ae, "--calling-ae")),
        rules=tuple(rules),
        pins=tuple(resolved.items()),
    )


def _ranges(
    target: HostPorts, resolved: Mapping[str, tuple[str, ...]], authorised_by: str | None
) -> Iterator[tuple[Network | str, Rung]]:
    """The addresses, each with its depth; and the name that they stand for, so that it is known."""
    depths = {a: _depth(target.host, a, authorised_by) for a in _addresses(target, resolved)}
    yield from ((ipaddress.ip_network(address), depth) for address, depth in depths.items())
    if target.is_name:
        yield target.host, min(depths.values())


def _addresses(target: HostPorts, resolved: Mapping[str, tuple[str, ...]]) -> list[Address]:
    answers = resolved.get(target.host, ()) if target.is_name else (target.host,)
    if not answers:
        raise UsageError("the name has no address", where=target.host, then="check its spelling")
    return [ipaddress.ip_address(answer) for answer in answers]


def _depth(host: str, address: Address, authorised_by: str | None) -> Rung:
    kind = kind_of(address)
    where = host if host == str(address) else f"{host} ({address})"
    if kind is Kind.NEVER:
        raise UsageError("this is not the address of a host", where=where)
    if kind in (Kind.PUBLIC, Kind.SHARED):
        place = "on the Internet" if kind is Kind.PUBLIC else kind.value
        raise UsageError(f"an address {place} is only looked at under a scope", where=where, then=_ADVICE)
    if kind is Kind.LOOPBACK or authorised_by is not None:
        return Rung.BLANK_QUERY
    return Rung.ASSOCIATE


def _authorisation(authorised_by: str | None, moment: float) -> Authorisation:
    today = dt.datetime.fromtimestamp(moment, dt.UTC).date()
    until = today + dt.timedelta(days=1)
    if authorised_by is None:
        return Authorisation(Basis.OWNER, _CALLER, _CALLER, None, until)
    name, _, reference = (part.strip() for part in authorised_by.rpartition(","))
    if not name or not reference or not authorised_by.isprintable():
        raise UsageError(
            f"--authorised-by {authorised_by!r} does not say who allowed it, and where that is written",
            then='write --authorised-by "NAME, REFERENCE"',
        )
    return Authorisation(Basis.OWNER, name, _CALLER, reference, until)


def _title(title: str, option: str) -> str:
    try:
        return ae_title(title)
    except ValueError as exc:
        raise UsageError(str(exc), where=option) from exc
