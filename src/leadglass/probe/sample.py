"""The question: what kind of studies lie here. Some C-FINDs over random days, counted and forgotten.

Rung: sample, which needs the owner's written authorisation. Budget: one connection. Each query asks
for the studies of one day (study root at STUDY level, PS3.4 C.6.2) with the few keys that the features of
``judge/features`` need, because the order of a database is not random and a query without a limit can
choke an archive. A match is reduced to names of features when it is whole, and its bytes are cleared;
what is kept between matches is counts, and digests of Patient IDs to count different ones. When the limit
is reached the query is cancelled (C-CANCEL) and, since some servers ignore that, the association aborted.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from leadglass.errors import RemoteProtocolError
from leadglass.judge.features import features, shown
from leadglass.model.evidence import FeatureCount, Reply, SampleEvidence, clean
from leadglass.model.rung import Rung
from leadglass.ports.world import Randomness
from leadglass.probe.dicom import DicomConversation
from leadglass.probe.proposal import MAXIMUM_LENGTH, proposal
from leadglass.wire.command import encode_command
from leadglass.wire.dataset import QUERY_RETRIEVE_LEVEL, identifier
from leadglass.wire.dimse import CCancelRQ, CFindRQ, CFindRSP, Message
from leadglass.wire.elements import syntax_of, walk
from leadglass.wire.limits import Limits
from leadglass.wire.pdata import MessageAssembler
from leadglass.wire.pdu import AAssociateAC, PresentationDataValue
from leadglass.wire.uids import IMPLICIT_VR_LE, STUDY_ROOT_FIND

__all__ = ["DAYS", "MOST", "SampleConversation", "random_days"]

DAYS, MOST = 40, 200
"""Days that are asked about, and studies that are counted, of all of them together."""
_YEARS = 5 * 365
"""Days lie within so many before today."""
_LARGEST_MATCH = 1 << 16
"""Bytes: a match with a few text keys is a hundredth of this."""
_CONTEXT = 1
_PENDING = frozenset({0xFF00, 0xFF01})
_TAGS: Mapping[int, str] = {
    0x00080020: "StudyDate",
    0x00080080: "InstitutionName",
    0x00081030: "StudyDescription",
    0x00100010: "PatientName",
    0x00100020: "PatientID",
    0x00102201: "PatientSpeciesDescription",
    0x00120062: "PatientIdentityRemoved",
    0x0020000D: "StudyInstanceUID",
}
"""The keys of the features (``judge.features.keys``), as PS3.6 numbers them."""
_SYNTAX = syntax_of(IMPLICIT_VR_LE)


def random_days(randomness: Randomness, today: dt.date, count: int = DAYS) -> tuple[dt.date, ...]:
    """``count`` different days before ``today``, drawn evenly from five years."""
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[1 + int.from_bytes(randomness.token(8), "big") % _YEARS] = None
    return tuple(today - dt.timedelta(days=back) for back in drawn)


class SampleConversation(DicomConversation):
    """One association, and a C-FIND for each day until enough has been counted."""

    rung = Rung.SAMPLE

    def __init__(
        self,
        called_ae: str,
        calling_ae: str,
        *,
        days: Sequence[dt.date],
        today: dt.date,
        most: int = MOST,
        over_tls: bool = False,
        patience: float = 5.0,
    ) -> None:
        super().__init__(
            proposal(called_ae, calling_ae, (STUDY_ROOT_FIND,)), over_tls=over_tls, patience=patience
        )
        self._days = iter(days)
        self._today = today
        self._most = most
        self._whole = MessageAssembler(Limits(data_set=_LARGEST_MATCH))
        self._peer_limit = MAXIMUM_LENGTH
        self._message_id = 0
        self._studies = 0
        self._counts: Counter[str] = Counter()
        self._patients: set[bytes] = set()
        self._cut = False
        self._status: int | None = None

    @property
    def evidence(self) -> SampleEvidence:
        """The counts; complete once the conversation has ended."""
        return SampleEvidence(
            reply=self.reply or Reply.SILENT,
            over_tls=self.over_tls,
            windows=self._message_id,
            studies=self._studies,
            patients=len(self._patients),
            features=tuple(
                FeatureCount(feature.id, self._counts[feature.id])
                for feature in features()
                if self._counts[feature.id]
            ),
            cut=self._cut,
            status=self._status,
            detail=self.detail,
        )

    def _established(self, ac: AAssociateAC, now: float) -> None:
        self._peer_limit = ac.user_information.maximum_length or MAXIMUM_LENGTH
        if any(context.result == 0 for context in ac.presentation_contexts):
            self._next_day(now)
        else:
            self.reply = Reply.NOT_OFFERED
            self._release(now)

    def _next_day(self, now: float) -> None:
        day = next(self._days, None)
        if day is None:
            self._release(now)
            return
        self._message_id += 1
        command = CFindRQ(message_id=self._message_id, affected_sop_class_uid=STUDY_ROOT_FIND, priority=2)
        keys = {_pair(tag): "" for tag in _TAGS} | {
            QUERY_RETRIEVE_LEVEL: "STUDY",
            _pair(0x00080020): day.strftime("%Y%m%d"),
        }
        self._ask(_CONTEXT, encode_command(command), identifier(keys), self._peer_limit, now)

    def _data(self, pdvs: Iterable[PresentationDataValue], now: float) -> None:
        for pdv in pdvs:
            if self._finished or not self._is_asking:
                return
            try:
                done = self._whole.feed(pdv)
                if done is not None:
                    self._message(done.command, done.data_set, now)
            except RemoteProtocolError as exc:
                self.detail = clean(exc.what, 120)
                self._ended(Reply.MALFORMED)
                self._abort(now)
                return

    def _message(self, command: Message, data_set: bytes | None, now: float) -> None:
        if not isinstance(command, CFindRSP):
            self._command_ended(Reply.MALFORMED)
            self._abort(now)
        elif command.status not in _PENDING:
            self.reply, self._status = Reply.ANSWERED, command.status
            if command.status == 0:
                self._next_day(now)
            else:
                self._release(now)
        else:
            self._count(data_set or b"")
            self._wake_at = now + self._patience
            if self._studies >= self._most:
                self._cut_off(now)

    def _count(self, match: bytes) -> None:
        """Reduce a match; nothing of it outlives this call."""
        values = _values(match)
        self._studies += 1
        self._counts.update(shown(values, self._today))
        patient = values.get("PatientID", "")
        self._patients.add(hashlib.blake2b(patient.encode(), digest_size=8).digest())

    def _cut_off(self, now: float) -> None:
        self.reply, self._cut = Reply.ANSWERED, True
        cancel = encode_command(CCancelRQ(message_id_being_responded_to=self._message_id))
        self._ask(_CONTEXT, cancel, None, self._peer_limit, now)
        self._abort(now)

    def _command_ended(self, reply: Reply) -> None:
        self.reply = reply


def _values(match: bytes) -> dict[str, str]:
    """The keys that came back, as text. UTF-8 where it is that, else each byte a character: marks are ASCII."""
    assert _SYNTAX is not None
    return {
        _TAGS[span.tag]: _text(match[span.value_at : span.end])
        for span in walk(match, _SYNTAX)
        if span.tag in _TAGS
    }


def _text(raw: bytes) -> str:
    try:
        return raw.decode().rstrip("\0 ")
    except UnicodeDecodeError:
        return raw.decode("latin-1").rstrip("\0 ")


def _pair(tag: int) -> tuple[int, int]:
    return tag >> 16, tag & 0xFFFF
