"""The answer to STOW-RS (PS3.18 annex I): what the archive says, and what the guard did not pass on.

Of the archive's words only UIDs, reasons and the objects that it was sent are taken over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from leadglass.guard.dicomweb.array import Element
from leadglass.guard.dicomweb.part10 import Failure, Head
from leadglass.guard.dicomweb.paths import is_uid

__all__ = ["report", "taken"]

_FAILED = "00081198"
_STORED = "00081199"
_OTHER_FAILURES = "0008119A"
_SOP_CLASS = "00081150"
_SOP_INSTANCE = "00081155"
_URL = "00081190"
_WARNING = "00081196"
_REASON = "00081197"
_PROCESSING_FAILURE = 0x0110
_SERIES = re.compile(r"/series/([0-9.]{1,64})/instances/([0-9.]{1,64})\Z")


def taken(sent: Mapping[str, Head], said: Element) -> Mapping[str, Element]:
    """Which of the objects the archive says to have stored, by SOP Instance UID, and what it says of each."""
    return {uid: item for item in _items(said, _STORED) if (uid := _text(item, _SOP_INSTANCE)) in sent}


def report(
    sent: Mapping[str, Head], refused: Sequence[Failure], said: Element, public: str
) -> tuple[int, Element]:
    """HTTP status and body. ``sent`` are the objects that the archive got, by SOP Instance UID.

    ``said`` is the archive's answer; an object that it does not name was not stored.
    """
    stored = taken(sent, said)
    reasons = {_text(item, _SOP_INSTANCE): _number(item, _REASON) for item in _items(said, _FAILED)}
    failed = [
        Failure(reasons.get(uid) or _PROCESSING_FAILURE, "", head.sop_class, uid)
        for uid, head in sent.items()
        if uid not in stored
    ]
    studies = {sent[uid].study.study_instance_uid for uid in stored}
    body: dict[str, Any] = {}
    if len(studies) == 1:
        body[_URL] = {"vr": "UR", "Value": [f"{public}/studies/{studies.pop()}"]}
    failures = [*failed, *refused]
    named = [_failure(failure) for failure in failures if failure.sop_instance]
    nameless = [_reason(failure) for failure in failures if not failure.sop_instance]
    kept = [_stored(sent[uid], item, public) for uid, item in stored.items()]
    for tag, items in ((_FAILED, named), (_STORED, kept), (_OTHER_FAILURES, nameless)):
        if items:
            body[tag] = {"vr": "SQ", "Value": items}
    return _status(len(kept), len(failures), any(_WARNING in item for item in kept)), body


def _status(kept: int, failures: int, warned: bool) -> int:
    """PS3.18 table 10.5.3-1."""
    if not kept:
        return 409
    return 202 if failures or warned else 200


def _stored(head: Head, item: Element, public: str) -> Element:
    warning = _number(item, _WARNING)
    return {
        _SOP_CLASS: {"vr": "UI", "Value": [head.sop_class]},
        _SOP_INSTANCE: {"vr": "UI", "Value": [head.sop_instance]},
        _URL: {"vr": "UR", "Value": [f"{public}/studies/{_way(head, item)}"]},
        **({_WARNING: {"vr": "US", "Value": [warning]}} if warning else {}),
    }


def _way(head: Head, item: Element) -> str:
    """To the object, where the archive says of which series it is; else to its study."""
    study, told = head.study.study_instance_uid, _SERIES.search(_text(item, _URL))
    if told is None or told[2] != head.sop_instance or not is_uid(told[1]):
        return study
    return f"{study}/series/{told[1]}/instances/{told[2]}"


def _failure(failure: Failure) -> Element:
    return {
        _SOP_CLASS: {"vr": "UI", "Value": [failure.sop_class]},
        _SOP_INSTANCE: {"vr": "UI", "Value": [failure.sop_instance]},
        **_reason(failure),
    }


def _reason(failure: Failure) -> Element:
    return {_REASON: {"vr": "US", "Value": [failure.reason]}}


def _items(said: Element, tag: str) -> list[Element]:
    return [item for item in _values(said, tag) if isinstance(item, dict)]


def _values(element: Element, tag: str) -> list[Any]:
    attribute = element.get(tag)
    values = attribute.get("Value") if isinstance(attribute, dict) else None
    return values if isinstance(values, list) else []


def _text(item: Element, tag: str) -> str:
    match _values(item, tag):
        case [str(text)]:
            return text
    return ""


def _number(item: Element, tag: str) -> int:
    match _values(item, tag):
        case [int(number)] if 0 < number <= 0xFFFF:
            return number
    return 0
