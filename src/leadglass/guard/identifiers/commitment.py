"""Storage commitment push model (PS3.4 annex J): which instances an archive shall answer for, or does.

The request asks, for each instance, whether the archive has it. Write it anew with the instances
that the client may ask about, and the report with those it asked about: ``dataclasses.replace``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.encoding import (
    Element,
    byte_order,
    data_set,
    read_items,
    sequence,
    single_uid,
    values,
)
from leadglass.guard.identifiers.refusal import INVALID_ATTRIBUTE_VALUE, MISSING_ATTRIBUTE, Refused
from leadglass.guard.identifiers.text import single
from leadglass.wire.elements import Span, Syntax, walk

__all__ = ["MOST_INSTANCES", "Commitment", "Reference", "encode_commitment", "read_commitment"]

MOST_INSTANCES = 20_000
"""Instances in one request; a large study has some thousand."""
_LARGEST = 4 * 1024 * 1024
"""Bytes in one request: as many instances with long UIDs."""

_SOP_CLASS = 0x0008_1150
_SOP_INSTANCE = 0x0008_1155
_TRANSACTION = 0x0008_1195
_FAILURE_REASON = 0x0008_1197
_FAILED = 0x0008_1198
_REFERENCED = 0x0008_1199
_OF_A_REFERENCE = frozenset({_SOP_CLASS, _SOP_INSTANCE, _FAILURE_REASON})


class Reference(NamedTuple):
    """An instance."""

    sop_class_uid: str
    sop_instance_uid: str
    failure: int | None = None
    """Failure Reason (0008,1197), of those the archive does not answer for."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """The Action Information of an N-ACTION, or the Event Information of an N-EVENT-REPORT."""

    transaction_uid: str
    referenced: tuple[Reference, ...]
    failed: tuple[Reference, ...] = ()
    retrieve_ae_title: str | None = None


def read_commitment(data: bytes, syntax: Syntax) -> Commitment | Refused:
    """What is asked or reported. ``RemoteProtocolError`` if it is no data set, or names too many instances."""
    if len(data) > _LARGEST:
        return Refused(INVALID_ATTRIBUTE_VALUE, "more is to be committed than one request may hold")
    spans = {span.tag: span for span in walk(data, syntax)}
    transaction = single_uid(_value(data, spans.get(_TRANSACTION)))
    referenced = _references(data, spans.get(_REFERENCED), syntax)
    failed = _references(data, spans.get(_FAILED), syntax)
    if transaction is None or referenced is None or failed is None:
        return Refused(MISSING_ATTRIBUTE, "a transaction or an instance is without its UID")
    title = single(_value(data, spans.get(keys.RETRIEVE_AE_TITLE)))
    return Commitment(transaction, referenced, failed, title)


def _value(data: bytes, span: Span | None) -> bytes | None:
    return data[span.value_at : span.end] if span else None


def encode_commitment(commitment: Commitment, syntax: Syntax) -> bytes:
    """The data set that says so, and nothing else."""
    elements = {_TRANSACTION: Element("UI", commitment.transaction_uid.encode("ascii"))}
    if commitment.retrieve_ae_title:
        elements[keys.RETRIEVE_AE_TITLE] = Element("AE", commitment.retrieve_ae_title.encode("ascii"))
    for tag, references in ((_FAILED, commitment.failed), (_REFERENCED, commitment.referenced)):
        if references:
            elements[tag] = Element("SQ", sequence([_item(each, syntax) for each in references], syntax))
    return data_set(elements, syntax)


def _item(reference: Reference, syntax: Syntax) -> bytes:
    elements = {
        _SOP_CLASS: Element("UI", reference.sop_class_uid.encode("ascii")),
        _SOP_INSTANCE: Element("UI", reference.sop_instance_uid.encode("ascii")),
    }
    if reference.failure is not None:
        elements[_FAILURE_REASON] = Element("US", reference.failure.to_bytes(2, byte_order(syntax)))
    return data_set(elements, syntax)


def _references(data: bytes, span: Span | None, syntax: Syntax) -> tuple[Reference, ...] | None:
    if span is None:
        return ()
    contents = read_items(data, span, syntax, MOST_INSTANCES)
    found = [_reference(values(content, syntax, _OF_A_REFERENCE), syntax) for content in contents]
    return None if None in found else tuple(each for each in found if each)


def _reference(found: Mapping[int, bytes], syntax: Syntax) -> Reference | None:
    sop_class, instance = single_uid(found.get(_SOP_CLASS)), single_uid(found.get(_SOP_INSTANCE))
    reason = found.get(_FAILURE_REASON)
    if sop_class is None or instance is None:
        return None
    if reason and len(reason) != 2:
        return None
    return Reference(sop_class, instance, int.from_bytes(reason, byte_order(syntax)) if reason else None)
