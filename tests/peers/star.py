"""A hub and its spokes: several scanners around one side that serves, each on a cable of its own.

Each spoke has another source address. Whatever it sends arrives at the hub, where it is recorded
or dropped, and goes no further.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.peers import netns
from tests.peers.places import Place

__all__ = ["Opening", "Star", "openings", "star"]

_HUB = "10.98.0.1"
_OPENING = re.compile(r"^(\d+\.\d+) .* IP ([\d.]+)\.\d+ > ([\d.]+)\.(\d+): Flags \[S[EW]*\],", re.MULTILINE)
_PATIENCE = 10.0


class Opening(NamedTuple):
    """One SYN, as it arrived."""

    at: float
    """POSIX seconds."""
    source: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Star:
    """The hub, and what is around it."""

    hub: Place
    spokes: Sequence[Place]

    def answer_for(self, network: str) -> None:
        """The hub takes every address of ``network`` for its own: its closed ports answer RST."""
        self.hub.must(["ip", "route", "add", "local", network, "dev", "lo"])

    @contextlib.contextmanager
    def cut_off(self, spoke: Place, port: int) -> Iterator[None]:
        """Between ``spoke`` and TCP ``port`` of the hub, everything is dropped while the block runs."""
        table = f"cut_{spoke.address.replace('.', '_')}"
        rules = f"""
            table ip {table} {{
                chain to {{
                    type filter hook prerouting priority raw; policy accept;
                    ip saddr {spoke.address} tcp dport {port} drop
                }}
                chain from {{
                    type filter hook output priority raw; policy accept;
                    ip daddr {spoke.address} tcp sport {port} drop
                }}
            }}
        """
        self.hub.must(["nft", "-f", "-"], input=rules, stdin=None)
        try:
            yield
        finally:
            self.hub.must(["nft", "delete", "table", "ip", table])


@contextlib.contextmanager
def star(spokes: int) -> Iterator[Star]:
    """Make the hub and so many spokes; remove them, and end whatever still runs inside, on the way out."""
    netns.sweep()
    made = Star(
        Place(_HUB, netns.name("server")),
        [Place(f"10.98.{number}.2", netns.name("scanner")) for number in range(1, spokes + 1)],
    )
    try:
        _lay_cables(made)
        yield made
    finally:
        for place in (made.hub, *made.spokes):
            netns.remove(str(place.namespace))


@contextlib.contextmanager
def openings(hub: Place, network: str, record: Path) -> Iterator[list[Opening]]:
    """Every SYN that arrives for ``network``, in order; the list is filled when the block has ended.

    ``RuntimeError`` if the kernel dropped a packet before it was written.
    """
    seen: list[Opening] = []
    wanted = f"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn and dst net {network}"
    words = ["tcpdump", "-i", "any", "-Q", "in", "-Z", "root", "-B", "32768", "-n", "-U", "--immediate-mode"]
    process = hub.popen([*words, "-w", record, wanted], stderr=subprocess.PIPE)
    assert process.stderr is not None
    try:
        said = process.stderr.readline() + process.stderr.readline()
        if b"listening on" not in said:
            raise RuntimeError(said.decode())
        yield seen
    finally:
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=_PATIENCE)[1].decode()
    if not re.search(r"^0 packets dropped by kernel", told, re.MULTILINE):
        raise RuntimeError(told)
    listing = hub.must(["tcpdump", "-n", "-tt", "-r", record])
    for at, source, address, port in _OPENING.findall(listing):
        seen.append(Opening(float(at), source, address, int(port)))


def _lay_cables(made: Star) -> None:
    hub = str(made.hub.namespace)
    netns.ip("netns", "add", hub)
    netns.ip("-n", hub, "link", "set", "lo", "up")
    netns.ip("-n", hub, "address", "add", f"{_HUB}/32", "dev", "lo")
    for number, spoke in enumerate(made.spokes, 1):
        there, end = str(spoke.namespace), f"spoke{number}"
        netns.ip("netns", "add", there)
        netns.ip("link", "add", end, "netns", hub, "type", "veth", "peer", "name", "cable", "netns", there)
        netns.ip("-n", hub, "address", "add", f"10.98.{number}.1/24", "dev", end)
        netns.ip("-n", hub, "link", "set", end, "up")
        netns.ip("-n", there, "link", "set", "lo", "up")
        netns.ip("-n", there, "address", "add", f"{spoke.address}/24", "dev", "cable")
        netns.ip("-n", there, "link", "set", "cable", "up")
        netns.ip("-n", there, "route", "add", "default", "via", f"10.98.{number}.1")
