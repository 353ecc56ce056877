"""A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2 and 9.3.3): the question who is who, and its answer.

Requests are read strictly in what the standard makes mandatory, because an acceptor answers for
what it takes in. Answers are read more liberally, because a scanner wants to see sloppy servers as
they are: an application context, user information or transfer syntax that is missing is shown as
missing. In both, lengths must add up and context ids must be odd and unique.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from leadglass.errors import LocalProtocolError
from leadglass.wire.fields import Fields, item, malformed, number, padded_text, split_items, text
from leadglass.wire.limits import Limits
from leadglass.wire.uids import APPLICATION_CONTEXT
from leadglass.wire.user_information import (
    USER_INFORMATION,
    UserInformation,
    decode_user_information,
    encode_user_information,
)

__all__ = [
    "AAssociateAC",
    "AAssociateRQ",
    "PresentationContextAC",
    "PresentationContextRQ",
    "decode_ac",
    "decode_rq",
    "encode_ac",
    "encode_rq",
]

_APPLICATION_CONTEXT_ITEM = 0x10
_CONTEXT_RQ = 0x20
_CONTEXT_AC = 0x21
_ABSTRACT_SYNTAX = 0x30
_TRANSFER_SYNTAX = 0x40

_CACHED_BODY = 4096
"""Answers up to this size are decoded once; servers of one product answer one caller alike."""


@dataclass(frozen=True, slots=True)
class PresentationContextRQ:
    """One proposal (PS3.8 9.3.2.2): an abstract syntax in any of these transfer syntaxes."""

    context_id: int
    """Odd, 1 to 255."""
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresentationContextAC:
    """The answer to one proposal (PS3.8 9.3.3.2)."""

    context_id: int
    result: int
    """0 acceptance, 1 user rejection, 2 no reason, 3 abstract syntax, 4 transfer syntaxes."""
    transfer_syntax: str | None
    """Not significant unless accepted; None if the peer left it out or empty."""


@dataclass(frozen=True, slots=True)
class AAssociateRQ:
    """A-ASSOCIATE-RQ. Encoded once, however often it is sent: make one object for many targets."""

    called_ae_title: str
    calling_ae_title: str
    presentation_contexts: tuple[PresentationContextRQ, ...]
    user_information: UserInformation
    application_context_name: str = APPLICATION_CONTEXT
    protocol_version: int = 1
    """A bit field; bit 0 is version 1, the only one there is."""
    context_ids: frozenset[int] = field(init=False, repr=False, compare=False)
    """The ids of the proposals."""
    _encoded: bytes | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = frozenset([context.context_id for context in self.presentation_contexts])
        object.__setattr__(self, "context_ids", ids)


@dataclass(frozen=True, slots=True)
class AAssociateAC:
    """A-ASSOCIATE-AC. The titles are reserved fields that repeat the request's (PS3.8 table 9-17)."""

    called_ae_title: str
    calling_ae_title: str
    presentation_contexts: tuple[PresentationContextAC, ...]
    user_information: UserInformation
    application_context_name: str | None = APPLICATION_CONTEXT
    protocol_version: int = 1
    context_ids: frozenset[int] = field(init=False, repr=False, compare=False)
    """The ids of all answers."""
    accepted_ids: frozenset[int] = field(init=False, repr=False, compare=False)
    """The ids that were accepted: data may flow on these."""

    def __post_init__(self) -> None:
        results = {context.context_id: context.result for context in self.presentation_contexts}
        object.__setattr__(self, "context_ids", frozenset(results))
        accepted = frozenset([context_id for context_id, result in results.items() if result == 0])
        object.__setattr__(self, "accepted_ids", accepted)


def decode_rq(body: bytes, limits: Limits) -> AAssociateRQ:
    """The body of an A-ASSOCIATE-RQ."""
    version, called, calling, items = _head(body, limits, "A-ASSOCIATE-RQ")
    contexts = tuple(_decode_context_rq(data, limits) for kind, data in items if kind == _CONTEXT_RQ)
    _check_contexts([context.context_id for context in contexts], limits)
    application = _one(items, _APPLICATION_CONTEXT_ITEM, "A-ASSOCIATE-RQ")
    information = _one(items, USER_INFORMATION, "A-ASSOCIATE-RQ")
    if not contexts or application is None or information is None:
        raise malformed("the A-ASSOCIATE-RQ lacks a mandatory item")
    return AAssociateRQ(
        called,
        calling,
        contexts,
        decode_user_information(information, limits, request=True),
        padded_text(application, limits.text, "the application context name"),
        version,
    )


def decode_ac(body: bytes, limits: Limits) -> AAssociateAC:
    """The body of an A-ASSOCIATE-AC."""
    # Byte pairs that could start a user identity response are kept out of the cache: it may be a
    # Kerberos ticket, and nothing else here outlives its association.
    if len(body) <= _CACHED_BODY and b"\x59\x00" not in body:
        return _cached_ac(body, limits)
    return _decode_ac(body, limits)


def _decode_ac(body: bytes, limits: Limits) -> AAssociateAC:
    version, called, calling, items = _head(body, limits, "A-ASSOCIATE-AC")
    contexts = tuple(_decode_context_ac(data, limits) for kind, data in items if kind == _CONTEXT_AC)
    _check_contexts([context.context_id for context in contexts], limits)
    application = _one(items, _APPLICATION_CONTEXT_ITEM, "A-ASSOCIATE-AC")
    information = _one(items, USER_INFORMATION, "A-ASSOCIATE-AC")
    return AAssociateAC(
        called,
        calling,
        contexts,
        decode_user_information(information or b"", limits, request=False),
        None
        if application is None
        else padded_text(application, limits.text, "the application context name"),
        version,
    )


