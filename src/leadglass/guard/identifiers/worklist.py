"""Modality worklist: C-FIND for scheduled procedure steps (PS3.4 annex K).

As in ``find`` the guard adds the keys that policies read and takes them out again, here also within
the item of Scheduled Procedure Step Sequence (0040,0100). Sequences pass where the standard has them
and nowhere else: a server that meets one where it expects text, or text for one, may crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import day_of, physicians, study_from_values
from leadglass.guard.identifiers.encoding import (
    LARGEST,
    Element,
    data_set,
    is_key,
    is_sequence,
    read_items,
    read_whole,
    sequence,
    values,
    without_private_value,
)
from leadglass.guard.identifiers.levels import mismatch, normal_uids
from leadglass.guard.identifiers.refusal import UNABLE_TO_PROCESS, Refused
from leadglass.guard.identifiers.text import PADDING, single, texts
from leadglass.model.access import Study
from leadglass.wire.elements import Span, Syntax, encode_element, walk
from leadglass.wire.sequences import SEQUENCES

__all__ = ["WorklistFilter", "WorklistPlan", "plan_worklist"]

_STEP = 0x0040_0100
_STATION = 0x0040_0001
_START_DATE = 0x0040_0002
_PERFORMING = 0x0040_0006

_OF_THE_STEP: Mapping[str, int] = {
    "modalities": keys.MODALITY,
    "station": _STATION,
    "study_date": _START_DATE,
    "performing_physicians": _PERFORMING,
}
_OF_THE_REQUEST: Mapping[str, int] = {
    "patient_id": keys.PATIENT_ID,
    "accession_number": keys.ACCESSION_NUMBER,
    "institution": keys.INSTITUTION_NAME,
    "referring_physician": keys.REFERRING_PHYSICIAN_NAME,
}
"""Field of ``Study`` -> key, within the step and beside it."""

_WHOLE_STEP: Mapping[int, str] = {
    keys.MODALITY: "CS",
    0x0032_1070: "LO",  # Requested Contrast Agent
    _STATION: "AE",
    _START_DATE: "DA",
    0x0040_0003: "TM",
    0x0040_0004: "DA",
    0x0040_0005: "TM",
    _PERFORMING: "PN",
    0x0040_0007: "LO",  # Scheduled Procedure Step Description
    0x0040_0008: "SQ",  # Scheduled Protocol Code Sequence
    0x0040_0009: "SH",  # Scheduled Procedure Step ID
    0x0040_0010: "SH",  # Scheduled Station Name
    0x0040_0011: "SH",  # Scheduled Procedure Step Location
    0x0040_0012: "LO",  # Pre-Medication
    0x0040_0020: "CS",  # Scheduled Procedure Step Status
    0x0040_0400: "LT",  # Comments on the Scheduled Procedure Step
}
"""What an empty step asks for: all of it (PS3.4 C.2.2.2.6, table K.6-1)."""

_NO_KEYS = frozenset({keys.QUERY_RETRIEVE_LEVEL, *keys.STATISTICS})
_ALWAYS = frozenset({keys.SPECIFIC_CHARACTER_SET, 0x0008_0201})
"""Specific Character Set and Timezone Offset From UTC (PS3.4 K.4.1.1.3.2)."""
_READ = frozenset({keys.SPECIFIC_CHARACTER_SET, keys.STUDY_INSTANCE_UID, *_OF_THE_REQUEST.values()})
_READ_OF_STEP = frozenset({keys.SPECIFIC_CHARACTER_SET, *_OF_THE_STEP.values()})
_MOST_STEPS = 16
_UNKNOWN = "UN"
"""A sequence of this VR is coded otherwise within (PS3.5 6.2.2); no worklist server was seen to send one."""

_WITHOUT_REQUIRED_MATCHING = frozenset(
    {keys.ACCESSION_NUMBER, keys.INSTITUTION_NAME, keys.REFERRING_PHYSICIAN_NAME}
)
"""See ``keys.WITHOUT_REQUIRED_MATCHING``; of a worklist item nothing more can be asked, so it is not believed."""


@dataclass(frozen=True, slots=True)
class WorklistPlan:
    """One worklist query as the guard makes it."""

    identifier: bytes = field(repr=False)
    """To send instead of the client's, in the same transfer syntax."""
    returned: frozenset[int]
    """Tags that the client may get."""
    returned_of_step: frozenset[int]
    """Tags within the step that it may get."""
    matched: Mapping[int, bytes] = field(repr=False)
    """What it demanded of attributes that a worklist need not match."""


def plan_worklist(identifier: bytes, syntax: Syntax, needed: frozenset[str]) -> WorklistPlan | Refused:
    """How a worklist query is put to the archive, or why it is not.

    ``needed`` names the fields of ``Study`` that policies read. ``RemoteProtocolError`` if the
    identifier is no data set.
    """
    if len(identifier) > LARGEST:
        return Refused(UNABLE_TO_PROCESS, f"the identifier has more than {LARGEST // 1024} KiB")
    found = _keys(read_whole(identifier, syntax))
    step = _step(identifier, syntax)
    if isinstance(found, Refused):
        return found
    return step if isinstance(step, Refused) else _plan(found, step, syntax, needed)


