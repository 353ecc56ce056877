"""The question: what does the web interface say to a stranger.

``GET /`` and known paths that hold no patient data.

Rung: associate. Budget: one connection, or more where the server closes after each answer.
A body is matched against fingerprints in memory and dropped: no text of a page is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from leadglass.judge.web import BODY_LIMIT, Says, fingerprints, known
from leadglass.model.evidence import Reply, WebAnswer, WebEvidence, clean
from leadglass.model.rung import Rung
from leadglass.probe.http import Caller, HttpConversation

__all__ = ["WebConversation", "content_kind", "login_kind"]

_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,19}")
_PRODUCT_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(/[!#$%&'*+.^_`|~0-9A-Za-z-]+)?")
_PASSWORD_FIELD = re.compile(rb"<input[^>]{0,200}type\s*=\s*[\"']?password", re.IGNORECASE)
_LOGIN_PATH = re.compile(r"(log[_-]?in|sign[_-]?(in|on)|/auth|/sso|/realms/|openid)", re.IGNORECASE)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class WebConversation(HttpConversation):
    """Asks for known paths until the product is known and its openness decided."""

    rung = Rung.ASSOCIATE

    def __init__(
        self, caller: Caller, paths: Iterable[str], *, over_tls: bool = False, patience: float = 5.0
    ) -> None:
        super().__init__(caller, paths, over_tls=over_tls, patience=patience)
        self._answers: list[WebAnswer] = []
        self._server: str | None = None
        self._version: str | None = None
        self._status = 0
        self._headers_seen: Mapping[str, str] = {}
        self._read_so_far = b""

    @property
    def evidence(self) -> WebEvidence:
        """What was seen on this connection."""
        return WebEvidence(
            reply=self.reply or Reply.SILENT,
            over_tls=self.over_tls,
            answers=tuple(self._answers),
            server=self._server,
            software_version=self._version,
            spoke=self.spoke,
        )

    def _response(self, path: str, status: int, headers: Mapping[str, str]) -> None:  # noqa: ARG002
        self._status = status
        self._headers_seen = headers
        self._read_so_far = b""
        token = _PRODUCT_TOKEN.match(headers.get("server", ""))
        if token is not None:
            self._server = clean(token.group(), 40)

    def _body(self, data: bytes) -> bool:
        self._read_so_far += data[: BODY_LIMIT - len(self._read_so_far)]
        return len(self._read_so_far) < BODY_LIMIT

    def _complete(self, path: str) -> bool:
        body, self._read_so_far = self._read_so_far, b""
        answer = self._answer(path, body)
        self._answers.append(answer)
        if answer.content == "json-object" and answer.fingerprints and self._version is None:
            self._version = _published_version(body)
        return not _decides(answer)

    def _unanswered(self, path: str) -> None:
        self._answers.append(WebAnswer(path, None))

    def _answer(self, path: str, body: bytes) -> WebAnswer:
        headers = self._headers_seen
        return WebAnswer(
            path=path,
            status=self._status,
            content=content_kind(headers.get("content-type", ""), body),
            fingerprints=fingerprints(path, self._status, headers, body),
            login=login_kind(self._status, headers, body),
            redirect=_redirect(self._status, headers, self._caller.host),
        )


def content_kind(content_type: str, body: bytes) -> str:
    """What kind of body it is, by its first character and declared type."""
    start = body.lstrip()[:1]
    if not start:
        return "empty"
    if "html" in content_type.lower() or start == b"<":
        return "html"
    if "json" in content_type.lower():
        return {b"{": "json-object", b"[": "json-array"}.get(start, "other")
    return "other"


def login_kind(status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """How credentials are asked for, if they are (RFC 9110 11.6.1, or a form, or a redirect)."""
    if status == 401:
        scheme = headers.get("www-authenticate", "").partition(" ")[0].lower()
        return scheme if scheme in {"basic", "bearer", "digest"} else "other"
    if status in _REDIRECTS and _LOGIN_PATH.search(headers.get("location", "")):
        return "redirect"
    if status == 200 and _PASSWORD_FIELD.search(body):
        return "form"
    return None


def _redirect(status: int, headers: Mapping[str, str], host: str) -> str | None:
    if status not in _REDIRECTS or "location" not in headers:
        return None
    try:
        target = urlsplit(headers["location"]).netloc
    except ValueError:
        return "other-host"
    return "same-host" if target in ("", host) else "other-host"


def _decides(answer: WebAnswer) -> bool:
    """An open interface, or a product's own login: there is nothing more to learn by asking."""
    rows = map(known, answer.fingerprints)
    return any(row is not None and row.says in (Says.OPEN_API, Says.LOGIN) for row in rows)


def _published_version(body: bytes) -> str | None:
    try:
        version = json.loads(body).get("Version")
    except (ValueError, AttributeError, RecursionError):
        return None
    known = isinstance(version, str) and _VERSION.fullmatch(version)
    return version if known else None
