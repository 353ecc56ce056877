"""C-FIND of the query/retrieve models: what the archive is asked instead, and what of its answers is shown.

The guard adds the keys that policies read, so that each match tells whether it may be seen, and
takes them out again. PATIENT level queries run at STUDY level and are folded, one answer for each
patient, because a patient is visible where one study is. What counts over a patient is never asked
for: it counts hidden studies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import study_from_values
from leadglass.guard.identifiers.encoding import (
    Element,
    data_set,
    holds_items,
    is_sequence,
    single_uid,
    without_private_value,
)
from leadglass.guard.identifiers.levels import (
    UNIQUE_KEYS,
    level_of,
    levels_of,
    mismatch,
    named_patient,
    read_keys,
)
from leadglass.guard.identifiers.refusal import Refused
from leadglass.guard.identifiers.text import PADDING
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, encode_element, uid_values, walk
from leadglass.wire.uids import STUDY_ROOT_FIND

__all__ = ["MOST_PATIENTS", "FindFilter", "FindPlan", "plan_find"]

MOST_PATIENTS = 100_000
"""Patients that one folded query can return."""
_OF_A_PATIENT = frozenset(
    {
        keys.SPECIFIC_CHARACTER_SET,
        0x0008_0053,  # Query/Retrieve View
        0x0008_0201,  # Timezone Offset From UTC
        keys.PATIENT_IDENTITY_REMOVED,
        *keys.STATISTICS,
    }
)
"""Keys of PATIENT level outside group 0010."""
_GROUP_OF_PATIENTS = 0x0010
_ALWAYS_READ = frozenset(
    {
        keys.SPECIFIC_CHARACTER_SET,
        keys.PATIENT_ID,
        keys.ISSUER_OF_PATIENT_ID,
        keys.STUDY_INSTANCE_UID,
    }
)


@dataclass(frozen=True, slots=True)
class FindPlan:
    """One query as the guard makes it."""

    sop_class: str
    """The model to ask: the client's, or study root for what is folded."""
    identifier: bytes = field(repr=False)
    """To send instead of the client's, in the same transfer syntax."""
    level: str
    """Of ``identifier``: STUDY, SERIES or IMAGE."""
    fold: bool
    """The client asked at PATIENT level."""
    studies: tuple[str, ...]
    """Study Instance UIDs that the client named; none: any. Decide about them before asking at SERIES or
    IMAGE level, and ``substitute`` those that it may not see: the archive then searches as little for a
    hidden study as for one that does not exist."""
    read: frozenset[int]
    """Tags that tell of a match whose it is: what policies read, and nothing else that a client asked for,
    since an archive could give back its own words."""
    returned: frozenset[int]
    """Tags that the client may get as they come."""
    blank: Mapping[int, bytes]
    """Elements that it gets empty, whole."""
    level_again: bytes
    """The Query/Retrieve Level element that it gets for that of a match."""
    matched: Mapping[int, bytes] = field(repr=False)
    """What it demanded of attributes that policies read and an archive need not match."""


def plan_find(
    sop_class_uid: str, identifier: bytes, syntax: Syntax, needed: frozenset[str], *, relational: bool
) -> FindPlan | Refused:
    """How a C-FIND identifier is put to the archive, or why it is not.

    ``needed`` names the fields of ``Study`` that policies read. ``relational`` says that relational
    queries were negotiated for the SOP class (PS3.4 C.5.1.1); otherwise every unique key above the
    level must be there (C.4.1.2.1). ``RemoteProtocolError`` if the identifier is no data set.
    """
    levels = levels_of(sop_class_uid)
    if isinstance(levels, Refused):
        return levels
    found = read_keys(identifier, syntax)
    if isinstance(found, Refused):
        return found
    level = level_of(found, levels)
    if isinstance(level, Refused):
        return level
    lacks = None if relational else _without_unique_key(found, levels[: levels.index(level)])
    if lacks is not None:
        return lacks
    if level == "PATIENT" and not relational:
        found = {tag: element for tag, element in found.items() if _tells_of_a_patient(tag)}
    return _plan(sop_class_uid, found, level, syntax, needed)


def _without_unique_key(found: Mapping[int, Element], above: tuple[str, ...]) -> Refused | None:
    for level in above:
        element = found.get(UNIQUE_KEYS[level])
        if element is None or not element.value.strip(PADDING):
            return mismatch(f"the unique key of {level} level is missing")
        if level == "PATIENT":
            patient = named_patient(element.value)
            if isinstance(patient, Refused):
                return patient
    return None


def _tells_of_a_patient(tag: int) -> bool:
    return tag >> 16 == _GROUP_OF_PATIENTS or tag in _OF_A_PATIENT or tag == keys.QUERY_RETRIEVE_LEVEL


