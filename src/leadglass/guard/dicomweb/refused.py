"""A request that goes no further, and the HTTP status that says so."""

from __future__ import annotations

from leadglass.errors import RemoteProtocolError

__all__ = ["Refused"]


class Refused(RemoteProtocolError):
    """The client asked for what the guard does not carry, or the archive answered what it does not pass on.

    ``status`` is the HTTP status of the answer (RFC 9110 clause 15) and ``headers`` go with it. The
    message is for the client and the log; it repeats nothing that was sent. ``rule`` is the stable
    name of what refused, for the audit.
    """

    def __init__(
        self,
        what: str,
        status: int = 400,
        headers: tuple[tuple[str, str], ...] = (),
        *,
        rule: str = "request",
    ) -> None:
        super().__init__(what)
        self.status = status
        self.headers = headers
        self.rule = rule
