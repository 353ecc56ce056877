"""Plans and looks to store, each like the last but for what a test says."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store.scans import Plan

__all__ = ["look", "plan", "sighting", "ulid"]

BEGAN = 1_795_237_200
"""2026-11-21T05:00:00Z."""

_PLAN = Plan(
    ulid="01JD5Y0000000000000000000A",
    began=BEGAN,
    tool_version="0.3.0",
    command="leadglass scan --scope scope.toml",
    position=Position.OUTSIDE,
    deepest=Rung.ASSOCIATE,
    rate=500.0,
    scope_name="Example Radiology",
    scope_note=None,
    scope_digest=bytes(32),
    scope_text='name = "Example Radiology"\n',
    scope_file="scope.toml",
    pins="{}",
    permutation_key=bytes(16),
    invented_sop_class="2.25.1",
    hosts=10,
    endpoints=20,
    is_listed=False,
    wanted=(),
    shard_hosts=4,
)


def ulid(number: int) -> str:
    """The ``number``-th identifier, sorted as they are."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    tail = "".join(alphabet[number >> shift & 31] for shift in range(20, -5, -5))
    return f"01JD5Y00000000000000{tail}"


def plan(**different: Any) -> Plan:
    """A plan for ten hosts in shards of four, anybody's, ``different`` where said."""
    return dataclasses.replace(_PLAN, **different)


def look(
    told: str = "storescp", *, access: Access = Access.ASSOCIATES, judged_by: str = "0.3.0", note: str = ""
) -> Look:
    """A look at a server that told ``told``; ``note`` is what only the verdict says."""
    facts = json.dumps([["associate", "implementation", told]])
    return Look(
        evidence=facts,
        body=json.dumps({"access": access.value, "evidence": facts, "note": note, "by": judged_by}),
        rung=Rung.ASSOCIATE,
        access=access,
        severity=Severity.HIGH,
        product=told,
        version=None,
        identity=None,
        judged_by=judged_by,
    )


def sighting(
    host: int, seen: Look | None = None, *, at: int = BEGAN, port: int = 104, source: str | None = "192.0.2.1"
) -> Sighting:
    """What stood at the ``host``-th address of 10.0.0.0/8, at ``at`` POSIX seconds."""
    address = f"10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}"
    return Sighting(pack(address, port), at, source, seen or look())
