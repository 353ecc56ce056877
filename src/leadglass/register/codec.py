"""The register's nouns as what entries hold, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError

from leadglass.errors import ConfigError
from leadglass.model.register import Register, Review, Risk, ScanTaken, Seen, Stamp, System
from leadglass.store.register import Change, State

__all__ = [
    "FIELDS",
    "REVIEW",
    "RISK",
    "SCAN",
    "SEEN",
    "STAMP",
    "SYSTEM",
    "Thing",
    "as_change",
    "as_json",
    "gone",
    "key_of",
    "read",
    "register_of",
]

SYSTEM, REVIEW, RISK, SEEN, SCAN, STAMP = "system", "review", "risk", "seen", "scan", "stamp"

Thing: TypeAlias = System | Review | Risk | Seen | ScanTaken | Stamp
"""What an entry can be about."""

_KINDS: Mapping[type, str] = {
    System: SYSTEM,
    Review: REVIEW,
    Risk: RISK,
    Seen: SEEN,
    ScanTaken: SCAN,
    Stamp: STAMP,
}
FIELDS: Mapping[str, str] = {
    SYSTEM: "systems",
    REVIEW: "reviews",
    RISK: "risks",
    SEEN: "seen",
    SCAN: "scans",
    STAMP: "stamps",
}
"""By kind, the mapping of ``Register`` that has them."""
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {what: TypeAdapter(kind) for kind, what in _KINDS.items()}


def key_of(thing: Thing) -> tuple[str, str]:
    """Its kind and its name in the register."""
    what = _KINDS[type(thing)]
    match thing:
        case Review():
            return what, f"{thing.system} {thing.on}"
        case Seen():
            return what, f"{thing.address} {thing.position}"
        case ScanTaken():
            return what, thing.scan
        case Stamp():
            return what, str(thing.n)
        case _:
            return what, thing.name


def as_json(thing: Thing) -> dict[str, Any]:
    """All its fields, for programs: days as 2026-11-21."""
    made: dict[str, Any] = _ADAPTERS[_KINDS[type(thing)]].dump_python(thing, mode="json")
    return made


def as_change(thing: Thing, why: str = "") -> Change:
    """The entry that puts it into the register, or in place of what is there by that name."""
    return Change(*key_of(thing), as_json(thing), why)


def gone(thing: Thing, why: str = "") -> Change:
    """The entry that takes it out."""
    return Change(*key_of(thing), None, why)


def register_of(state: State, where: str) -> Register:
    """What a state holds; ``ConfigError`` if somebody put something else there."""
    found: dict[str, dict[str, Any]] = {field: {} for field in FIELDS.values()}
    for (what, name), body in sorted(state.items()):
        if what in FIELDS:  # a later version may keep more
            found[FIELDS[what]][name] = read(what, name, body, where)
    return Register(**found)


def read(what: str, name: str, body: Mapping[str, Any], where: str) -> Thing:
    """What an entry holds of the kind ``what``; ``ConfigError`` if somebody put something else there."""
    try:
        made: Thing = _ADAPTERS[what].validate_python(body)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"the {what} {name!r} in the register cannot be read ({field}: {problem['msg'].lower()})",
            where=where,
            then="leadglass register verify tells what was altered",
        ) from exc
    return made