_cached_ac = lru_cache(maxsize=256)(_decode_ac)


def _head(body: bytes, limits: Limits, where: str) -> tuple[int, str, str, list[tuple[int, bytes]]]:
    fields = Fields(body, f"the {where}")
    version = fields.number(2)
    fields.take(2)
    called, calling = _decode_title(fields.take(16)), _decode_title(fields.take(16))
    fields.take(32)
    return version, called, calling, split_items(fields.rest(), limits.items, f"the {where}")


def _decode_title(raw: bytes) -> str:
    # Leading and trailing spaces are not significant (PS3.5 6.2, AE); NULs are real peers' padding.
    return raw.decode("latin-1").strip(" \0")


def _one(items: list[tuple[int, bytes]], kind: int, where: str) -> bytes | None:
    found = [data for its_kind, data in items if its_kind == kind]
    if len(found) > 1:
        raise malformed(f"item {kind:02X}H occurs {len(found)} times in the {where}")
    return found[0] if found else None


def _check_contexts(ids: list[int], limits: Limits) -> None:
    if len(ids) > limits.contexts:
        raise malformed(f"more than {limits.contexts} presentation contexts")
    if len(set(ids)) != len(ids):
        raise malformed("two presentation contexts have the same id")
    for context_id in ids:
        if context_id % 2 == 0:
            raise malformed(f"presentation context id {context_id} is not odd")


def _decode_context_rq(data: bytes, limits: Limits) -> PresentationContextRQ:
    where = "a proposed presentation context"
    fields = Fields(data, where)
    context_id = fields.number(1)
    fields.take(3)
    # The abstract syntax and the transfer syntaxes; one more sub-item is already too many.
    items = split_items(fields.rest(), limits.transfer_syntaxes + 1, where)
    abstract = [d for kind, d in items if kind == _ABSTRACT_SYNTAX]
    transfer = [d for kind, d in items if kind == _TRANSFER_SYNTAX]
    if len(abstract) != 1 or not transfer:
        raise malformed(f"{where} needs one abstract syntax and a transfer syntax")
    return PresentationContextRQ(
        context_id,
        padded_text(abstract[0], limits.text, "an abstract syntax"),
        tuple(padded_text(d, limits.text, "a transfer syntax") for d in transfer),
    )


def _decode_context_ac(data: bytes, limits: Limits) -> PresentationContextAC:
    where = "an answered presentation context"
    fields = Fields(data, where)
    context_id = fields.number(1)
    fields.take(1)
    result = fields.number(1)
    fields.take(1)
    items = split_items(fields.rest(), limits.transfer_syntaxes + 1, where)
    transfer = _one(items, _TRANSFER_SYNTAX, where)
    syntax = padded_text(transfer, limits.text, "a transfer syntax") if transfer else ""
    return PresentationContextAC(context_id, result, syntax or None)


def encode_rq(rq: AAssociateRQ) -> bytes:
    """The whole A-ASSOCIATE-RQ PDU."""
    if rq._encoded is None:  # noqa: SLF001 - the object's own module keeps its encoding
        contexts = b"".join(map(_encode_context_rq, rq.presentation_contexts))
        object.__setattr__(rq, "_encoded", _encode(0x01, rq, contexts))
    assert rq._encoded is not None  # noqa: SLF001
    return rq._encoded  # noqa: SLF001


def encode_ac(ac: AAssociateAC) -> bytes:
    """The whole A-ASSOCIATE-AC PDU."""
    return _encode(0x02, ac, b"".join(map(_encode_context_ac, ac.presentation_contexts)))


def _encode(pdu_type: int, pdu: AAssociateRQ | AAssociateAC, contexts: bytes) -> bytes:
    name = pdu.application_context_name
    application = (
        b"" if name is None else item(_APPLICATION_CONTEXT_ITEM, text(name, "the application context"))
    )
    body = b"".join(
        (
            number(pdu.protocol_version, 2, "the protocol version"),
            b"\0\0",
            _encode_title(pdu.called_ae_title),
            _encode_title(pdu.calling_ae_title),
            bytes(32),
            application,
            contexts,
            encode_user_information(pdu.user_information),
        )
    )
    return bytes((pdu_type, 0)) + len(body).to_bytes(4, "big") + body


def _encode_title(title: str) -> bytes:
    encoded = text(title, "an AE title").ljust(16)
    if len(encoded) > 16:
        raise LocalProtocolError(f"the AE title {title!r} has more than 16 characters")
    return encoded


def _encode_context_rq(context: PresentationContextRQ) -> bytes:
    syntaxes = [item(_TRANSFER_SYNTAX, text(uid, "a transfer syntax")) for uid in context.transfer_syntaxes]
    abstract = item(_ABSTRACT_SYNTAX, text(context.abstract_syntax, "an abstract syntax"))
    head = number(context.context_id, 1, "the context id") + bytes(3)
    return item(_CONTEXT_RQ, head + abstract + b"".join(syntaxes))


def _encode_context_ac(context: PresentationContextAC) -> bytes:
    head = number(context.context_id, 1, "the context id") + b"\0" + number(context.result, 1, "the result")
    syntax = item(_TRANSFER_SYNTAX, text(context.transfer_syntax or "", "a transfer syntax"))
    return item(_CONTEXT_AC, head + b"\0" + syntax)
