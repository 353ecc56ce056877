"""A new scope file: commented, and valid as it stands.

The comments are what somebody needs who has never seen a scope; the reference has the rest.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.ports import DEFAULT_PORTS, port_ranges
from leadglass.scope.rules import Basis

__all__ = ["Draft", "scope_text"]


@dataclass(frozen=True, slots=True)
class Draft:
    """What a new scope is made from."""

    name: str
    basis: Basis
    granted_by: str
    contact: str
    valid_until: dt.date
    targets: tuple[str, ...]
    """Ranges, addresses or names."""
    reference: str | None = None
    position: Position = Position.OUTSIDE
    deepest: Rung = Rung.ASSOCIATE
    ports: tuple[int, ...] = DEFAULT_PORTS


_HEAD = """\
# What Leadglass may look at, how deep and when. No packet leaves for anything else.
name = {name}

[authorisation]
basis = {basis}  # owner | mandate | research (never asks a query)
granted_by = {granted_by}  # who said yes
contact = {contact}  # who a disturbed administrator writes to
{reference}
valid_until = {valid_until}  # the last day, included

[limits]
# passive | connect | associate (asks C-ECHO) | negotiate (offers services, uses none) |
# blank-query (one query that can match nothing; basis owner or mandate)
deepest = {deepest}
rate = 500  # new connections a second, all hosts together
connections_per_endpoint = 6  # in all, one at a time; 6 is the most
concurrent_per_host = 8  # at once; 8 is the most
concurrent_per_network = 64  # endpoints at once in an IPv4 /24 or IPv6 /48; 256 is the most
# hours = "20:00-05:00"  # only then, on the wall clock of:
# timezone = "Europe/Berlin"

[vantage]
position = {position}  # outside | inside: from which side of the owner's network you look

[identity]
calling_ae = "LEADGLASS"
# url = "https://example.org/scanning"  # a page that says who scans and why
"""

_TARGET = """
[[targets]]
range = {range}  # CIDR range, address or name; IPv6 too
ports = {ports}
# deepest = "connect"  # may only lower the limit
# called_ae = "ARCHIVE"  # the title that your server wants; never guessed
"""

_TAIL = """
# What must never be touched, whatever the targets say:
# [[exclude]]
# range = "192.0.2.9"
# reason = "life support network"
"""


def scope_text(draft: Draft) -> str:
    """The file's text; ``leadglass.scope.parse`` says whether its values make sense."""
    reference = _text(draft.reference) if draft.reference else None
    head = _HEAD.format(
        name=_text(draft.name),
        basis=_text(draft.basis.value),
        granted_by=_text(draft.granted_by),
        contact=_text(draft.contact),
        reference=f"reference = {reference}" if reference else '# reference = "where that is written"',
        valid_until=draft.valid_until.isoformat(),
        deepest=_text(draft.deepest.word),
        position=_text(draft.position.value),
    )
    targets = [_TARGET.format(range=_text(range_), ports=_ports(draft.ports)) for range_ in draft.targets]
    return head + "".join(targets) + _TAIL


def _ports(ports: tuple[int, ...]) -> str:
    items = [str(a) if a == b else f'"{a}-{b}"' for a, b in port_ranges(ports)]
    return f"[{', '.join(items)}]"


def _text(value: str) -> str:
    # A TOML basic string is a JSON string, but for DEL, which JSON lets stand (TOML 1.0, String).
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
