"""Another Leadglass that serves: asked by its API, with a token."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from leadglass.errors import ConfigError, RemoteProtocolError, UsageError
from leadglass.net.fetching import Asked, fetch, streamed

__all__ = ["Api"]

_PURPOSE = "the server"
_LARGEST = 16 << 20
"""Bytes of one page, which holds five hundred rows at most."""
_LONGEST = 4 << 20
"""Bytes of one record."""
_ORDER = ("id", "state", "scan", "trouble")
_POLL = 2.0
"""Seconds between two looks at how far an order is."""


@dataclass(frozen=True, slots=True)
class Api:
    """Where it is, and what is shown to it. ``ConfigError`` for an address that the token must not go to."""

    server: str
    """``https://host[:port]``, or ``http://`` on this machine."""
    token: str = field(repr=False)
    ca_file: str | None = None
    """Who vouches for its certificate, PEM; None: the system's authorities."""

    def __post_init__(self) -> None:
        """Nobody on the way may read the token."""
        scheme, host = _place(self.server)
        if scheme == "http" and not _is_here(host):
            raise ConfigError(
                "a token would go over the network in plain", where=self.server, then="write https://"
            )

    def get(self, *path: str, **wanted: str | int | None) -> Any:
        """What is at ``path``, parsed. ``UsageError`` with the server's words where it declines."""
        return self._answer(self._asked("GET", path, wanted))

    def order(self, scope: str) -> Mapping[str, Any]:
        """Have it look at ``scope``; its order."""
        body = json.dumps({"scope": scope}).encode()
        return _shaped(self._answer(self._asked("POST", ("orders",), {}, body)), *_ORDER)

    def rows(self, *path: str, most: int, **wanted: str | int | None) -> Iterator[Mapping[str, Any]]:
        """The rows of a list, page by page, ``most`` at most."""
        cursor: str | None = None
        while most > 0:
            page = _shaped(self.get(*path, cursor=cursor, limit=min(most, 500), **wanted), "rows")
            if not isinstance(page["rows"], list):
                raise _stranger()
            rows, cursor = page["rows"][:most], page.get("next")
            yield from map(_shaped, rows)
            most -= len(rows)
            if cursor is None or not rows:
                return

    def ended(self, order: Mapping[str, Any]) -> Mapping[str, Any]:
        """``order`` once it has ended, however long that takes."""
        while order["state"] in ("waiting", "running"):
            time.sleep(_POLL)
            order = _shaped(self.get("orders", str(order["id"])), *_ORDER)
        return order

    def lines(self, *path: str) -> Iterator[bytes]:
        """The lines of a stream, without their ends."""
        asked = self._asked("GET", path, {})
        with streamed(asked) as stream:
            if stream.status != 200:
                _declined(stream.status, b"".join(stream.pieces)[:_LARGEST])
            yield from _lines(stream.pieces)

    def _asked(
        self, method: str, path: tuple[str, ...], wanted: Mapping[str, Any], body: bytes = b""
    ) -> Asked:
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        place = "/".join(quote(part, safe="") for part in ("api", "v1", *path))
        headers = {"Authorization": f"Bearer {self.token}"}
        if body:
            headers["Content-Type"] = "application/json"
        url = f"{self.server.rstrip('/')}/{place}" + (f"?{query}" if query else "")
        return Asked(_PURPOSE, url, method, body, headers, self.ca_file, _LARGEST)

    def _answer(self, asked: Asked) -> Any:
        answer = fetch(asked)
        if not 200 <= answer.status < 300:
            _declined(answer.status, answer.body)
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as exc:
            raise RemoteProtocolError(f"{_PURPOSE} does not answer in JSON") from exc


def _place(server: str) -> tuple[str, str]:
    """How it is asked, and the host."""
    try:
        parts = urlsplit(server)
        if (
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            and parts.path in ("", "/")
        ):
            return parts.scheme, parts.hostname
    except ValueError:
        pass
    raise ConfigError("this is no server", where=server, then="write https://leadglass.example.org")


def _shaped(answer: Any, *names: str) -> Mapping[str, Any]:
    """What a Leadglass answers: an object that has ``names``."""
    if not isinstance(answer, dict) or not answer.keys() >= set(names):
        raise _stranger()
    return answer


def _stranger() -> RemoteProtocolError:
    return RemoteProtocolError(f"{_PURPOSE} does not answer as a Leadglass does")


def _declined(status: int, body: bytes) -> None:
    detail = f"it answers {status}"
    with contextlib.suppress(ValueError, RecursionError, TypeError, KeyError):
        detail = str(json.loads(body)["detail"])[:200]
    if status >= 500:
        raise RemoteProtocolError(f"{_PURPOSE} cannot answer now: {detail}")
    raise UsageError(f"{_PURPOSE} declines: {detail}", then="see what the token permits, and the words asked")


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > _LONGEST:
            raise RemoteProtocolError(f"{_PURPOSE} sends a line of more than {_LONGEST} bytes")
    if rest:
        raise RemoteProtocolError(f"{_PURPOSE} stopped in the middle of a record")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
