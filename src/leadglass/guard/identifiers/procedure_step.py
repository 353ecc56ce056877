"""Modality performed procedure step, N-CREATE (PS3.4 annex F): the studies that a device says it works on."""

from __future__ import annotations

from dataclasses import replace

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import study_from_values
from leadglass.guard.identifiers.encoding import read_items, values
from leadglass.guard.identifiers.refusal import (
    INVALID_ATTRIBUTE_VALUE,
    MISSING_ATTRIBUTE,
    UNABLE_TO_PROCESS,
    Refused,
)
from leadglass.guard.identifiers.text import single
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, walk

__all__ = ["studies_from_step"]

_PERFORMED_STATION = 0x0040_0241
_SCHEDULED_STEPS = 0x0040_0270
_MOST_STEPS = 64
_LARGEST = 4 * 1024 * 1024
"""Bytes; a device may create its step when it is done, with all images listed."""
_BESIDE = frozenset({keys.SPECIFIC_CHARACTER_SET, keys.MODALITY, keys.PATIENT_ID, _PERFORMED_STATION})
_OF_A_STEP = frozenset({keys.STUDY_INSTANCE_UID, keys.ACCESSION_NUMBER})


def studies_from_step(data: bytes, syntax: Syntax) -> tuple[Study, ...] | Refused:
    """One study for each item of Scheduled Step Attributes Sequence (0040,0270): all have to be permitted.

    Modality counts as their modalities, Performed Station AE Title as their station.
    ``RemoteProtocolError`` if it is no data set.
    """
    if len(data) > _LARGEST:
        return Refused(UNABLE_TO_PROCESS, f"the step has more than {_LARGEST >> 20} MiB")
    beside = values(data, syntax, _BESIDE)
    contents = [
        content
        for span in walk(data, syntax)
        if span.tag == _SCHEDULED_STEPS
        for content in read_items(data, span, syntax, _MOST_STEPS)
    ]
    if not contents:
        return Refused(MISSING_ATTRIBUTE, "Scheduled Step Attributes Sequence is missing")
    found = [study_from_values(beside | values(content, syntax, _OF_A_STEP)) for content in contents]
    station = single(beside.get(_PERFORMED_STATION))
    studies = tuple(replace(study, station=station) for study in found if study)
    if len(studies) < len(found):
        return Refused(INVALID_ATTRIBUTE_VALUE, "a scheduled step names no study")
    return studies
