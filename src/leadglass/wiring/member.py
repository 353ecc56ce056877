"""The main program of a process that asks: orders on standard input, sightings on standard output.

It loads no database, no report and no command line: it is started once for each core.
"""

from __future__ import annotations

import gc
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import BinaryIO

from leadglass import __version__, wiring
from leadglass.errors import LeadglassError
from leadglass.model.rung import Rung
from leadglass.ports.world import Clock
from leadglass.scan.member import Member
from leadglass.scan.messages import Message, Setup, Stop, Trouble, Turn, decode, encode
from leadglass.scan.run import Scan
from leadglass.scope.permutation import Permutation
from leadglass.wiring.crew import GONE, frames, send_frame
from leadglass.wiring.scanning import engine_with, questions_of
from leadglass.wiring.scopes import scope_of

__all__ = ["main", "obey"]

_YOUNG = 50_000
"""Objects between two collections: visits are freed by counting references, the collector finds nothing."""


def main() -> None:
    """Take part in one scan."""
    gc.set_threshold(_YOUNG)
    # Outermost, since closing what nobody reads any more breaks as well.
    with suppress(GONE), open(0, "rb") as orders, open(1, "wb") as answers:
        try:
            _take_part(orders, answers)
        except LeadglassError as exc:
            send_frame(answers, encode(Trouble(exc.what, exc.then)))


def _take_part(orders: BinaryIO, answers: BinaryIO) -> None:
    incoming = frames(orders)
    setup = decode(next(incoming))
    assert isinstance(setup, Setup)
    member = member_of(setup, answers)
    heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
    gc.freeze()  # what is loaded by now stays, and need not be looked through again
    threading.Thread(target=_listen, args=(incoming, heard), daemon=True).start()
    threading.Thread(target=obey, args=(member.order, heard, wiring.clock()), daemon=True).start()
    member.run()


def member_of(setup: Setup, answers: BinaryIO) -> Member:
    """A member as ``setup`` has it."""
    clock = wiring.clock()
    scope = scope_of(setup.scope_text, setup.scope_file, dict(setup.pins))
    scan = Scan(setup.ulid, scope, questions_of(scope, setup.invented_sop_class), Rung(setup.deepest))
    return Member(
        scan,
        Permutation(scope.hosts().count, bytes.fromhex(setup.permutation_key)),
        engine=engine_with(scope, setup.rate, setup.members),
        clock=clock,
        send=lambda data: send_frame(answers, data),
        tool=__version__,
    )


def _listen(incoming: Iterator[bytes], heard: queue.SimpleQueue[Message]) -> None:
    for data in incoming:
        heard.put(decode(data))
    heard.put(Stop())  # The foreman has gone.


def obey(order: Callable[[Message], None], heard: queue.SimpleQueue[Message], clock: Clock) -> None:
    """Pass on what is ``heard``, up to ``Stop``, and pause when the time of the last turn is over.

    A foreman that waits for a store which does not answer is silent, and others have its share by then.
    """
    until: float | None = None
    while True:
        left = None if until is None else max(0.0, until - clock.monotonic())
        try:
            message = heard.get(timeout=left)
        except queue.Empty:
            until = None
            order(Turn(0.0, 0.0))
            continue
        order(message)
        if isinstance(message, Stop):
            return
        if isinstance(message, Turn):
            until = message.until


if __name__ == "__main__":
    main()