def _keys(found: Mapping[int, Element]) -> dict[int, Element] | Refused:
    """What of one level passes, each attribute as sequence or text as it should be."""
    if len(found) > keys.MOST_KEYS:
        return Refused(UNABLE_TO_PROCESS, f"the identifier has more than {keys.MOST_KEYS} keys")
    kept: dict[int, Element] = {}
    for tag, element in found.items():
        expected = "SQ" if tag in SEQUENCES else keys.VR.get(tag) or _WHOLE_STEP.get(tag)
        if expected and element.vr not in {"", expected}:
            return mismatch(f"({tag >> 16:04X},{tag & 0xFFFF:04X}) is not of VR {expected}")
        unforeseen = tag not in SEQUENCES and is_sequence(tag, element.vr, element.value)
        if is_key(tag) and not unforeseen and tag not in _NO_KEYS:
            kept[tag] = without_private_value(tag, element)
    return normal_uids(kept)


def _step(identifier: bytes, syntax: Syntax) -> dict[int, Element] | Refused | None:
    """The keys within the step, all if it is empty; None if there is no step."""
    span = next((span for span in walk(identifier, syntax) if span.tag == _STEP), None)
    if span is None or span.vr not in {"", "SQ"}:
        return None
    contents = list(read_items(identifier, span, syntax, 2))
    if len(contents) > 1:
        return mismatch("Scheduled Procedure Step Sequence has two items")
    if contents and contents[0]:
        return _keys(read_whole(contents[0], syntax))
    return {tag: Element(vr, b"") for tag, vr in _WHOLE_STEP.items()}


def _plan(
    found: Mapping[int, Element], step: Mapping[int, Element] | None, syntax: Syntax, needed: frozenset[str]
) -> WorklistPlan:
    asked = dict(step or {})
    within = {tag: Element(_WHOLE_STEP[tag], b"") for tag in _tags(_OF_THE_STEP, needed)} | asked
    added = _tags(_OF_THE_REQUEST, needed) | {keys.STUDY_INSTANCE_UID}
    sent = {tag: Element(keys.VR[tag], b"") for tag in added} | dict(found)
    if within:
        sent[_STEP] = Element("SQ", sequence([data_set(within, syntax)], syntax))
    optional = _WITHOUT_REQUIRED_MATCHING & found.keys()
    return WorklistPlan(
        identifier=data_set(sent, syntax),
        returned=_ALWAYS | found.keys(),
        returned_of_step=_ALWAYS | asked.keys(),
        matched={tag: value for tag in optional if (value := found[tag].value.strip(PADDING))},
    )


def _tags(table: Mapping[str, int], needed: frozenset[str]) -> frozenset[int]:
    return frozenset(tag for name, tag in table.items() if name in needed)


class WorklistFilter:
    """Sees every pending match of one worklist query: what it is about, and what of it is shown.

    ``RemoteProtocolError`` for a match that is no data set.
    """

    def __init__(self, plan: WorklistPlan, syntax: Syntax) -> None:
        self._plan = plan
        self._syntax = syntax

    def study_of(self, match: bytes) -> Study | None:
        """The item as a ``Study``; None if it names none, and nobody may see it.

        ``study_date`` is the day it is scheduled for. What the client itself wrote into the query, and
        the archive need not match, is left out.
        """
        matched = self._plan.matched.items()
        beside = values(match, self._syntax, _READ)
        study = study_from_values(
            {tag: value for tag, value in beside.items() if (tag, value.strip(PADDING)) not in matched}
        )
        if study is None:
            return None
        steps = [values(content, self._syntax, _READ_OF_STEP) for content in self._steps(match)]
        return _scheduled(study, steps, beside.get(keys.SPECIFIC_CHARACTER_SET, b""))

    def visible(self, match: bytes) -> bytes:
        """What the client gets for an item that it may see."""
        return self._only(match, self._plan.returned)

    def _steps(self, match: bytes) -> list[bytes]:
        return [
            content
            for span in walk(match, self._syntax)
            if span.tag == _STEP and span.vr != _UNKNOWN
            for content in read_items(match, span, self._syntax, _MOST_STEPS)
        ]

    def _only(self, data: bytes, tags: frozenset[int]) -> bytes:
        parts: list[bytes] = []
        for span in walk(data, self._syntax):
            if span.tag not in tags or (span.tag == _STEP and span.vr == _UNKNOWN):
                continue
            if span.tag == _STEP:
                parts.append(self._step(data, span))
            else:
                parts.append(data[span.start : span.end])
        return b"".join(parts)

    def _step(self, data: bytes, span: Span) -> bytes:
        contents = [
            self._only(content, self._plan.returned_of_step)
            for content in read_items(data, span, self._syntax, _MOST_STEPS)
        ]
        return encode_element(_STEP, "SQ", sequence(contents, self._syntax), self._syntax)


def _scheduled(study: Study, steps: Sequence[Mapping[int, bytes]], charset: bytes) -> Study:
    stations = {single(step.get(_STATION)) for step in steps}
    days = {day_of(step.get(_START_DATE)) for step in steps}
    modalities = (texts(step.get(keys.MODALITY, b"")) or () for step in steps)
    performing = (
        physicians(step.get(_PERFORMING), step.get(keys.SPECIFIC_CHARACTER_SET, charset)) for step in steps
    )
    return replace(
        study,
        station=stations.pop() if len(stations) == 1 else None,
        study_date=days.pop() if len(days) == 1 else None,
        modalities=frozenset[str]().union(*modalities),
        performing_physicians=frozenset[str]().union(*performing),
    )
