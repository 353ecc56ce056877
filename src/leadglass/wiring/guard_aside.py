"""What is run beside a guard: the edge of a device, and explanations of what the guard would decide."""

from __future__ import annotations

import datetime as dt
import ipaddress
import signal
from collections.abc import Callable, Sequence

from leadglass import wiring
from leadglass.access.addresses import within
from leadglass.access.admission import principal_of
from leadglass.access.explain import explain
from leadglass.access.identity import person_of
from leadglass.errors import UsageError
from leadglass.guard.dimse.asking import Asker
from leadglass.guard.dimse.knowing import Knowing
from leadglass.guard.edge import Edge
from leadglass.guard.process import ask, run_edge
from leadglass.guard.tls import client_context
from leadglass.model.access import Action, Circumstances, Kind, Node, Principal, Resource, Study
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.settings.guard import Address, Profile
from leadglass.store.guard_roll import read_roll
from leadglass.wiring.guard_setup import Site, roll_of
from leadglass.wiring.guard_world import Policies, archive_of, service
from leadglass.wiring.names import resolver

__all__ = ["edge", "explained"]


def edge(  # noqa: PLR0917  # everything a device needs to be carried
    listen: Address,
    devices: Sequence[str],
    guard: Address,
    papers: tuple[str, str, str],
    name: str | None,
    tell: Callable[[str], None],
) -> None:
    """Carry the associations of a device to ``guard``; ``papers`` are certificate, key and authority (PEM).

    ``ConfigError`` for papers that cannot be used, ``TransportError`` for a guard whose name is unknown.
    """
    certificate, key, authority = papers
    context = client_context(Profile.BCP195, authority, certificate, key)
    where = service("the guard", guard, resolver())
    run_edge(
        lambda: Edge(devices, where, context, name or guard.host, tell),
        listen,
        (signal.SIGTERM, signal.SIGINT),
        lambda port: tell(f"listening on {Address(listen.host, port)} for {', '.join(devices)}"),
    )


def explained(
    site: Site, who: str, action: Action, study: str | None, address: str | None
) -> tuple[str, ...]:
    """What the guard would decide, and why; the archive is asked about ``study``, nothing else is done.

    Without ``address``, an entry comes from where it is enrolled.
    ``UsageError`` if nobody is called ``who``, or there is no such study.
    """
    with roll_of(site) as database:
        roll = read_roll(database)
    principal, device = _principal(roll, who)
    entry = roll.enrolled.get(who)
    address = address or _usual(entry)
    outside = None if entry is None else _outside(entry, address)
    if outside is not None:
        return outside
    policy = Policies(site.settings.policy).first()
    resource: Resource = Node(site.settings.archive.titles[0])
    if study is not None:
        resource = _study(site, study, policy.attributes_read)
    moment = dt.datetime.fromtimestamp(wiring.clock().posix() // 60 * 60, tz=dt.UTC)
    reason, until = roll.emergencies.get(who, (None, 0.0))
    emergency = reason if until > wiring.clock().posix() else None
    circumstances = Circumstances(address, moment, device=device, emergency=emergency)
    return explain(policy, principal, action, resource, circumstances)


def _usual(entry: Enrolled | None) -> str:
    return "127.0.0.1" if entry is None else str(ipaddress.ip_network(entry.networks[0])[0])


def _outside(entry: Enrolled, address: str) -> tuple[str, ...] | None:
    """Why it does not even come in: what policies say does not matter then."""
    if not within(address, entry.networks):
        nets = ", ".join(entry.networks)
        return (f"denied: {entry.name} is enrolled for other networks", f"network-of-another: {nets}")
    if entry.until is not None and entry.until <= wiring.clock().posix():
        return (f"denied: the enrolment of {entry.name} has ended", "enrolment-ended")
    return None


def _principal(roll: Roll, who: str) -> tuple[Principal, str | None]:
    enrolled = roll.enrolled.get(who)
    if enrolled is not None:
        return principal_of(enrolled), who if enrolled.kind is Kind.DEVICE else None
    user = roll.users.get(who)
    if user is None:
        raise UsageError(f"nobody is called {who!r}", where="--as", then="see leadglass guard list")
    return person_of(user), None


def _study(site: Site, uid: str, needed: frozenset[str]) -> Study:
    told = site.settings.archive

    async def look() -> Study | None:
        asker = Asker(archive_of(site.settings, resolver()), told.titles[0], told.own_title)
        try:
            return await Knowing(asker, lambda: needed).study(uid)
        finally:
            asker.close()

    found = ask(look)
    if found is None:
        raise UsageError("the archive has no such study", where="--on", then="check the Study Instance UID")
    return found
