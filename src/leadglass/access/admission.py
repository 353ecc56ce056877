"""Who is at the other end of a connection, by certificate, title and network, or why nobody who may be.

A certificate claims only the titles of the one it was issued to, from the networks of that one only,
until its time is over. A title by itself proves nothing, so it is enough only for those who are
enrolled for the plain listener, from their own networks.

Whoever has not shown a valid certificate learns nothing from the answer: an unknown title and a known
one from elsewhere are refused alike. What really was the matter is in ``Refusal.rule``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from leadglass.access.addresses import within
from leadglass.model.access import Principal
from leadglass.model.enrolment import Enrolled, Roll
from leadglass.settings.titles import ae_title

__all__ = ["Peer", "Refusal", "admit", "admit_web", "at_device", "principal_of"]


@dataclass(frozen=True, slots=True)
class Peer:
    """What the connection itself says of the other end."""

    address: str
    certificate: str | None
    """SHA-256 of the verified client certificate, in hexadecimal."""
    tls: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why somebody is not let in, and how an A-ASSOCIATE-RJ says it (PS3.8 9.3.4)."""

    reason: str
    """One line for the audit and the log. Of what the peer sent it holds at most a well-formed title."""
    result: int
    source: int
    diagnostic: int
    rule: str
    """The stable name of the rule, e.g. ``certificate-revoked``."""


_CALLING = (1, 1, 3)
"""Rejected permanently by the service user: calling AE title not recognised."""
_CALLED = (1, 1, 7)
"""... called AE title not recognised."""
_NO_REASON = (1, 2, 1)
"""Rejected permanently by the service provider (ACSE): no reason given."""


def admit(  # noqa: PLR0917  # two titles, who sent them, and what they are held against
    calling: str, called: str, peer: Peer, roll: Roll, called_titles: frozenset[str], now: float
) -> Enrolled | Refusal:
    """Who asks for an association, under the titles of its A-ASSOCIATE-RQ; ``now`` is POSIX seconds.

    Leading and trailing spaces of a title do not count (PS3.5 6.2, AE); everything else does.
    """
    who = _caller(calling, peer, roll, now)
    if isinstance(who, Refusal):
        return who
    title = _title(called)
    if title is None:
        return Refusal("the called title is not a valid AE title", *_CALLED, "called-title-malformed")
    if title not in called_titles:
        return Refusal(f"there is no archive called {title}", *_CALLED, "called-title-unknown")
    return who


def admit_web(peer: Peer, roll: Roll, now: float) -> Enrolled | Refusal:
    """Who sends a web request, by its certificate alone."""
    found = _certified(peer, roll)
    if isinstance(found, Refusal):
        return found
    return _in_time(_from_there(found, peer), now)


def principal_of(enrolled: Enrolled) -> Principal:
    """The principal that an enrolled device, service or workstation is."""
    return Principal(
        enrolled.kind,
        enrolled.name,
        roles=frozenset(enrolled.roles),
        titles=frozenset(enrolled.titles),
        institutions=frozenset(enrolled.institutions),
        modalities=frozenset(enrolled.modalities),
        labels=frozenset(enrolled.labels),
    )


def at_device(person: Principal, enrolled: Enrolled) -> Principal:
    """A person who asks through something enrolled: it lends its titles and modalities, and nothing else."""
    titles, modalities = frozenset(enrolled.titles), frozenset(enrolled.modalities)
    return replace(person, titles=titles, modalities=modalities)


# ---- one question after the other


def _caller(calling: str, peer: Peer, roll: Roll, now: float) -> Enrolled | Refusal:
    title = _title(calling)
    if title is None:
        return Refusal("the calling title is not a valid AE title", *_CALLING, "calling-title-malformed")
    if peer.tls:
        found = _certified(peer, roll)
        return found if isinstance(found, Refusal) else _in_time(_claimed(title, found, peer), now)
    if peer.certificate is not None:
        return Refusal("a certificate without TLS proves nothing", *_NO_REASON, "certificate-without-tls")
    return _in_time(_plain(title, peer, roll), now)


def _title(text: str) -> str | None:
    try:
        return ae_title(text)
    except ValueError:
        return None


def _certified(peer: Peer, roll: Roll) -> Sequence[Enrolled] | Refusal:
    """Whose certificate this is."""
    if not peer.tls or peer.certificate is None:
        return Refusal("no client certificate was shown", *_NO_REASON, "certificate-missing")
    if peer.certificate in roll.revoked:
        return Refusal("the client certificate was revoked", *_NO_REASON, "certificate-revoked")
    found = [each for each in roll.enrolled.values() if peer.certificate in each.certificates]
    if not found:
        return Refusal("nobody is enrolled with this certificate", *_NO_REASON, "certificate-unknown")
    return found


def _claimed(title: str, found: Sequence[Enrolled], peer: Peer) -> Sequence[Enrolled] | Refusal:
    """Of those with the certificate, whoever may use the title from there."""
    own = [each for each in found if title in each.titles]
    if not own:
        return Refusal(
            f"the certificate of {_names(found)} does not cover the title {title}",
            *_CALLING,
            "title-of-another",
        )
    return _from_there(own, peer)


def _from_there(found: Sequence[Enrolled], peer: Peer) -> Sequence[Enrolled] | Refusal:
    near = [each for each in found if within(peer.address, each.networks)]
    if not near:
        reason = f"{_names(found)} is enrolled for other networks"
        return Refusal(reason, *_NO_REASON, "network-of-another")
    return near


def _plain(title: str, peer: Peer, roll: Roll) -> Sequence[Enrolled] | Refusal:
    """Who may use the title without a certificate, from there."""
    named = [each for each in roll.enrolled.values() if each.plain and title in each.titles]
    if not named:
        reason = f"nobody is enrolled to use the title {title} without TLS"
        return Refusal(reason, *_CALLING, "title-unknown")
    near = _from_there(named, peer)
    # The same triple as for an unknown title, so that titles cannot be found out from elsewhere.
    return Refusal(near.reason, *_CALLING, near.rule) if isinstance(near, Refusal) else near


def _in_time(found: Sequence[Enrolled] | Refusal, now: float) -> Enrolled | Refusal:
    """The one who is left, if its time is not over."""
    if isinstance(found, Refusal):
        return found
    current = [each for each in found if each.until is None or now < each.until]
    if not current:
        return Refusal(f"the enrolment of {_names(found)} has ended", *_NO_REASON, "enrolment-ended")
    if len(current) > 1:
        return Refusal(f"it cannot be told which of {_names(current)} this is", *_NO_REASON, "ambiguous")
    return current[0]


def _names(found: Iterable[Enrolled]) -> str:
    return ", ".join(each.name for each in found)
