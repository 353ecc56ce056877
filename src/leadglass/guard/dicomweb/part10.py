"""The head of an object in a DICOM file (PS3.10 clause 7): preamble, file meta information, leading attributes.

The preamble is where a file can be a program as well (CVE-2019-11687): 128 bytes that DICOM ignores
and operating systems do not. It leaves here as zeros, but for the one use that it has, TIFF. File
meta information is read by a list of what may stand there, because readers of it were found to
write past their memory (CVE-2026-5437, CVE-2026-3650).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from leadglass.errors import RemoteProtocolError
from leadglass.guard.identifiers.encoding import single_uid
from leadglass.guard.identifiers.head import HEAD_TAGS, STOP, study_from_head
from leadglass.guard.identifiers.refusal import CANNOT_UNDERSTAND, Refused
from leadglass.model.access import Study
from leadglass.wire.elements import HeadReader, syntax_of

__all__ = ["TRANSFER_SYNTAX_NOT_SUPPORTED", "Failure", "FileReader", "Head"]

TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122
"""PS3.18 table I.2-2."""

_PREAMBLE = 128
_META_AT = 132
_FIRST_ELEMENT = 12
_LARGEST_META = 16 * 1024
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_GROUP_LENGTH = b"\2\0\0\0UL\4\0"
_ELEMENT = Struct("<HH2sH")
_LENGTH = Struct("<L")
_META: Mapping[int, bytes] = {
    0x01: b"OB",
    0x02: b"UI",
    0x03: b"UI",
    0x10: b"UI",
    0x12: b"UI",
    0x13: b"SH",
    0x16: b"AE",
    0x17: b"AE",
    0x18: b"AE",
    0x26: b"UR",
    0x27: b"UR",
    0x28: b"UR",
    0x100: b"UI",
    0x102: b"OB",
}
"""Elements of group 0002 and their VRs (PS3.10 table 7.1-1, PS3.6 clause 7)."""
_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX = 0x02, 0x03, 0x10
_LONG = frozenset({b"OB", b"UR"})


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that is not passed on."""

    reason: int
    """Failure Reason (0008,1197)."""
    why: str
    sop_class: str | None = None
    sop_instance: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What the head of an object says."""

    study: Study
    sop_class: str
    sop_instance: str


class FileReader:
    """One file in pieces: first its head, then the rest in passing."""

    def __init__(self) -> None:
        self._prefix = bytearray()
        """Preamble and file meta information."""
        self._reader: HeadReader | None = None
        self._uids: tuple[str, str] = "", ""
        self._failed = False
        self.result: Head | Failure | None = None
        """What became of the head; None as long as more is needed."""

    def feed(self, data: bytes | memoryview, *, last: bool = False) -> list[bytes | memoryview]:
        """The next piece; what may be sent on, if the file is.

        Raises ``RemoteProtocolError`` if the rest does not fit the head.
        """
        if self._failed:
            return []
        if self.result is not None:
            assert self._reader is not None
            self._reader.feed(data, last=last)
            return [data]
        try:
            return self._read(data, last=last)
        except RemoteProtocolError as exc:
            return self._fail(Failure(CANNOT_UNDERSTAND, exc.what, *self._uids))

    def _fail(self, failure: Failure) -> list[bytes | memoryview]:
        self.result, self._failed = failure, True
        self._prefix.clear()
        return []

    def _read(self, data: bytes | memoryview, *, last: bool) -> list[bytes | memoryview]:
        if self._reader is None:
            self._prefix += data
            end = self._meta_end()
            if end is None or len(self._prefix) < end:
                if last:
                    raise RemoteProtocolError("a file that ends within its file meta information")
                return []
            data = bytes(self._prefix[end:])
            del self._prefix[end:]
            failure = self._begin(_meta(self._prefix))
            if failure is not None:
                return self._fail(failure)
        assert self._reader is not None
        if not self._reader.feed(data, last=last):
            return []
        return self._conclude()

    def _meta_end(self) -> int | None:
        """Where the data set begins; None if it cannot be said yet."""
        prefix = self._prefix
        if bytes(prefix[_PREAMBLE:_META_AT]) != b"DICM"[: max(0, len(prefix) - _PREAMBLE)]:
            raise RemoteProtocolError("a file without the prefix DICM")
        if len(prefix) < _META_AT + _FIRST_ELEMENT:
            return None
        if not prefix.startswith(_GROUP_LENGTH, _META_AT):
            raise RemoteProtocolError("file meta information that does not begin with its length")
        (size,) = _LENGTH.unpack_from(prefix, _META_AT + 8)
        if size > _LARGEST_META:
            raise RemoteProtocolError("file meta information that is too large")
        return _META_AT + _FIRST_ELEMENT + int(size)

    def _begin(self, meta: Mapping[int, bytes]) -> Failure | None:
        uids = [single_uid(meta.get(number)) for number in (_SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX)]
        sop_class, sop_instance, transfer_syntax = uids
        if sop_class is None or sop_instance is None or transfer_syntax is None:
            raise RemoteProtocolError(
                "file meta information without a class, an instance or a transfer syntax"
            )
        self._uids = sop_class, sop_instance
        syntax = syntax_of(transfer_syntax)
        if syntax is None:
            return Failure(TRANSFER_SYNTAX_NOT_SUPPORTED, "a deflated object is not read", *self._uids)
        self._reader = HeadReader(syntax, HEAD_TAGS, STOP)
        return None

    def _conclude(self) -> list[bytes | memoryview]:
        assert self._reader is not None
        sop_class, sop_instance = self._uids
        study = study_from_head(self._reader.values, sop_class_uid=sop_class, sop_instance_uid=sop_instance)
        if isinstance(study, Refused):
            return self._fail(Failure(study.status, study.reason, sop_class, sop_instance))
        self.result = Head(study, sop_class, sop_instance)
        if not self._prefix.startswith(_TIFF):
            self._prefix[:_PREAMBLE] = bytes(_PREAMBLE)
        return [bytes(self._prefix), *self._reader.held]


def _meta(prefix: bytes | bytearray) -> Mapping[int, bytes]:
    """The elements of group 0002 behind its length, which they fill exactly."""
    found: dict[int, bytes] = {}
    at, last = _META_AT + _FIRST_ELEMENT, 0
    while at < len(prefix):
        if at + 8 > len(prefix):
            raise RemoteProtocolError("file meta information that does not add up")
        group, number, vr, length = _ELEMENT.unpack_from(prefix, at)
        if group != 2 or number <= last or _META.get(number) != vr:
            raise RemoteProtocolError("file meta information with an element that has no place there")
        at += 8
        if vr in _LONG:
            if at + 4 > len(prefix):
                raise RemoteProtocolError("file meta information that does not add up")
            (length,) = _LENGTH.unpack_from(prefix, at)
            at += 4
        if length > len(prefix) - at:
            raise RemoteProtocolError("file meta information that does not add up")
        found[number] = bytes(prefix[at : at + length])
        at, last = at + length, number
    return found
