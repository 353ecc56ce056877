"""The query/retrieve information models: which levels they have, and what an identifier must name (PS3.4 C.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.encoding import LARGEST, Element, is_key, is_sequence, read, uids
from leadglass.guard.identifiers.refusal import (
    IDENTIFIER_DOES_NOT_MATCH,
    SOP_CLASS_NOT_SUPPORTED,
    UNABLE_TO_PROCESS,
    Refused,
)
from leadglass.guard.identifiers.text import PADDING
from leadglass.wire import uids as known
from leadglass.wire.elements import Syntax

__all__ = ["UNIQUE_KEYS", "level_of", "levels_of", "mismatch", "named_patient", "normal_uids", "read_keys"]

UNIQUE_KEYS: Mapping[str, int] = {
    "PATIENT": keys.PATIENT_ID,
    "STUDY": keys.STUDY_INSTANCE_UID,
    "SERIES": keys.SERIES_INSTANCE_UID,
    "IMAGE": keys.SOP_INSTANCE_UID,
}
"""Query/Retrieve Level (0008,0052) -> its unique key, top to bottom."""

_PATIENT_ROOT = ("PATIENT", "STUDY", "SERIES", "IMAGE")
_LEVELS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (known.PATIENT_ROOT_FIND, known.PATIENT_ROOT_MOVE, known.PATIENT_ROOT_GET), _PATIENT_ROOT
    ),
    **dict.fromkeys((known.STUDY_ROOT_FIND, known.STUDY_ROOT_MOVE, known.STUDY_ROOT_GET), _PATIENT_ROOT[1:]),
    **dict.fromkeys(
        (known.PATIENT_STUDY_ONLY_FIND, known.PATIENT_STUDY_ONLY_MOVE, known.PATIENT_STUDY_ONLY_GET),
        _PATIENT_ROOT[:2],
    ),
}
_LONGEST_ID = 64
"""Characters of an LO (PS3.5 6.2)."""
_NOT_IN_AN_ID = frozenset(b"*?\\" + bytes(range(0x20)) + b"\x7f") - {0x1B}
"""Wildcards, a second value, control characters; ESC announces a character set."""

T = TypeVar("T")


def mismatch(reason: str) -> Refused:
    """A900."""
    return Refused(IDENTIFIER_DOES_NOT_MATCH, reason)


def levels_of(sop_class_uid: str) -> tuple[str, ...] | Refused:
    """The levels of a query/retrieve SOP class, top to bottom."""
    return _LEVELS.get(sop_class_uid) or Refused(SOP_CLASS_NOT_SUPPORTED, "not a query/retrieve SOP class")


def read_keys(identifier: bytes, syntax: Syntax) -> dict[int, Element] | Refused:
    """The keys of a query/retrieve identifier: no sequences, nothing that no key can be, all VRs as expected."""
    if len(identifier) > LARGEST:
        return Refused(UNABLE_TO_PROCESS, f"the identifier has more than {LARGEST // 1024} KiB")
    found = read(identifier, syntax)
    if len(found) > keys.MOST_KEYS:
        return Refused(UNABLE_TO_PROCESS, f"the identifier has more than {keys.MOST_KEYS} keys")
    kept: dict[int, Element] = {}
    for tag, element in found.items():
        expected = keys.VR.get(tag)
        if expected and element.vr not in {"", expected}:
            return mismatch(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is not of VR {expected}")
        if is_key(tag) and not is_sequence(tag, element.vr, element.value):
            kept[tag] = element
    return normal_uids(kept)


def normal_uids(found: Mapping[int, Element]) -> dict[int, Element] | Refused:
    """All UIDs by their grammar and without padding: no wildcard can stand in one (PS3.4 C.2.2.2.1)."""
    kept = dict(found)
    for tag, element in found.items():
        if "UI" not in {element.vr, keys.VR.get(tag)}:
            continue
        named = uids(element.value)
        if named is None or len(named) > keys.MOST_UIDS:
            return mismatch(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) holds something that is no UID")
        kept[tag] = Element(element.vr, "\\".join(named).encode("ascii"))
    return kept


def level_of(found: Mapping[int, Element], levels: tuple[str, ...]) -> str | Refused:
    """The level asked for, one of ``levels``."""
    element = found.get(keys.QUERY_RETRIEVE_LEVEL)
    if element is None or not element.value.strip(PADDING):
        return mismatch("Query/Retrieve Level is missing")
    level = element.value.strip(PADDING).decode("latin-1")
    return level if level in levels else mismatch("the model has no such Query/Retrieve Level")


def named_patient(value: bytes) -> str | Refused:
    """The one patient that a unique key names: its raw characters, one for each byte, without padding."""
    raw = value.strip(PADDING)
    if not raw or len(raw) > _LONGEST_ID or not _NOT_IN_AN_ID.isdisjoint(raw):
        return mismatch("Patient ID is not a single value")
    return raw.decode("latin-1")
