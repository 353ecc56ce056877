"""What a time-stamping authority is asked, and whether its answer is to be believed (RFC 3161). Needs the extra ``stamp``.

What is stamped is the digest of an entry: the authority sees 32 octets and nothing of the register.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from leadglass.errors import ConfigError, RemoteProtocolError
from leadglass.ledger.chain import digested, read_entry
from leadglass.model.register import Stamp
from leadglass.register.stamped import Judge

__all__ = ["Question", "accepted", "judge_of", "question_about", "roots_of"]

_SHA256 = x509.ObjectIdentifier("2.16.840.1.101.3.4.2.1")
_CERTIFICATES = 0xA0
"""The tag of SignedData's certificates (RFC 5652 5.1)."""
_REASON = re.compile(r'reason: "([a-z0-9 ]{1,60})"')
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


@dataclass(frozen=True, slots=True)
class Question:
    """A time stamp that is asked for."""

    n: int
    """The entry."""
    digest: str
    request: bytes
    """TimeStampReq, with a nonce and the wish for the authority's certificate."""
    nonce: int


def question_about(line: bytes) -> Question:
    """What to ask about the entry in ``line``, which is one."""
    entry = read_entry(line)
    assert entry is not None
    builder = TimestampRequestBuilder().data(digested(line)).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.nonce().cert_request(cert_request=True).build()
    assert request.nonce is not None
    assert request.message_imprint.message.hex() == entry.digest
    return Question(entry.n, entry.digest, request.as_bytes(), request.nonce)


def accepted(question: Question, answer: bytes, authority: str, roots: Sequence[x509.Certificate]) -> Stamp:
    """The stamp in ``answer``; ``RemoteProtocolError`` if it is none, or not what was asked for, or not believed."""
    problem, at = _judged(answer, question.digest, roots, question.nonce)
    if problem:
        raise RemoteProtocolError(f"{authority}: this is no time stamp to be kept ({problem})")
    return Stamp(question.n, question.digest, at, authority, base64.b64encode(answer).decode())


def judge_of(roots: Sequence[x509.Certificate] | None) -> Judge:
    """Judges what authorities signed; without ``roots`` only what it says, not who says it."""

    def judge(stamp: Stamp) -> str:
        try:
            answer = base64.b64decode(stamp.answer, validate=True)
        except (binascii.Error, ValueError):
            return "its answer is no base64"
        problem, at = _judged(answer, stamp.digest, roots, None)
        return problem or ("" if at == stamp.at else "it says another time than the entry")

    return judge


def roots_of(pem: bytes, where: str) -> Sequence[x509.Certificate]:
    """The certificates in a PEM file; ``ConfigError`` if there is none."""
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as exc:
        raise ConfigError(
            "there is no certificate in it", where=where, then="give the authority's root certificate as PEM"
        ) from exc


def _judged(
    answer: bytes, digest: str, roots: Sequence[x509.Certificate] | None, nonce: int | None
) -> tuple[str, int]:
    """What is wrong, and the moment that the answer tells, POSIX seconds."""
    try:
        response = decode_timestamp_response(_in_order(answer))
        problem = _status(response) or _imprint(response, digest)
        if problem:
            return problem, 0
        if roots is not None:
            VerifierBuilder(roots=list(roots), nonce=nonce).build().verify(response, bytes.fromhex(digest))
        return "", int(response.tst_info.gen_time.timestamp())
    except VerificationError as exc:
        return _refusal(str(exc)), 0
    except (ValueError, TypeError, OverflowError, AttributeError) as exc:
        return f"it is no TimeStampResp: {_UNPRINTABLE.sub(' ', str(exc))[:100]}", 0


def _refusal(said: str) -> str:
    """In one line why an answer is not believed; OpenSSL's own word where it has one."""
    reason = _REASON.search(said)
    if reason:
        return f"it is not signed by whom the roots vouch for, or was not valid then: {reason[1]}"
    return _UNPRINTABLE.sub(" ", said)[:200]


def _in_order(answer: bytes) -> bytes:
    """``answer`` with its set of certificates in the order of DER (X.690 11.6), which OpenSSL does not keep to.

    Nobody signs that set, and the library reads nothing else. What is no DER is left as it is: the library says why.
    """
    try:
        *_, token = _parts(answer, *_parts(answer, 0, len(answer))[0][1:])
        _, content = _parts(answer, *token[1:])
        (signed,) = _parts(answer, *content[1:])
        fields = _parts(answer, *signed[1:])
        start, end = next(part[1:] for part in fields if answer[part[0]] == _CERTIFICATES)
        members = sorted(answer[first:last] for first, _, last in _parts(answer, start, end))
    except (ValueError, IndexError, StopIteration):
        return answer
    return answer[:start] + b"".join(members) + answer[end:]


def _parts(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """The elements between ``start`` and ``end``: where each begins, where its content begins, where it ends."""
    found = []
    while start < end:
        size, content = der[start + 1], start + 2
        if size & 0x80:
            more = size & 0x7F
            size, content = int.from_bytes(der[content : content + more], "big"), content + more
        if content + size > end:
            raise ValueError("it ends too early")
        found.append((start, content, content + size))
        start = content + size
    return found


def _status(response: TimeStampResponse) -> str:
    """RFC 3161 2.4.2: only ``granted`` is as it was asked for."""
    if response.status == 0:
        return ""
    said = _UNPRINTABLE.sub(" ", " ".join(response.status_string))[:100]
    return f"the authority says status {response.status}{': ' + said if said else ''}"


def _imprint(response: TimeStampResponse, digest: str) -> str:
    imprint = response.tst_info.message_imprint
    if imprint.hash_algorithm != _SHA256 or imprint.message.hex() != digest:
        return "it is over something else"
    return ""
