"""What scan records hold that an owner must know: each endpoint once, as it was seen last."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Iterable, Sequence

from leadglass.model.notice import Exposure
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access
from leadglass.notice.plain import plain
from leadglass.scope.names import host_name
from leadglass.scope.rules import Range

__all__ = ["exposures", "is_exposed", "within"]


def is_exposed(access: Access) -> bool:
    """Whether strangers are talked to, or kept out by a title alone."""
    return access.rank <= Access.WANTS_TITLE.rank


def exposures(records: Iterable[ScanRecord]) -> Sequence[Exposure]:
    """The exposed endpoints, the worst first; one that was closed when it was last looked at is none."""
    latest: dict[tuple[str, int], ScanRecord] = {}
    for record in records:
        spot = record.endpoint.address, record.endpoint.port
        if spot not in latest or latest[spot].observed_at <= record.observed_at:
            latest[spot] = record
    found = [_exposure(record) for record in latest.values() if is_exposed(record.access)]
    return sorted(found, key=lambda one: (one.access.rank, one.severity.rank, one.address, one.port))


def within(records: Iterable[ScanRecord], ranges: Sequence[Range]) -> Sequence[Exposure]:
    """The same of those in ``ranges``: one owner's; of all if there are none."""
    return exposures(
        record for record in records if not ranges or any(_covers(one, record) for one in ranges)
    )


def _covers(one: Range, record: ScanRecord) -> bool:
    if isinstance(one, str):
        return record.endpoint.name is not None and record.endpoint.name.lower() == one
    return ipaddress.ip_address(record.endpoint.address) in one


def _exposure(record: ScanRecord) -> Exposure:
    software = record.software
    return Exposure(
        address=record.endpoint.address,
        port=record.endpoint.port,
        name=_name(record.endpoint.name),
        seen_at=record.observed_at.astimezone(dt.UTC).replace(microsecond=0),
        source=None if record.vantage.source is None else plain(record.vantage.source),
        position=record.vantage.position,
        access=record.access,
        severity=record.severity,
        rung=_asked(record),
        product=None if software.product is None else plain(software.product),
        version=None if software.version is None else plain(software.version),
        rules=tuple(dict.fromkeys(plain(reason.rule) for reason in record.why() if reason.rule)),
        scan=plain(record.scan),
        tls=record.transport.tls is not None,
        web="http" in record.protocols and "dicom" not in record.protocols,
        tlp=record.tlp,
    )


_ASKED_BY = {
    "sample": Rung.SAMPLE,
    "blank-query": Rung.BLANK_QUERY,
    "negotiate": Rung.NEGOTIATE,
    "associate": Rung.ASSOCIATE,
    "web": Rung.ASSOCIATE,
}
"""Which rung a probe belongs to; a search over the web, ``qido``, is a blank query too."""
_NUMBERED = re.compile(r"\W\d+$")
"""A probe that was asked again is numbered."""


def _asked(record: ScanRecord) -> str:
    """The deepest rung that was come to: who turns a stranger away is never asked what the scope would permit."""
    allowed = Rung.from_word(record.rung)
    probes = (_NUMBERED.sub("", fact.probe) for fact in record.evidence)
    reached = [_ASKED_BY[probe] for probe in probes if probe in _ASKED_BY]
    if any(fact.fact == "qido" for fact in record.evidence):
        reached.append(Rung.BLANK_QUERY)
    return min(allowed, max(reached)).word if reached else record.rung


def _name(name: str | None) -> str | None:
    """A record from elsewhere may hold anything: only what can be a host's name is passed on."""
    if name is None:
        return None
    try:
        return host_name(name)
    except ValueError:
        return None
