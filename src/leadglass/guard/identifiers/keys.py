"""The attributes that the guard reads or writes, and the table of what policies read.

Tags are numbers, ``0xGGGGEEEE``; names and value representations are those of PS3.6 clause 6.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

from leadglass.errors import LocalProtocolError

__all__ = [
    "ACCESSION_NUMBER",
    "ALWAYS_RETURNED",
    "CLINICAL_TRIAL_PROTOCOL_ID",
    "INSTITUTION_NAME",
    "ISSUER_OF_PATIENT_ID",
    "MODALITIES_IN_STUDY",
    "MODALITY",
    "MOST_KEYS",
    "MOST_UIDS",
    "PATIENT_ID",
    "PATIENT_IDENTITY_REMOVED",
    "PERFORMING_PHYSICIAN_NAME",
    "QUERY_RETRIEVE_LEVEL",
    "REFERRING_PHYSICIAN_NAME",
    "RETRIEVE_AE_TITLE",
    "SERIES_INSTANCE_UID",
    "SOP_CLASS_UID",
    "SOP_INSTANCE_UID",
    "SPECIFIC_CHARACTER_SET",
    "STATISTICS",
    "STUDY_DATE",
    "STUDY_INSTANCE_UID",
    "VR",
    "WITHOUT_REQUIRED_MATCHING",
    "needed_tags",
]

SPECIFIC_CHARACTER_SET = 0x0008_0005
SOP_CLASS_UID = 0x0008_0016
SOP_INSTANCE_UID = 0x0008_0018
STUDY_DATE = 0x0008_0020
ACCESSION_NUMBER = 0x0008_0050
QUERY_RETRIEVE_LEVEL = 0x0008_0052
RETRIEVE_AE_TITLE = 0x0008_0054
MODALITY = 0x0008_0060
MODALITIES_IN_STUDY = 0x0008_0061
INSTITUTION_NAME = 0x0008_0080
REFERRING_PHYSICIAN_NAME = 0x0008_0090
PERFORMING_PHYSICIAN_NAME = 0x0008_1050
PATIENT_ID = 0x0010_0020
ISSUER_OF_PATIENT_ID = 0x0010_0021
CLINICAL_TRIAL_PROTOCOL_ID = 0x0012_0020
PATIENT_IDENTITY_REMOVED = 0x0012_0062
STUDY_INSTANCE_UID = 0x0020_000D
SERIES_INSTANCE_UID = 0x0020_000E

VR: Mapping[int, str] = {
    SPECIFIC_CHARACTER_SET: "CS",
    SOP_CLASS_UID: "UI",
    SOP_INSTANCE_UID: "UI",
    STUDY_DATE: "DA",
    ACCESSION_NUMBER: "SH",
    QUERY_RETRIEVE_LEVEL: "CS",
    MODALITY: "CS",
    MODALITIES_IN_STUDY: "CS",
    INSTITUTION_NAME: "LO",
    REFERRING_PHYSICIAN_NAME: "PN",
    PERFORMING_PHYSICIAN_NAME: "PN",
    PATIENT_ID: "LO",
    CLINICAL_TRIAL_PROTOCOL_ID: "LO",
    PATIENT_IDENTITY_REMOVED: "CS",
    STUDY_INSTANCE_UID: "UI",
    SERIES_INSTANCE_UID: "UI",
    0x0008_0062: "UI",  # SOP Classes in Study
    0x0020_0052: "UI",  # Frame of Reference UID
    0x0020_1200: "IS",
    0x0020_1202: "IS",
    0x0020_1204: "IS",
}
"""Attributes whose value representation the guard insists on or has to write."""

STATISTICS = (0x0020_1200, 0x0020_1202, 0x0020_1204)
"""Number of Patient Related Studies, Series and Instances: they count what a client may not see."""

ALWAYS_RETURNED = frozenset(
    {
        SPECIFIC_CHARACTER_SET,
        QUERY_RETRIEVE_LEVEL,
        RETRIEVE_AE_TITLE,
        0x0008_0056,  # Instance Availability
        0x0008_0201,  # Timezone Offset From UTC
        0x0088_0130,  # Storage Media File-Set ID
        0x0088_0140,  # Storage Media File-Set UID
    }
)
"""What a match may hold without having been asked for (PS3.4 C.4.1.1.3.2)."""

MOST_KEYS = 512
"""Keys in an identifier."""
MOST_UIDS = 1000
"""UIDs in one list: at 64 characters each they still fit the length of an explicit VR (PS3.5 7.1.2)."""

_READ_BY_POLICIES: Mapping[str, tuple[int, ...]] = {
    "patient_id": (PATIENT_ID,),
    "accession_number": (ACCESSION_NUMBER,),
    "study_date": (STUDY_DATE,),
    "modalities": (MODALITIES_IN_STUDY,),
    "institution": (INSTITUTION_NAME,),
    "referring_physician": (REFERRING_PHYSICIAN_NAME,),
    "performing_physicians": (PERFORMING_PHYSICIAN_NAME,),
    "labels": (CLINICAL_TRIAL_PROTOCOL_ID, PATIENT_IDENTITY_REMOVED),
    "study_instance_uid": (),  # always asked for
    "station": (),  # of worklist items alone
}
"""Field of ``leadglass.model.access.Study`` -> the keys that tell it at STUDY level."""

WITHOUT_REQUIRED_MATCHING = frozenset(
    {
        MODALITIES_IN_STUDY,
        INSTITUTION_NAME,
        REFERRING_PHYSICIAN_NAME,
        PERFORMING_PHYSICIAN_NAME,
        CLINICAL_TRIAL_PROTOCOL_ID,
        PATIENT_IDENTITY_REMOVED,
    }
)
"""Keys that an archive need not match (optional, PS3.4 tables C.6-2 and C.6-5). One that answers with a copy
of the query would give back a client's own value: it could name itself the referring physician."""


@functools.lru_cache(maxsize=64)
def needed_tags(needed: frozenset[str]) -> tuple[int, ...]:
    """The STUDY level keys for these fields of a study; ``LocalProtocolError`` for a name that is no field."""
    unknown = needed - _READ_BY_POLICIES.keys()
    if unknown:
        raise LocalProtocolError(f"a study has no attribute {', '.join(sorted(unknown))}")
    return tuple(sorted(tag for name in needed for tag in _READ_BY_POLICIES[name]))
