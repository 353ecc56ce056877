"""The question: is a stranger's DICOMweb search processed. QIDO-RS for a study that cannot exist.

Rung: blank query. Budget: one connection, or more where the server closes after each answer.
The Study Instance UID was minted a moment ago, so a correct answer is empty (PS3.18 8.3.4). A body
is looked at no further than "empty or not", and only where it claims to be JSON: an HTML page
or a login redirect is no answer. Returned records are dropped unread and the connection closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leadglass.model.evidence import QidoAnswer
from leadglass.model.rung import Rung
from leadglass.probe.http import Caller, HttpConversation

__all__ = ["QidoConversation"]

_WHITESPACE = b" \t\r\n"
_BODY_LIMIT = 65536
"""Of an answer that is no search result: read and dropped, so that the connection can be used again."""


class QidoConversation(HttpConversation):
    """Searches each known root for the minted study until one processes the query."""

    rung = Rung.BLANK_QUERY
    accept = "application/dicom+json"

    def __init__(
        self,
        caller: Caller,
        roots: Iterable[str],
        study_instance_uid: str,
        *,
        over_tls: bool = False,
        patience: float = 5.0,
    ) -> None:
        query = f"?StudyInstanceUID={study_instance_uid}&limit=1"
        super().__init__(caller, (root + query for root in roots), over_tls=over_tls, patience=patience)
        self.answers: list[QidoAnswer] = []
        self._status = 0
        self._is_json = False
        self._start = b""
        self._length = 0

    @property
    def remaining(self) -> tuple[str, ...]:
        """Roots that were not asked, because the server closed the connection before."""
        return tuple(map(_root, super().remaining))

    def _response(self, path: str, status: int, headers: Mapping[str, str]) -> None:  # noqa: ARG002
        self._status = status
        self._is_json = "json" in headers.get("content-type", "").lower()
        self._start = b""
        self._length = 0

    def _body(self, data: bytes) -> bool:
        self._length += len(data)
        if self._is_answer():
            self._start = (self._start + data[:64]).lstrip(_WHITESPACE)[:64]
        return self._length < _BODY_LIMIT and self._is_empty() is None

    def _complete(self, path: str) -> bool:
        empty = True if self._status == 204 else self._is_empty()
        self.answers.append(QidoAnswer(_root(path), self._status, empty))
        return empty is None

    def _unanswered(self, path: str) -> None:
        self.answers.append(QidoAnswer(_root(path), None))

    def _is_answer(self) -> bool:
        return self._status == 200 and self._is_json

    def _is_empty(self) -> bool | None:
        """Whether the JSON array is empty; None while that is not known, or it is no array."""
        inside = self._start[1:].lstrip(_WHITESPACE)
        if self._start[:1] != b"[" or not inside:
            return None
        return inside[:1] == b"]"


def _root(path: str) -> str:
    """The path without the minted key, so that identical answers are identical evidence."""
    return path.partition("?")[0]
