"""One association of the guard: bytes to and from commands and pieces of data sets.

Commands are told whole, data sets in the pieces in which they come, so that a gigabyte passes through
in a few kilobytes. ``hold`` stops everything in the middle of what has come, until somebody has been
asked; ``go_on`` goes on at the same byte.

One file because what is held, half received and waiting to be sent is one state, which every event changes.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.guard.channel import HIGH_WATER, Channel
from leadglass.judge.services import rejection
from leadglass.wire import pdu
from leadglass.wire.association import (
    Aborted,
    AssociateAccepted,
    AssociateRejected,
    AssociateRequested,
    Association,
    ConnectionLost,
    Event,
    ProtocolViolation,
    Released,
    ReleaseRequested,
    Role,
    State,
    TimedOut,
)
from leadglass.wire.command import decode_command, encode_command
from leadglass.wire.dimse import Message, has_data_set
from leadglass.wire.fields import malformed
from leadglass.wire.limits import DEFAULT, Limits
from leadglass.wire.pdata import fragment
from leadglass.wire.streaming import Fragment, StreamReader, ValueFramer

__all__ = ["Keeper", "Leg"]

_STA6 = State.STA6
_FLOW = "flow"
_AHEAD = 64 * 1024
"""Bytes taken from a client that has to wait."""
_SMALLEST = 128
"""Bytes that a peer must take in one PDU: with less, what it is sent would be mostly headers."""
_LATER = 256
"""Messages that wait behind a data set; each is an answer of the guard's own."""
_ENOUGH = 16 * 1024
"""Bytes of messages that are sent before the round is over: the peer reads them while the next are made."""
_STALLED = 60.0


class Keeper(Protocol):
    """Whoever has a leg."""

    def requested(self, leg: Leg, rq: pdu.AAssociateRQ) -> None:
        """A peer asks for an association."""
        ...

    def accepted(self, leg: Leg, ac: pdu.AAssociateAC) -> None:
        """The peer accepted ours."""
        ...

    def message(self, leg: Leg, context_id: int, command: Message) -> None:
        """A command is complete; its data set, if it has one, follows in pieces."""
        ...

    def data(self, leg: Leg, piece: Fragment) -> None:
        """A piece of the data set of the last command."""
        ...

    def release_asked(self, leg: Leg) -> None:
        """The peer wants an orderly end."""
        ...

    def drained(self, leg: Leg) -> None:
        """More may be sent again."""
        ...

    def round_over(self) -> None:
        """Everything that came has been told: what is to be sent should go now."""
        ...

    def mistaken(self, exc: Exception) -> None:
        """Something of ours went wrong with what came; the association is about to be aborted."""
        ...

    def gone(self, leg: Leg, why: str) -> None:
        """The association is over, told once. ``why`` is empty after an orderly release."""
        ...


