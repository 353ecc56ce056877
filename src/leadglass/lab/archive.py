"""An archive of fictitious patients, and C-FIND's rules for what matches (PS3.4 C.2.2.2 and C.4).

Queries are relational: a level's own key finds without the keys above it, as most archives allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from leadglass.lab.dataset import VR, Elements, Tag, Value
from leadglass.lab.fiction import Instance
from leadglass.wire import uids

__all__ = ["LEVEL", "Archive", "levels"]

LEVEL: Tag = (0x0008, 0x0052)
_RETRIEVE_AE: Tag = (0x0008, 0x0054)
_CHARACTER_SET: Tag = (0x0008, 0x0005)
_NOT_KEYS = frozenset({LEVEL, _RETRIEVE_AE, _CHARACTER_SET})

_UNIQUE: Mapping[str, Tag] = {
    "PATIENT": (0x0010, 0x0020),
    "STUDY": (0x0020, 0x000D),
    "SERIES": (0x0020, 0x000E),
    "IMAGE": (0x0008, 0x0018),
}
"""The unique key of each level (PS3.4 C.6.1.1)."""

_FROM_STUDY = ("STUDY", "SERIES", "IMAGE")
_LEVELS: Mapping[str, Sequence[str]] = {
    uids.PATIENT_ROOT_FIND: ("PATIENT", *_FROM_STUDY),
    uids.STUDY_ROOT_FIND: _FROM_STUDY,
    uids.PATIENT_STUDY_ONLY_FIND: ("PATIENT", "STUDY"),
}

_BELOW: Mapping[Tag, str] = {
    (0x0008, 0x0060): "SERIES",
    (0x0008, 0x103E): "SERIES",
    (0x0020, 0x000E): "SERIES",
    (0x0020, 0x0011): "SERIES",
    (0x0008, 0x0016): "IMAGE",
    (0x0008, 0x0018): "IMAGE",
    (0x0020, 0x0013): "IMAGE",
}
"""Attributes that exist only from a level on; the others are the patient's or the study's."""

_STEP: Tag = (0x0040, 0x0100)


def levels(model: str) -> Sequence[str]:
    """The levels of an information model; empty for an SOP class that is none."""
    return _LEVELS.get(model, ())


class Archive:
    """Fictitious images, found by query."""

    def __init__(self, instances: Iterable[Instance] = ()) -> None:
        self._instances = tuple(instances)

    def find(self, model: str, identifier: Mapping[Tag, str], called_ae: str) -> Iterator[Elements] | None:
        """The matches, each with the keys that were asked for; None: the level is missing or wrong."""
        level = identifier.get(LEVEL, "")
        if level not in levels(model):
            return None
        keys = {tag: value for tag, value in identifier.items() if tag not in _NOT_KEYS}
        own = {LEVEL: level, _RETRIEVE_AE: called_ae}
        return (_answer(found, keys, own) for found in self.select(level, keys))

    def worklist(self, identifier: Mapping[Tag, str], station: str) -> Iterator[Elements]:
        """The patients as scheduled procedure steps (PS3.4 K.6); keys within the step match everything."""
        keys = {tag: value for tag, value in identifier.items() if tag not in _NOT_KEYS and tag != _STEP}
        for found in self.select("STUDY", keys):
            answer = dict(_answer(found, keys, {}))
            answer[_STEP] = (_step(found, station),)
            yield answer

    def studies(self) -> Iterator[Instance]:
        """One image of each study, for the web interfaces."""
        return self.select("STUDY", {})

    def select(self, level: str, keys: Mapping[Tag, str]) -> Iterator[Instance]:
        """One image for each patient, study, series or image that the keys match, as far as ``level`` knows it."""
        order = list(_UNIQUE)
        known = {tag for tag in VR if order.index(_BELOW.get(tag, "PATIENT")) <= order.index(level)}
        seen: set[str] = set()
        for instance in self._instances:
            name = instance[_UNIQUE[level]]
            if name not in seen and all(
                _matches(tag, v, instance) for tag, v in keys.items() if tag in known
            ):
                seen.add(name)
                yield {tag: value for tag, value in instance.items() if tag in known}


def _answer(found: Instance, keys: Mapping[Tag, str], own: Mapping[Tag, str]) -> Elements:
    """The keys asked for; what the archive does not know of comes back empty (PS3.4 C.4.1.1.3.2)."""
    asked: dict[Tag, Value] = {tag: found.get(tag, "") for tag in keys}
    return {**asked, **own}


def _step(found: Instance, station: str) -> Elements:
    return {
        (0x0008, 0x0060): "CT",
        (0x0040, 0x0001): station,
        (0x0040, 0x0002): found[0x0008, 0x0020],
        (0x0040, 0x0003): "120000",
    }


def _matches(tag: Tag, wanted: str, instance: Instance) -> bool:
    if not wanted:
        return True  # universal matching
    value, vr = instance.get(tag, ""), VR[tag]
    if vr == "UI":
        return value in wanted.split("\\")
    if vr in {"DA", "TM"} and "-" in wanted:
        first, _, last = wanted.partition("-")
        return (first or value) <= value <= (last or value)
    if vr == "PN":
        value, wanted = value.casefold(), wanted.casefold()
    return value == wanted if vr in {"DA", "TM", "IS"} else _like(wanted, value)


def _like(pattern: str, value: str) -> bool:
    """``*`` is any text, ``?`` any one character. Goes back to the last ``*`` only, so it ends soon."""
    at = here = 0
    star, resume = -1, 0
    while at < len(value):
        if here < len(pattern) and pattern[here] == "*":
            star, resume, here = here, at, here + 1
        elif here < len(pattern) and pattern[here] in ("?", value[at]):
            here, at = here + 1, at + 1
        elif star >= 0:
            here, resume, at = star + 1, resume + 1, resume + 1
        else:
            return False
    return not pattern[here:].strip("*")
