"""The guard's own questions to the archive, study root C-FIND, and what their matches tell.

A UID argument may be several, joined by a backslash (list of UID matching, PS3.4 C.2.2.2.2), or "":
any. Nothing of a client's is in a question but the keys it names, and no answer can be a copy of a
client's words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from leadglass.errors import LocalProtocolError
from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import READ, study_from_values
from leadglass.guard.identifiers.encoding import Element, data_set, single_uid, uids, values
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax
from leadglass.wire.fields import text

__all__ = [
    "Membership",
    "ask_all_series",
    "ask_instance",
    "ask_patient_studies",
    "ask_series",
    "ask_study",
    "membership_from",
    "study_from",
]

_UNIQUE = frozenset({keys.STUDY_INSTANCE_UID, keys.SERIES_INSTANCE_UID, keys.SOP_INSTANCE_UID})


class Membership(NamedTuple):
    """Where something belongs, as the archive says; None: it did not."""

    study: str | None
    series: str | None
    instance: str | None


def ask_study(study_uid: str, needed: frozenset[str], syntax: Syntax) -> bytes:
    """What policies read of a study."""
    asked = dict.fromkeys(keys.needed_tags(needed), "")
    return _question("STUDY", {**asked, keys.STUDY_INSTANCE_UID: study_uid}, syntax)


def ask_patient_studies(
    patient_id: str, needed: frozenset[str], syntax: Syntax, charset: bytes = b""
) -> bytes:
    """The studies of a patient, named as ``RetrievePlan`` has it, and what policies read of them."""
    asked = dict.fromkeys(keys.needed_tags(needed), "")
    named = {keys.PATIENT_ID: patient_id, keys.STUDY_INSTANCE_UID: ""}
    declared = {keys.SPECIFIC_CHARACTER_SET: charset.decode("latin-1")} if charset else {}
    return _question("STUDY", {**asked, **named, **declared}, syntax)


def ask_all_series(study_uid: str, needed: frozenset[str], syntax: Syntax) -> bytes:
    """What policies read, of each series of a study: for ``with_series``.

    Some archives tell no attribute of a series for its study; dcmqrscp has no Modalities in Study.
    """
    asked = dict.fromkeys(keys.needed_tags(needed), "")
    if asked.pop(keys.MODALITIES_IN_STUDY, None) is not None:
        asked[keys.MODALITY] = ""
    named = {keys.STUDY_INSTANCE_UID: study_uid, keys.SERIES_INSTANCE_UID: ""}
    return _question("SERIES", {**asked, **named}, syntax)


def ask_series(series_uid: str, study_uid: str, syntax: Syntax) -> bytes:
    """Which study a series is of: no match, if not of this one.

    ``study_uid`` may be "": Orthanc and dcmqrscp then search all studies, others refuse, since the
    key is above the level (PS3.4 C.4.1.2.1).
    """
    named = {keys.STUDY_INSTANCE_UID: study_uid, keys.SERIES_INSTANCE_UID: series_uid}
    return _question("SERIES", named, syntax)


def ask_instance(sop_uid: str, series_uid: str, study_uid: str, syntax: Syntax) -> bytes:
    """Which series and study an instance is of: no match, if not of these."""
    named = {
        keys.STUDY_INSTANCE_UID: study_uid,
        keys.SERIES_INSTANCE_UID: series_uid,
        keys.SOP_INSTANCE_UID: sop_uid,
    }
    return _question("IMAGE", named, syntax)


def study_from(match: bytes, syntax: Syntax) -> Study | None:
    """The study of a match at STUDY level, or what one at SERIES level tells of it; None if it names none.

    ``RemoteProtocolError`` if the match is no data set.
    """
    return study_from_values(values(match, syntax, READ))


def membership_from(match: bytes, syntax: Syntax) -> Membership:
    """Study, series and instance that a match names. ``RemoteProtocolError`` if it is no data set."""
    found = values(match, syntax, _UNIQUE)
    return Membership(
        single_uid(found.get(keys.STUDY_INSTANCE_UID)),
        single_uid(found.get(keys.SERIES_INSTANCE_UID)),
        single_uid(found.get(keys.SOP_INSTANCE_UID)),
    )


def _question(level: str, asked: Mapping[int, str], syntax: Syntax) -> bytes:
    elements = {keys.QUERY_RETRIEVE_LEVEL: Element("CS", level.encode())}
    for tag, value in asked.items():
        raw = text(value, "a key")
        if tag in _UNIQUE and (named := uids(raw)) is None:
            raise LocalProtocolError(f"{named} is no UID to ask for")
        elements[tag] = Element(keys.VR[tag], raw)
    return data_set(elements, syntax)