class Leg:
    """An association over a channel."""

    def __init__(
        self, role: Role, keeper: Keeper, limits: Limits = DEFAULT, *, artim: float, idle: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._keeper = keeper
        self._limits = limits
        self.association = Association(role, limits=limits, artim=artim, idle=idle)
        self.channel: Channel | None = None
        self._reader = StreamReader(limits)
        self._framer = ValueFramer(0)
        self._command = bytearray()
        self._context_id = 0  # of the message that is half received
        self._in_data = False
        self._usable = True
        self._held: set[str] = set()
        self._rest = bytearray()
        self._out: list[bytes | memoryview] = []
        self._gathered = 0  # bytes of whole messages in it
        self._later: list[bytes] = []
        self.within = False
        """A data set is being sent in pieces, and has not ended: nothing else may be sent before."""
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._why: str | None = None
        self.fault = False
        """It ended because the peer broke the standard, or stopped within a message."""
        self._heard = self._loop.time()
        self.allowance = idle
        """Seconds that the peer may be silent between messages; within one it has ``idle``."""
        self.stalled = _STALLED
        """Seconds in which the peer must have taken what waits for it."""
        self._stuck_since: float | None = None

    # What the keeper wants.

    @property
    def open(self) -> bool:
        """Whether data may be sent."""
        return not self._over and self.association.state is _STA6

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over

    @property
    def congested(self) -> bool:
        """Whether so much waits to be sent that nothing should be added."""
        return self.channel is not None and self.channel.queued > HIGH_WATER

    @property
    def behind(self) -> bool:
        """Whether it has so many answers to come that nothing more should be answered."""
        return self.congested or len(self._later) > _LATER

    def associate(self, rq: pdu.AAssociateRQ) -> None:
        """Ask for an association, before the channel opens."""
        self._announce(rq.user_information.maximum_length)
        self.association.associate(rq, self._loop.time())

    def accept(self, ac: pdu.AAssociateAC) -> None:
        """Accept the request."""
        self._announce(ac.user_information.maximum_length)
        self.association.accept(ac, self._loop.time())
        self._framer = ValueFramer(self.association.peer_maximum_length)
        self._settle()

    def reject(self, result: int, source: int, reason: int) -> None:
        """Reject the request (PS3.8 9.3.4)."""
        with contextlib.suppress(LocalProtocolError):
            self.association.reject(pdu.AAssociateRJ(result, source, reason), self._loop.time())
        self._settle()

    def send(self, context_id: int, command: Message, data_set: bytes | None = None) -> None:
        """Send a message; nothing happens once the association is over."""
        if self.open:
            self.send_encoded(context_id, encode_command(command), data_set)
            self.within = self.within or (data_set is None and has_data_set(command))

    def send_encoded(self, context_id: int, command: bytes, data_set: bytes | None) -> None:
        """The same with a command set that was encoded before, and all of its data set."""
        if self.open:
            size = self.association.peer_maximum_length
            message = fragment(context_id, command, data_set, size)
            if self.within:
                self._later.append(message)
                return
            self._out.append(message)
            self._gathered += len(message)
            if self._gathered >= _ENOUGH:
                self.flush()

    def send_piece(self, context_id: int, piece: Fragment) -> None:
        """Send a piece of a data set, before ``round_over`` returns if it is a view."""
        if self.open:
            self._out += self._framer.frame(piece, context_id)
            if piece.ends:
                self.within = False
                self._out += self._later
                self._later.clear()

    def release(self) -> None:
        """Ask for an orderly end."""
        if self.open:
            self.flush()
            self.association.release(self._loop.time())
            self._settle()
        else:
            self.abort()

    def release_reply(self) -> None:
        """Confirm the peer's release."""
        with contextlib.suppress(LocalProtocolError):
            self.association.release_reply(self._loop.time())
        self._settle()

    def abort(self, source: int = 0, reason: int = 0) -> None:
        """End it now, telling the peer where that is possible."""
        if self._over:
            return
        with contextlib.suppress(LocalProtocolError):
            self.association.abort(source, reason, self._loop.time())
        self._settle()
        if self.channel is not None:
            self.channel.close()

    def hold(self, why: str) -> None:
        """Tell nothing more until ``go_on`` has been called for each reason to hold.

        A client is listened to, a little way ahead, unless it is to send less (``flow``): to hear that it
        has gone. What an archive sent before it went has to be read first.
        """
        self._held.add(why)
        if self.channel is not None and (why == _FLOW or self.association.role is Role.REQUESTOR):
            self.channel.pause()

    def go_on(self, why: str) -> None:
        """Tell what has come in the meantime, and go on."""
        if why not in self._held:
            return
        self._held.discard(why)
        if self._held:
            return
        rest, self._rest = self._rest, bytearray()
        if rest:
            self._parse(memoryview(rest))
        self._keeper.round_over()
        if not self._held and self.channel is not None:
            self.channel.resume()

    def flush(self) -> None:
        """Send what waits."""
        if self._out and self.channel is not None:
            out, self._out, self._gathered = self._out, [], 0
            self.channel.send_all(out)

    # What the channel tells.

    def opened(self) -> None:
        """The connection stands."""
        self.association.connection_opened(self._loop.time())
        self._settle()

    def received(self, data: memoryview) -> None:
        """Bytes came."""
        self._heard = self._loop.time()
        if not self._held:
            self._parse(data)
            self._keeper.round_over()
            return
        self._rest += data
        if len(self._rest) > _AHEAD and self.channel is not None:
            self.channel.pause()

    def drained(self) -> None:
        """More may be sent."""
        self._stuck_since = None
        self._keeper.drained(self)

    def closed(self, why: str) -> None:
        """The connection is over."""
        if self._over:
            return
        association = self.association
        orderly = association.state is State.STA13 or association.wants_close
        association.connection_closed(self._loop.time())
        self._finish(
            self._why if self._why is not None else "" if orderly else why or "the connection was closed"
        )

    # Inside.

    def _announce(self, maximum_length: int | None) -> None:
        if maximum_length:
            self._reader.maximum = min(maximum_length + 6, self._limits.p_data)

    def _parse(self, data: memoryview) -> None:
        at, end = 0, len(data)
        take, association, held = self._reader.take, self.association, self._held
        try:
            while at < end and not held and not self._over and not association.wants_close:
                at, piece = take(data, at)
                if piece is None:
                    break
                if piece.__class__ is Fragment:
                    self._fragment(piece)
                else:
                    self._other(piece.data)
        except RemoteProtocolError as error:
            if not self.association.wants_close:
                self._tell(self.association.refuse(error, self._loop.time()))
        except Exception as exc:  # noqa: BLE001 - our own mistake must not leave a door open or a peer waiting
            self._keeper.mistaken(exc)
            self.abort()
        if self._held:
            self._rest += data[at:]
        self._settle()

    def _other(self, data: memoryview) -> None:
        for event in self.association.receive(bytes(data), self._loop.time()):
            self._tell(event)

    def _fragment(self, piece: Fragment) -> None:
        if piece.opens >= 0:
            self._usable = self.association.data_passed(piece.context_id, self._loop.time())
            self._check_order(piece)
        if not self._usable:
            return
        if piece.is_command:
            self._take_command(piece)
            return
        if piece.ends:
            self._in_data, self._context_id = False, 0
        self._keeper.data(self, piece)

    def _check_order(self, piece: Fragment) -> None:
        if self._context_id and piece.context_id != self._context_id:
            raise malformed("fragments of two messages are mixed")
        if piece.is_command == self._in_data:
            raise malformed("a command fragment within a data set, or a data set fragment before its command")

    def _take_command(self, piece: Fragment) -> None:
        self._context_id = piece.context_id
        if len(self._command) + len(piece.data) > self._limits.command:
            raise malformed(f"a command set with more than {self._limits.command} bytes")
        if not piece.ends or self._command:
            self._command += piece.data
        if not piece.ends:
            return
        command = decode_command(bytes(self._command or piece.data), self._limits)
        self._command.clear()
        self._in_data = has_data_set(command)
        if not self._in_data:
            self._context_id = 0
        self._keeper.message(self, piece.context_id, command)

    def _tell(self, event: Event) -> None:
        match event:
            case AssociateRequested(pdu=rq):
                self._check_length()
                self._keeper.requested(self, rq)
            case AssociateAccepted(pdu=ac):
                self._check_length()
                self._framer = ValueFramer(self.association.peer_maximum_length)
                self._keeper.accepted(self, ac)
            case AssociateRejected(pdu=rj):
                self._why = f"rejected ({rejection((rj.result, rj.source, rj.reason))})"
            case ReleaseRequested():
                self._keeper.release_asked(self)
            case Released():
                self._why = ""
            case Aborted(source=source, reason=reason):
                self._why = f"aborted by the peer ({source}/{reason})"
            case TimedOut():
                self._why = "nothing came in time"
                self.fault = self._context_id != 0
            case ProtocolViolation(error=error):
                self._why = error.what
                self.fault = True
            case ConnectionLost():
                self._why = "the connection was lost"

    def _check_length(self) -> None:
        if 0 < self.association.peer_maximum_length < _SMALLEST:
            raise malformed(f"a maximum length of {self.association.peer_maximum_length} bytes")

    def _settle(self) -> None:
        """Send what the association wants sent, close if it wants that, and set its timer."""
        out = self.association.data_to_send()
        if out and not self._framer.within:  # an A-ABORT within a PDU would be the end of an image
            self._out.append(out)
            self.flush()
        if self.association.wants_close and not self._over:
            if self.channel is not None:
                self.channel.close()
            self._finish(self._why or "")
        elif not self._over:
            self._set_timer()

    def _set_timer(self) -> None:
        deadline = self.association.deadline
        if deadline is None:
            return
        if self._timer is not None:
            if deadline >= self._timer.when():
                return
            self._timer.cancel()  # it was set when the peer might be silent for longer
        self._timer = self._loop.call_at(deadline, self._woken)

    def _woken(self) -> None:
        # The deadline moves with every PDU, the timer only when it rings.
        self._timer = None
        if self._is_stuck():
            self._why = "what was sent was not taken in time"
            self.abort()
            return
        patient_until = self._patient_until()
        if self._loop.time() < patient_until:
            self._timer = self._loop.call_at(patient_until, self._woken)
            return
        for event in self.association.timeout(self._loop.time()):
            self._tell(event)
        self._settle()
        self._keeper.round_over()

    def _is_stuck(self) -> bool:
        """Whether the peer has not read for too long: what waits for it holds the other side as well."""
        if not self.congested:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = self._loop.time()
        return self._stuck_since is not None and self._loop.time() >= self._stuck_since + self.stalled

    def _patient_until(self) -> float:
        """Until when silence is no fault of the peer's, or none that matters."""
        if self._held:  # it is us who make it wait
            return self._loop.time() + 1.0
        between = self.association.state is State.STA6 and not self._context_id
        return min(self._heard + self.allowance, self._loop.time() + 60.0) if between else 0.0

    def _finish(self, why: str) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._out.clear()
        self._later.clear()
        self._keeper.gone(self, why)
