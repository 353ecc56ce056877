"""Sends what is in the spool to a collector: in order, at least once, and nothing is ever given up.

A connection is a batch. It is opened when there is something to send, and closed when there has been so
much, or after a while; its orderly end proves that the collector has read everything (``line``), and only
then is it remembered as sent. Whatever happens before, all of the batch is sent again, the same to the last
octet. No connection is kept open that says nothing: one that had silently died would swallow the next
messages. While the collector is away, nothing grows but the spool.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from leadglass.errors import ConfigError, LeadglassError, ResourceError, TransportError
from leadglass.guard.audit.entries import damage, told
from leadglass.guard.audit.framing import framed, severity
from leadglass.guard.audit.line import Collector, Line
from leadglass.guard.audit.messages import to_xml
from leadglass.guard.audit.participants import GuardIdentity
from leadglass.ledger.chain import Entry, stamp
from leadglass.ports.world import Randomness
from leadglass.store.spooled import Folder, Position, keep_position, position_of, sending, unsent, writers_of

__all__ = ["Forwarder", "Tempo"]

_AT_ONCE = 64
"""Entries read from the spool at a time."""
_NEVER = dt.datetime.fromtimestamp(0, dt.UTC)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tempo:
    """How long, in seconds, and how many. Another one is for tests."""

    batch: int = 1000
    """Entries for one connection, and so the most that are ever sent twice."""
    linger: float = 30.0
    """A connection with fewer is closed after so long."""
    poll: float = 0.5
    """How often the spool is looked at."""
    patience: float = 20.0
    """For the collector to take the next message, and to end the connection."""
    shortest_rest: float = 1.0
    longest_rest: float = 60.0
    """After a failure; each time twice as long."""


class _Waiting(NamedTuple):
    """One entry that is to be sent."""

    writer: str
    entry: Entry | None
    behind: Position


class Forwarder:
    """Sends all chains of one folder, whoever writes them. One process does this for a folder."""

    def __init__(
        self,
        folder: Folder,
        guard: GuardIdentity,
        collector: Collector,
        randomness: Randomness,
        tempo: Tempo | None = None,
    ) -> None:
        self._folder = folder
        self._guard = guard
        self._collector = collector
        self._randomness = randomness
        self._tempo = tempo or Tempo()
        self._stopping = asyncio.Event()
        self._confirmed: dict[str, Position] = {}
        self._times: dict[str, str] = {}
        self.sent = 0
        """Entries that the collector has read since this process began."""
        self.failures = 0
        """In a row; 0: all is well."""
        self.trouble = ""
        """The last failure, in one line."""
        self.unreadable: dict[str, str] = {}
        """Writers whose part of the spool could not be read, and why."""

    async def run(self) -> None:
        """Send until ``stop``; then what is there, if it can be done at the first attempt."""
        while not self._stopping.is_set():
            try:
                with sending(self._folder):
                    await self._send_on()
            except (ConfigError, ResourceError) as error:  # another process sends, or the folder has gone
                await self._rest(self._failed(error))

    def stop(self) -> None:
        """Have ``run`` come to an end."""
        self._stopping.set()

    async def _send_on(self) -> None:
        """Send until ``stop``, being the only one."""
        self._confirmed = {}
        while True:
            is_last = self._stopping.is_set()
            try:
                found = await self._batch()
            except TransportError as error:
                rest, found = self._failed(error), 0
            else:
                rest = self._tempo.poll
            if is_last and not found:
                return
            if not found:
                await self._rest(rest)

    async def _batch(self) -> int:
        """Send what is waiting over one connection; how many entries that were."""
        ahead = dict(self._confirmed)
        waiting = await self._read(ahead, self._tempo.batch)
        if not waiting:
            return 0
        line = await Line.open(self._collector, self._tempo.patience)
        try:
            count = await self._send_all(line, waiting, ahead)
            await line.confirm()
        finally:
            await line.drop()
        await self._remember(ahead, count)
        return count

    async def _send_all(self, line: Line, waiting: list[_Waiting], ahead: dict[str, Position]) -> int:
        # After a failure, whether the collector is back is to be known soon.
        linger = min(self._tempo.linger, self._tempo.shortest_rest) if self.failures else self._tempo.linger
        until = asyncio.get_running_loop().time() + linger
        count = 0
        while waiting:
            for one in waiting:
                for message in self._messages(one):
                    await line.send(message)
                ahead[one.writer] = one.behind
                await asyncio.sleep(0)  # what the guard is for goes first
            count += len(waiting)
            waiting = await self._more(line, ahead, self._tempo.batch - count, until)
        return count

    async def _more(self, line: Line, ahead: dict[str, Position], room: int, until: float) -> list[_Waiting]:
        """What has come in the meantime; waits for it while the connection may stay open."""
        loop = asyncio.get_running_loop()
        while room > 0:
            waiting = await self._read(ahead, room)
            if waiting or self._stopping.is_set() or loop.time() >= until:
                return waiting
            await line.idle(min(self._tempo.poll, until - loop.time()))
        return []

    async def _read(self, ahead: dict[str, Position], most: int) -> list[_Waiting]:
        return await asyncio.to_thread(lambda: list(islice(self._waiting(ahead), min(most, _AT_ONCE))))

    def _waiting(self, ahead: dict[str, Position]) -> Iterator[_Waiting]:
        for writer in writers_of(self._folder):
            try:
                after = ahead.get(writer) or position_of(self._folder, writer)
                for entry, behind in unsent(self._folder, writer, after):
                    yield _Waiting(writer, entry, behind)
            except ConfigError as error:  # the others go on
                self._tell_once(writer, str(error))

    def _tell_once(self, writer: str, words: str) -> None:
        if self.unreadable.get(writer) != words:
            _log.warning("what %s has written cannot be sent: %s", writer, words)
        self.unreadable[writer] = words

    def _messages(self, one: _Waiting) -> Iterator[bytes]:
        if one.entry is None:
            at = self._times.get(one.writer, stamp(_NEVER))
            event = damage(one.behind.head.n, dt.datetime.fromisoformat(at))
        else:
            at, event = one.entry.at, told(one.entry)
            self._times[one.writer] = at
        for xml in to_xml(event, self._guard):
            yield framed(xml, level=severity(event), at=at, host=self._guard.host, process=one.writer)

    async def _remember(self, ahead: dict[str, Position], count: int) -> None:
        new = {
            writer: position for writer, position in ahead.items() if position != self._confirmed.get(writer)
        }
        self._confirmed = ahead
        self.sent += count
        if self.failures:
            _log.info("the collector of audit messages takes them again")
        self.failures, self.trouble = 0, ""
        try:
            for writer, position in new.items():
                await asyncio.to_thread(keep_position, self._folder, writer, position)
        except OSError as error:
            # It is known as long as this process lives; a later one sends some messages once more.
            self.trouble = f"how far was sent cannot be written down ({error.strerror or error})"

    def _failed(self, error: LeadglassError) -> float:
        """Note a failure; how long to rest after it."""
        if not self.failures:
            _log.warning("audit messages cannot be sent and stay in the spool: %s", error)
        self.trouble = str(error)
        tempo = self._tempo
        rest = min(tempo.longest_rest, tempo.shortest_rest * 2.0 ** min(self.failures, 16))
        self.failures += 1
        share = int.from_bytes(self._randomness.token(2)) / 65536
        return rest * (0.5 + share / 2)

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
