"""Two network namespaces joined by one cable: servers on one side, the scanner on the other.

The scanner's default route is the cable, and nothing is behind it: a packet to any address
whatever arrives at the server side, where it can be counted, and goes no further. A crash
leaves at most namespaces whose owner is dead; the next pair that is made removes them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.peers.places import Place

__all__ = [
    "SCANNER",
    "SCANNER_IPV6",
    "SERVER",
    "SERVER_IPV6",
    "Pair",
    "ip",
    "name",
    "namespace_pair",
    "remove",
    "sweep",
]

SERVER = "10.99.0.1"
SCANNER = "10.99.0.2"
SERVER_IPV6 = "fd99::1"
SCANNER_IPV6 = "fd99::2"

_NAME = re.compile(r"leadglass-(\d+)-(\d+)-\d+-(server|scanner)")
_counter = itertools.count()


@dataclass(frozen=True, slots=True)
class Pair:
    """The two ends of the cable."""

    server: Place
    scanner: Place

    def add_address(self, address: str) -> Place:
        """One more address (IPv4 or IPv6 literal) of the server side, as a place of its own."""
        width = "/128" if ":" in address else "/32"
        extra = ["nodad"] if ":" in address else []
        self.server.must(["ip", "address", "add", address + width, "dev", "cable", *extra])
        return Place(address, self.server.namespace)

    def answer_for(self, network: str) -> None:
        """The server side takes every address of ``network`` for its own: its closed ports answer RST."""
        family = ["-6"] if ":" in network else []
        self.server.must(["ip", *family, "route", "add", "local", network, "dev", "lo"])


@contextlib.contextmanager
def namespace_pair() -> Iterator[Pair]:
    """Make the two namespaces; remove them, and end whatever still runs inside, on the way out."""
    sweep()
    pair = Pair(Place(SERVER, name("server")), Place(SCANNER, name("scanner")))
    try:
        _lay_cable(pair)
        yield pair
    finally:
        for place in (pair.server, pair.scanner):
            remove(str(place.namespace))


def name(side: str) -> str:
    """A namespace's name that was never used, and by which ``sweep`` sees who made it; "server" or "scanner"."""
    return f"leadglass-{os.getpid()}-{_started(os.getpid())}-{next(_counter)}-{side}"


def sweep() -> None:
    """Remove the namespaces whose maker is no longer alive, with whatever runs inside them."""
    for handle in Path("/run/netns").glob("leadglass-*"):
        match = _NAME.fullmatch(handle.name)
        if match and _started(int(match[1])) != match[2]:
            remove(handle.name)


def _lay_cable(pair: Pair) -> None:
    server, scanner = str(pair.server.namespace), str(pair.scanner.namespace)
    ip("netns", "add", server)
    ip("netns", "add", scanner)
    ip("link", "add", "cable", "netns", server, "type", "veth", "peer", "name", "cable", "netns", scanner)
    for place in (pair.server, pair.scanner):
        # The link's own address is usable at once, too; neighbours are asked from it.
        place.must(["sysctl", "-qw", "net.ipv6.conf.cable.accept_dad=0"])
    _connect(server, SERVER, SERVER_IPV6)
    _connect(scanner, SCANNER, SCANNER_IPV6)
    ip("-n", scanner, "route", "add", "default", "via", SERVER)
    ip("-n", scanner, "-6", "route", "add", "default", "via", SERVER_IPV6)


def _connect(namespace: str, ipv4: str, ipv6: str) -> None:
    ip("-n", namespace, "link", "set", "lo", "up")
    ip("-n", namespace, "address", "add", f"{ipv4}/24", "dev", "cable")
    # Without duplicate address detection the address is usable at once.
    ip("-n", namespace, "address", "add", f"{ipv6}/64", "dev", "cable", "nodad")
    ip("-n", namespace, "link", "set", "cable", "up")


def remove(namespace: str) -> None:
    """Remove a namespace, and end whatever still runs inside."""
    if not Path("/run/netns", namespace).exists():
        return
    for pid in ip("netns", "pids", namespace).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    ip("netns", "delete", namespace)


def _started(pid: int) -> str:
    """When the process started, in clock ticks since boot (proc(5), field 22); "" if there is none.

    Tells a living maker from a later process that was given the same number.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ""
    return status.rpartition(")")[2].split()[19]


def ip(*words: str) -> str:
    """What iproute2 answers; ``RuntimeError`` with what it complains of."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
