"""One match of a search in the DICOM JSON model (PS3.18 annex F): the study it is of, and what may be shown.

What is shown is written anew from what was read: two readers of one text can differ, two of ours cannot.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from leadglass.guard.dicomweb.array import Element
from leadglass.guard.dicomweb.paths import Level, Place, is_uid
from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import study_from_values
from leadglass.model.access import Study

__all__ = ["ADDED", "COUNTS", "STUDY_UID", "cleaned", "readable", "study_of", "study_uid", "tag_name"]

_RETRIEVE_URL = "00081190"
_STEPS = tuple((level, level.value) for level in Level)
_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def tag_name(tag: int) -> str:
    """A tag as DICOM JSON writes it (PS3.18 F.2.2)."""
    return f"{tag:08X}"


STUDY_UID = tag_name(keys.STUDY_INSTANCE_UID)
_UIDS = (STUDY_UID, tag_name(keys.SERIES_INSTANCE_UID), tag_name(keys.SOP_INSTANCE_UID))

ADDED: Mapping[str, str] = {
    tag_name(keys.INSTITUTION_NAME): "InstitutionName",
    tag_name(keys.PERFORMING_PHYSICIAN_NAME): "PerformingPhysicianName",
    tag_name(keys.CLINICAL_TRIAL_PROTOCOL_ID): "ClinicalTrialProtocolID",
    tag_name(keys.PATIENT_IDENTITY_REMOVED): "PatientIdentityRemoved",
}
"""What policies may read and an archive returns only when asked (PS3.18 table 10.6.3-3), with keywords."""

COUNTS: Mapping[str, str] = {
    "00201200": "NumberOfPatientRelatedStudies",
    "00201202": "NumberOfPatientRelatedSeries",
    "00201204": "NumberOfPatientRelatedInstances",
}
"""They count what is hidden, too, so they are neither shown nor matched."""


def study_uid(match: Element) -> str | None:
    """The study that the match is of; None if it does not say so in one valid UID."""
    match _values(match, STUDY_UID):
        case [str(uid)] if is_uid(uid):
            return uid
    return None


@functools.lru_cache(maxsize=256)
def readable(needed: frozenset[str], doubtful: frozenset[str]) -> tuple[tuple[str, int], ...]:
    """The tags to read of matches: what tells the ``needed`` attributes of ``Study``, without the doubtful."""
    tags = (keys.STUDY_INSTANCE_UID, *keys.needed_tags(needed))
    return tuple((tag_name(tag), tag) for tag in tags if tag_name(tag) not in doubtful)


def study_of(match: Element, read: tuple[tuple[str, int], ...]) -> Study | None:
    """The study as far as these tags of a match at study level tell; None without exactly one UID."""
    found = {keys.SPECIFIC_CHARACTER_SET: b"ISO_IR 192"}
    for name, tag in read:
        if name in match and (text := "\\".join(map(_text, _values(match, name)))):
            # What is no text in UTF-8 cannot be read, and labels nothing.
            found[tag] = text.encode(errors="surrogatepass")
    return study_from_values(found)


def cleaned(match: Element, hidden: frozenset[str], at: Place, level: Level, public: str) -> Element:
    """The match without private attributes, without ``hidden``, without counts, and with our own address.

    ``public`` is the URL under which clients reach DICOMweb; ``at`` is what the search was confined to.
    """
    shown = {tag: value for tag, value in match.items() if _is_shown(tag) and tag not in hidden}
    for tag in COUNTS.keys() & shown.keys():
        shown[tag] = {"vr": "IS"}
    if _RETRIEVE_URL in shown:
        url = _url(match, at, level, public)
        shown[_RETRIEVE_URL] = {"vr": "UR", "Value": [url]} if url else {"vr": "UR"}
    return shown


@functools.lru_cache(maxsize=4096)
def _is_shown(tag: str) -> bool:
    # Eight digits; the group of a private attribute is odd (PS3.5 7.1).
    return len(tag) == 8 and tag[3] in "02468ACE" and set(tag) <= _DIGITS


_DIGITS = frozenset("0123456789ABCDEF")


def _url(match: Element, at: Place, level: Level, public: str) -> str | None:
    url = public
    for (step, word), told, tag in zip(_STEPS, at, _UIDS, strict=True):
        uid = told or "".join(map(_text, _values(match, tag)))
        if not is_uid(uid):
            return None
        url += f"/{word}/{uid}"
        if step is level:
            break
    return url


def _values(match: Element, tag: str) -> list[Any]:
    attribute = match.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values if isinstance(values, list) else []


def _text(value: Any) -> str:
    """A value as DIMSE writes it; of a person name the component groups with ``=`` between (PS3.5 6.2.1)."""
    if isinstance(value, dict):
        groups = (value.get(group) for group in _GROUPS)
        return "=".join(group if isinstance(group, str) else "" for group in groups).rstrip("=")
    return value if isinstance(value, str) else ""