def _plan(
    sop_class_uid: str, found: Mapping[int, Element], level: str, syntax: Syntax, needed: frozenset[str]
) -> FindPlan:
    fold = level == "PATIENT"
    below = level if not fold else "STUDY"
    tags = keys.needed_tags(needed) if below == "STUDY" else ()
    asked = {tag: without_private_value(tag, found[tag]) for tag in found if tag not in keys.STATISTICS}
    added = {keys.STUDY_INSTANCE_UID, *tags, *([keys.PATIENT_ID] if fold else [])} - asked.keys()
    sent = asked | {tag: Element(keys.VR[tag], b"") for tag in added}
    sent[keys.QUERY_RETRIEVE_LEVEL] = Element("CS", below.encode())
    study = found.get(keys.STUDY_INSTANCE_UID)
    optional = keys.WITHOUT_REQUIRED_MATCHING.intersection(tags, asked)
    return FindPlan(
        sop_class=STUDY_ROOT_FIND if fold else sop_class_uid,
        identifier=data_set(sent, syntax),
        level=below,
        fold=fold,
        studies=uid_values(study.value) if study else (),
        read=_ALWAYS_READ.union(tags),
        returned=keys.ALWAYS_RETURNED.union(asked) - {keys.QUERY_RETRIEVE_LEVEL},
        blank={
            tag: encode_element(tag, keys.VR[tag], b"", syntax) for tag in keys.STATISTICS if tag in found
        },
        level_again=encode_element(keys.QUERY_RETRIEVE_LEVEL, "CS", level.encode(), syntax),
        matched={tag: value for tag in optional if (value := asked[tag].value.strip(PADDING))},
    )


class FindFilter:
    """Sees every pending match of one query, in order: whose study it is, and what of it is shown.

    Ask ``study_of`` first, decide, and if it is allowed ask ``visible``: only allowed matches may
    reach the folding. ``RemoteProtocolError`` for a match that is no data set.
    """

    def __init__(self, plan: FindPlan, syntax: Syntax) -> None:
        self._plan = plan
        self._syntax = syntax
        self._patients: set[tuple[bytes, bytes]] = set()
        self._match = b""
        self._values: dict[int, bytes] = {}
        self._parts: list[bytes] = []
        self.full = False
        """More patients matched than a query may return: answer A700 (out of resources) in the end."""

    def study_of(self, match: bytes) -> tuple[Study | None, str | None]:
        """Its study, and that study's UID.

        (None, UID): look the study up, because the match does not tell its attributes, or tells
        those that the client itself wrote into the query. (None, None): the match names no study and
        nobody may see it.
        """
        self._read(match)
        values = self._values
        if self._plan.level != "STUDY":
            return None, single_uid(values.get(keys.STUDY_INSTANCE_UID))
        study = study_from_values(values)
        if study is None:
            return None, None
        matched = self._plan.matched
        if matched and any(values.get(tag, b"").strip(PADDING) == value for tag, value in matched.items()):
            return None, study.study_instance_uid
        return study, study.study_instance_uid

    def visible(self, match: bytes) -> bytes | None:
        """What the client gets for a match that it may see; None for a patient that it already got."""
        self._read(match)
        if self._plan.fold and not self._is_new_patient():
            return None
        shown = b"".join(self._parts)
        return self._with_blanks(shown) if self._plan.blank else shown

    def _read(self, match: bytes) -> None:
        if match is self._match:
            return
        wanted, returned = self._plan.read, self._plan.returned
        flat = not holds_items(match)
        values: dict[int, bytes] = {}
        parts: list[bytes] = []
        begin = -1  # of what is shown without a gap
        for tag, vr, start, value_at, end in walk(match, self._syntax):
            if tag in wanted:
                values[tag] = match[value_at:end]
            if tag in returned and (flat or not is_sequence(tag, vr, match[value_at:end])):
                if begin < 0:
                    begin = start
                continue
            if begin >= 0:
                parts.append(match[begin:start])
                begin = -1
            if tag == keys.QUERY_RETRIEVE_LEVEL:
                parts.append(self._plan.level_again)
        if begin >= 0:
            parts.append(match[begin:])
        self._match, self._values, self._parts = match, values, parts

    def _with_blanks(self, shown: bytes) -> bytes:
        parts = {span.tag: shown[span.start : span.end] for span in walk(shown, self._syntax)}
        return b"".join(part for _, part in sorted({**parts, **self._plan.blank}.items()))

    def _is_new_patient(self) -> bool:
        patient = self._values.get(keys.PATIENT_ID, b"").strip(PADDING)
        if not patient:
            return True  # nothing says that two such matches are one patient
        issuer = self._values.get(keys.ISSUER_OF_PATIENT_ID, b"").strip(PADDING)
        if (patient, issuer) in self._patients:
            return False
        if len(self._patients) == MOST_PATIENTS:
            self.full = True
            return False
        self._patients.add((patient, issuer))
        return True
