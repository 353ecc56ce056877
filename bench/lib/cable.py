"""Two network namespaces with a /16 behind the cable where nobody listens, and one that swallows all.

Nothing outside the two namespaces is reached; they are removed when the block ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

from bench.lib.measuring import Client, Lap
from tests.peers.netns import SERVER, Pair, namespace_pair

__all__ = ["CLOSED", "FILTERED", "Cable", "cable", "missing"]

CLOSED, FILTERED = "10.42.0.0", "10.43.0.0"
"""Where these /16 begin: the one answers RST, the other nothing."""

_RULES = f"""
table inet bench {{
    counter syns {{ }}
    chain arriving {{
        type filter hook prerouting priority raw; policy accept;
        iifname "cable" tcp flags & (syn | ack) == syn counter name syns
        ip daddr {FILTERED}/16 drop
    }}
}}
"""
_TOOLS = ("ip", "nft", "nsenter", "setpriv", "sysctl")
_DISCARD = (SERVER, 9)


@dataclass(frozen=True, slots=True)
class Cable:
    """The namespaces, and the counter at the far end."""

    pair: Pair

    def command(self, *argv: object) -> list[str]:
        """``argv`` as it has to be called to run at the near end."""
        return self.pair.scanner.command([str(word) for word in argv])

    def counted(self, client: Client) -> Client:
        """The same client; its lap says how many SYNs arrived at the far end."""

        def counting() -> Lap:
            self._syns()
            lap = client()
            return dataclasses.replace(lap, syns=self._syns())

        return counting

    @contextlib.contextmanager
    def ticking(self) -> Iterator[None]:
        """A datagram ten times a second: a capture that waits for the next packet gets one."""
        over = threading.Event()
        with self.pair.scanner.inside():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

        def tick() -> None:
            while not over.wait(0.1):
                with contextlib.suppress(ConnectionRefusedError):
                    sender.sendto(b".", _DISCARD)

        thread = threading.Thread(target=tick)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            sender.close()

    def _syns(self) -> int:
        """How many came since this was last asked."""
        listing = self.pair.server.must(["nft", "reset", "counter", "inet", "bench", "syns"])
        return int(listing.partition("packets ")[2].split()[0])


def missing() -> str | None:
    """Why no cable can be laid here; None if one can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    return next((f"there is no {tool}" for tool in _TOOLS if shutil.which(tool) is None), None)


@contextlib.contextmanager
def cable() -> Iterator[Cable]:
    """Lay it for the length of the block."""
    with namespace_pair() as pair:
        pair.answer_for(f"{CLOSED}/16")
        pair.answer_for(f"{FILTERED}/16")
        pair.server.must(["nft", "-f", "-"], input=_RULES, stdin=None)
        yield Cable(pair)
