"""The archive as the guard knows it: where it is, and what it was heard to accept.

The guard answers a proposal that it has seen answered before by itself, and dials only when a
complete, permitted message is in hand: an association that says nothing holds one of the few
threads of an archive for half a minute.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.errors import LeadglassError
from leadglass.guard.channel import Channel
from leadglass.guard.dimse.leg import Leg
from leadglass.net.reach import reach
from leadglass.net.services import Service
from leadglass.wire.pdu import (
    AAssociateAC,
    ExtendedNegotiation,
    PresentationContextAC,
    PresentationContextRQ,
    RoleSelection,
)

__all__ = ["Answer", "Archive", "Proposal", "Trouble"]

_REMEMBERED = 512
_LATELY = 60.0
_PATIENCE = 5.0
"""Seconds for a connection, and as many for a TLS handshake."""

Proposal: TypeAlias = tuple[
    str, str, tuple[PresentationContextRQ, ...], tuple[RoleSelection, ...], tuple[ExtendedNegotiation, ...]
]
"""Calling and called title, and the rest of what decides the answer: an archive may know its clients by name."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a proposal was answered."""

    contexts: tuple[PresentationContextAC, ...]
    roles: tuple[RoleSelection, ...]
    extended: tuple[ExtendedNegotiation, ...]


class Trouble:
    """What went wrong lately: it is over when it went well, or when nobody has met it for a minute."""

    def __init__(self) -> None:
        self._words = ""
        self._until = 0.0

    def met(self, words: str) -> None:
        """It goes wrong."""
        self._words, self._until = words, asyncio.get_running_loop().time() + _LATELY

    def over(self) -> None:
        """It goes well."""
        self._words = ""

    @property
    def words(self) -> str:
        """One line; empty if nothing is wrong that anybody knows of."""
        return self._words if asyncio.get_running_loop().time() < self._until else ""


class Archive:
    """One peer that the guard opens associations to."""

    def __init__(
        self,
        service: Service,
        tls: ssl.SSLContext | None = None,
        name: str | None = None,
        trusted: Callable[[bytes | None], bool] | None = None,
    ) -> None:
        """With ``tls``, the certificate must be of one of its authorities, and that host's or ``trusted`` (DER)."""
        self.service = service
        self._tls = tls
        self._name = name
        self._trusted = trusted
        self._learned: OrderedDict[Proposal, Answer] = OrderedDict()
        self.unreached = Trouble()
        """It cannot be reached."""
        self.unasked = Trouble()
        """It does not answer what the guard itself asks."""

    async def dial(self, leg: Leg) -> None:
        """Connect ``leg``, which goes on by itself; ``TransportError`` if there is no connection."""
        sock = await self._reached()
        if leg.over:  # whoever wanted it has gone in the meantime
            sock.close()
            return
        leg.channel = channel = Channel(sock, leg)
        if self._tls is None:
            channel.start()
        else:
            channel.start_tls(
                self._tls, server=False, name=self._name, patience=_PATIENCE, trusted=self._trusted
            )

    async def _reached(self) -> socket.socket:
        try:
            sock = await reach(self.service, _PATIENCE)
        except LeadglassError as exc:
            self.unreached.met(str(exc))
            raise
        self.unreached.over()
        return sock

    def learned(self, proposal: Proposal) -> Answer | None:
        """How this proposal was answered, if it ever was."""
        answer = self._learned.get(proposal)
        if answer is not None:
            self._learned.move_to_end(proposal)
        return answer

    def learn(self, proposal: Proposal, ac: AAssociateAC) -> Answer:
        """Remember an answer."""
        said = ac.user_information
        answer = Answer(ac.presentation_contexts, said.role_selections, said.extended_negotiations)
        self._learned[proposal] = answer
        if len(self._learned) > _REMEMBERED:
            self._learned.popitem(last=False)
        return answer

    def forget(self, proposal: Proposal) -> None:
        """It answered otherwise than remembered: ask anew next time."""
        self._learned.pop(proposal, None)
