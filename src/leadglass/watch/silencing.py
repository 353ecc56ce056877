"""Which alerts stand under a silence, and which silences follow risks that somebody has accepted."""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
from collections.abc import Iterable, Iterator, Sequence

from leadglass.model.alert import Alert, AlertKind, AlertState, Silence
from leadglass.model.register import Risk, Treatment
from leadglass.model.verdict import Access

__all__ = ["bound_to", "following", "is_covered", "silenced"]

_OPENINGS = (AlertKind.NEW_SERVER, AlertKind.NEWLY_OPEN, AlertKind.CONTROL_LOST)
_ALWAYS_HEARD = frozenset({AlertKind.ENDED, AlertKind.NOT_SCANNED, AlertKind.FIXED})
"""Heard unless a silence names the kind: that nobody looks is no risk that one accepts with a server."""


def silenced(alert: Alert, silences: Iterable[Silence], today: dt.date) -> Alert:
    """The alert, silent if one of ``silences`` covers it."""
    if any(is_covered(alert, silence, today) for silence in silences):
        return dataclasses.replace(alert, state=AlertState.SILENT)
    return alert


def is_covered(alert: Alert, silence: Silence, today: dt.date) -> bool:
    """Whether ``silence`` is about this, and still holds."""
    return (
        today <= silence.until
        and (alert.kind in silence.kinds if silence.kinds else alert.kind not in _ALWAYS_HEARD)
        and (silence.system is None or silence.system == alert.system)
        and (silence.address is None or _is_within(alert, silence.address))
        and (silence.port is None or (alert.endpoint is not None and alert.endpoint.port == silence.port))
        and not _is_worse(alert, silence)
    )


def following(risks: Iterable[Risk]) -> Iterator[Silence]:
    """What accepted risks silence: a stranger's access to one port of one system, no worse than was accepted.

    Only risks that are called as the register drafts them (system, port, access) say so much; another one is
    followed by a silence that names it.
    """
    for risk in risks:
        accepted = _accepted(risk)
        if accepted is None or risk.treatment is not Treatment.ACCEPT or risk.until is None:
            continue
        yield Silence(
            id=f"risk {risk.name}",
            owner=risk.owner,
            reason=risk.measure or risk.vulnerability,
            until=risk.until,
            kinds=_OPENINGS,
            port=accepted[0],
            system=risk.system,
            risk=risk.name,
        )


def bound_to(silences: Sequence[Silence], risks: Iterable[Risk]) -> Iterator[Silence]:
    """Those that hold: one that names a risk ends with it, at the latest."""
    accepted = {risk.name: risk.until for risk in risks if risk.treatment is Treatment.ACCEPT}
    for silence in silences:
        if silence.risk is None:
            yield silence
        elif (until := accepted.get(silence.risk)) is not None:
            yield dataclasses.replace(silence, until=min(until, silence.until))


def _is_within(alert: Alert, address: str) -> bool:
    if alert.endpoint is None:
        return False
    here, network = ipaddress.ip_address(alert.endpoint.address), ipaddress.ip_network(address)
    return here in network


def _accepted(risk: Risk) -> tuple[int, Access] | None:
    """The port and the access that a drafted risk is about."""
    words = risk.name.removeprefix(risk.system).split()
    if len(words) != 2 or not words[0].isdecimal() or words[1] not in set(Access):
        return None
    return int(words[0]), Access(words[1])


def _is_worse(alert: Alert, silence: Silence) -> bool:
    """Whether it lets a stranger do more than the risk that was accepted."""
    if silence.risk is None or silence.system is None or alert.after is None:
        return False
    word = silence.risk.rpartition(" ")[2]
    return word in set(Access) and alert.after.rank < Access(word).rank
