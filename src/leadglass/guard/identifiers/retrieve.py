"""C-MOVE and C-GET: what is to be retrieved, and the identifier that retrieves only what is permitted.

Archives look a series or an instance up by its own UID and ignore the study that the client names
with it, so the level's own keys are what has to be decided about: ask ``questions.ask_series`` or
``ask_instance`` whose they are. What is not known to be permitted is replaced by a minted UID, be it
hidden or unknown, so that both are answered as the archive answers for what does not exist. An
identifier is always written anew from the level and its unique keys (PS3.4 C.4.2.1.4): a key more,
a Patient Name say, would make some archives search by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from leadglass.errors import LocalProtocolError
from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.encoding import Element, data_set
from leadglass.guard.identifiers.levels import (
    UNIQUE_KEYS,
    level_of,
    levels_of,
    mismatch,
    named_patient,
    read_keys,
)
from leadglass.guard.identifiers.refusal import UNABLE_TO_PERFORM, Refused
from leadglass.guard.identifiers.text import PADDING
from leadglass.wire.elements import Syntax, uid_values

__all__ = ["RetrievePlan", "as_studies", "nobody", "permitted", "plan_retrieve"]


@dataclass(frozen=True, slots=True)
class RetrievePlan:
    """What a client wants to retrieve: the unique keys down to its level, the rest is empty."""

    level: str
    """PATIENT, STUDY, SERIES or IMAGE: that level's keys are one or more, those above it one each."""
    patients: tuple[str, ...] = field(repr=False)
    """Patient ID, one character for each byte (``charset`` tells how to read it); patient root only."""
    studies: tuple[str, ...]
    series: tuple[str, ...]
    instances: tuple[str, ...]
    charset: bytes = b""
    """Specific Character Set as sent."""


def plan_retrieve(sop_class_uid: str, identifier: bytes, syntax: Syntax) -> RetrievePlan | Refused:
    """What a C-MOVE or C-GET identifier names, or why it cannot be carried out.

    Patient ID may be absent below PATIENT level, as archives put up with; the UIDs above the level
    may not (PS3.4 C.4.2.2.1). ``RemoteProtocolError`` if the identifier is no data set.
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
    named: dict[str, tuple[str, ...]] = dict.fromkeys(UNIQUE_KEYS, ())
    for each in levels[: levels.index(level) + 1]:
        unique = _unique(each, level, found)
        if isinstance(unique, Refused):
            return unique
        named[each] = unique
    charset = found.get(keys.SPECIFIC_CHARACTER_SET, Element("CS", b"")).value.rstrip(PADDING)
    return RetrievePlan(level, named["PATIENT"], named["STUDY"], named["SERIES"], named["IMAGE"], charset)


def _unique(each: str, level: str, found: Mapping[int, Element]) -> tuple[str, ...] | Refused:
    element = found.get(UNIQUE_KEYS[each])
    if each == "PATIENT":
        if level != each and (element is None or not element.value.strip(PADDING)):
            return ()
        patient = named_patient(element.value if element else b"")
        return patient if isinstance(patient, Refused) else (patient,)
    named = uid_values(element.value) if element else ()
    if not named:
        return mismatch(f"the unique key of {each} level is missing")
    return named if each == level or len(named) == 1 else mismatch("several values above the level")


def permitted(plan: RetrievePlan, syntax: Syntax, minted: Mapping[str, str]) -> bytes:
    """The identifier to send: each UID in ``minted`` replaced by its UID that names nothing.

    Order and number stay. ``LocalProtocolError`` at PATIENT level, where it takes ``as_studies``, and
    if a UID above the level is replaced but not all at it: an archive that ignores the study would
    send the series of a hidden one.
    """
    at_level = {*(plan.instances or plan.series or plan.studies)}
    above = {*plan.studies, *plan.series} - at_level
    if not at_level or not (minted.keys().isdisjoint(above) or minted.keys() >= at_level):
        raise LocalProtocolError("a study is hidden, but not what is retrieved of it")
    named = (plan.studies, plan.series, plan.instances)
    return _identifier(plan, plan.level, [[minted.get(uid, uid) for uid in uids] for uids in named], syntax)


def as_studies(plan: RetrievePlan, studies: Sequence[str], syntax: Syntax) -> bytes | Refused:
    """A PATIENT level retrieve as one at STUDY level, of the studies that the client may see: at least one."""
    if not studies:
        raise LocalProtocolError("no study to retrieve: ask for nobody instead")
    if len(studies) > keys.MOST_UIDS:
        return Refused(UNABLE_TO_PERFORM, f"the patient has more than {keys.MOST_UIDS} studies")
    return _identifier(plan, "STUDY", [studies, (), ()], syntax)


def nobody(syntax: Syntax, minted: str) -> bytes:
    """A PATIENT level retrieve of a Patient ID that was minted and is nobody's."""
    return data_set(
        {
            keys.QUERY_RETRIEVE_LEVEL: Element("CS", b"PATIENT"),
            keys.PATIENT_ID: Element("LO", minted.encode("ascii")),
        },
        syntax,
    )


def _identifier(plan: RetrievePlan, level: str, named: Sequence[Sequence[str]], syntax: Syntax) -> bytes:
    elements = {keys.QUERY_RETRIEVE_LEVEL: Element("CS", level.encode())}
    if plan.patients:
        elements[keys.PATIENT_ID] = Element("LO", plan.patients[0].encode("latin-1"))
        if plan.charset:
            elements[keys.SPECIFIC_CHARACTER_SET] = Element("CS", plan.charset)
    tags = (keys.STUDY_INSTANCE_UID, keys.SERIES_INSTANCE_UID, keys.SOP_INSTANCE_UID)
    for tag, uids in zip(tags, named, strict=True):
        if uids:
            elements[tag] = Element("UI", "\\".join(uids).encode("ascii"))
    return data_set(elements, syntax)
