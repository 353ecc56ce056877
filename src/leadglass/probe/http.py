"""What the web probes do alike: a few GETs, one after the other, on one connection.

Only GET, only paths named beforehand, no redirect is followed, no cookie is kept, and a body is
read only as far as the subclass wants. What is left when the server closes can be asked again on
another connection (``remaining``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import h11

from leadglass.model.evidence import Reply
from leadglass.model.rung import Rung
from leadglass.ports.conversation import CLOSE, Loss, Step
from leadglass.probe.sniff import HTTP, spoken

__all__ = ["Caller", "HttpConversation"]

_HTTP_MAGIC = b"HTTP/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, and whom: the Host and User-Agent headers."""

    host: str
    user_agent: str


class HttpConversation:
    """GETs ``paths`` in turn. Subclasses look at each answer."""

    rung: Rung
    accept = "*/*"

    def __init__(
        self, caller: Caller, paths: Iterable[str], *, over_tls: bool = False, patience: float = 5.0
    ) -> None:
        self._caller = caller
        self._paths = deque(paths)
        self.over_tls = over_tls
        self._patience = patience
        self._http = h11.Connection(h11.CLIENT)
        self._head = b""
        self._asked: str | None = None
        self._finished = False
        self.reply: Reply | None = None
        self.spoke: str | None = None

    @property
    def remaining(self) -> tuple[str, ...]:
        """Paths that were not asked, because the server closed the connection before."""
        return tuple(self._paths)

    # The contract with the engine.

    def connected(self, now: float) -> Step:
        """Send the first request."""
        return self._next_request(now)

    def received(self, data: bytes, now: float) -> Step:
        """Read answers; send the next request when one is complete."""
        if self.spoke != HTTP and not self._is_http(data):
            self.reply = Reply.OTHER_PROTOCOL
            return CLOSE
        self._http.receive_data(data)
        return self._read(now)

    def woken(self, now: float) -> Step:  # noqa: ARG002 - the contract's signature
        """The answer did not come in time."""
        self._gave_up(Reply.SILENT)
        return CLOSE

    def stopped(self, now: float) -> Step:  # noqa: ARG002 - the contract's signature
        """HTTP has no goodbye."""
        return CLOSE

    def lost(self, loss: Loss, now: float) -> None:
        """The server closed; an answer without a length ends here."""
        if self._finished:
            return
        if self.spoke == HTTP and loss is Loss.EOF:
            self._http.receive_data(b"")
            self._read(now)
        self._gave_up(Reply.RESET if loss is Loss.RESET else Reply.CLOSED)

    # For subclasses.

    def _response(self, path: str, status: int, headers: Mapping[str, str]) -> None:
        """The head of an answer arrived."""
        raise NotImplementedError

    def _body(self, data: bytes) -> bool:
        """A piece of the body arrived; False: enough, the rest is not read."""
        raise NotImplementedError

    def _complete(self, path: str) -> bool:
        """The answer is complete, or enough of it; False: no further path is worth asking."""
        raise NotImplementedError

    def _unanswered(self, path: str) -> None:
        """The path got no answer."""

    # Inside.

    def _is_http(self, data: bytes) -> bool:
        self._head += data[:16]
        if _HTTP_MAGIC.startswith(self._head[:5]):
            self.spoke = HTTP if len(self._head) >= 5 else None
            return True
        self.spoke = spoken(self._head)
        return self.spoke == HTTP

    def _next_request(self, now: float) -> Step:
        if not self._paths:
            self._finished = True
            return CLOSE
        self._asked = self._paths.popleft()
        request = h11.Request(method="GET", target=self._asked, headers=self._headers())
        head = self._http.send(request) or b""
        end = self._http.send(h11.EndOfMessage()) or b""
        return Step(head + end, now + self._patience)

    def _headers(self) -> list[tuple[str, str]]:
        return [
            ("Host", self._caller.host),
            ("User-Agent", self._caller.user_agent),
            ("Accept", self.accept),
            ("Connection", "keep-alive"),
        ]

    def _read(self, now: float) -> Step:
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError:
                self._gave_up(Reply.MALFORMED)
                return CLOSE
            match event:
                case h11.Response(status_code=status, headers=headers):
                    self._answering(status, headers)
                case h11.Data(data=data):
                    if not self._body(bytes(data)):
                        return self._answered(now, whole=False)
                case h11.EndOfMessage():
                    return self._answered(now, whole=True)
                case h11.InformationalResponse():
                    continue
                case _:
                    return Step()

    def _answering(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        self.reply = Reply.ANSWERED
        named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
        self._response(self._asked or "", status, named)

    def _answered(self, now: float, *, whole: bool) -> Step:
        go_on = self._complete(self._asked or "")
        self._asked = None
        if not go_on:
            self._paths.clear()
        reusable = whole and self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not go_on or not reusable:
            self._finished = True
            return CLOSE
        self._http.start_next_cycle()
        return self._next_request(now)

    def _gave_up(self, reply: Reply) -> None:
        if self._finished:
            return
        self._finished = True
        if self._asked is not None:
            self._unanswered(self._asked)
        if self.reply is None:
            self.reply = reply
