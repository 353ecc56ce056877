"""How fast is a /16 gone through on six ports where nobody answers.

Between two network namespaces, which needs root: once every port is closed (RST), once everything is
filtered (dropped). A C client that only connects and closes, Leadglass, nmap and masscan take turns.
``python -m bench.closed``, on a quiet machine; ``--quick`` tries it out and keeps nothing.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.lib.addresses import Block
from bench.lib.cable import CLOSED, FILTERED, Cable, cable, missing
from bench.lib.measuring import Client, Lap, Laps, disturbance, foreign, ours, rates, ratios, take_turns
from bench.lib.programs import Programs, compiled
from bench.lib.results import keep, machine, table, version_of

from leadglass.model.verdict import Access
from leadglass.net.pace import Pace

PORTS = (104, 2761, 2762, 4242, 8042, 11112)
_PORTS = ",".join(map(str, PORTS))
CLOSED_WINDOW, FILTERED_WINDOW = 256, 18_000
TIMEOUT_MS = int(Pace().connect_timeout * 1000)
"""What Leadglass waits where no connection was ever opened."""
MASSCAN_RATE = 300_000
NMAP_RATE = 20_000

C, LEADGLASS, NMAP, MASSCAN = "C client", "Leadglass", "nmap", "masscan"
_NMAP = ("nmap", "-n", "-Pn", "-T5", "--disable-arp-ping", "-oG", "/dev/null", "-p", _PORTS)
_HURRIED = ("--min-rate", NMAP_RATE, "--max-retries", 0)
"""Left to itself nmap takes hours for filtered addresses: it believes that it is sending too fast."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    addresses: int
    nmap_filtered: int
    rounds: int
    patience: float
    """Seconds to wait for a quiet machine before each lap."""


FULL, QUICK = Size(65_536, 4096, 3, 120), Size(4096, 1024, 1, 0)


@dataclass(frozen=True, slots=True)
class Field:
    """Whom everybody connects to, and what is to be seen there."""

    cable: Cable
    programs: Programs | None
    addresses: Block
    window: int
    """Connections that each process keeps open at once."""
    end: str
    """``refused`` or ``unanswered``: what every connection of the C client must come to."""
    access: Access
    """What Leadglass must say of every endpoint."""

    def c(self, processes: int) -> Lap:
        """Connect, wait, close."""
        assert self.programs is not None
        block = self.addresses
        words = (block.first, block.count, _PORTS, self.window, TIMEOUT_MS, processes)
        return ours(self.cable.command(self.programs.connect, *words), self.end, _count(block))

    def leadglass(self, processes: int) -> Lap:
        """The whole scan into SQLite, from the first shard to the last commit."""
        block = self.addresses
        words = (block.first, block.count, _PORTS, self.window, processes)
        command = self.cable.command(sys.executable, "-m", "bench.lib.leadglass", *words)
        return ours(command, self.access, _count(block))

    def nmap(self, block: Block, *options: object) -> Lap:
        """As root it can send SYNs by hand (-sS); -sT connects as everybody else does."""
        words = [str(word) for word in (*_NMAP, *options, *block.networks())]

        def check(printed: str) -> None:
            if f"Nmap done: {block.count} IP addresses" not in printed:
                raise RuntimeError(f"nmap did not go through: {printed[-500:]}")

        return foreign([self.cable.command(*words)], _count(block), check)

    def masscan(self) -> Lap:
        """Sends SYNs by hand, keeps nothing in mind, and listens for one second more."""
        block = self.addresses
        words = ("masscan", "-p", _PORTS, "--rate", MASSCAN_RATE, "--wait", 1, *block.networks())
        with self.cable.ticking():  # its receiver looks at the time only when a packet comes
            return foreign([self.cable.command(*words)], _count(block), lambda _: None)


def _count(block: Block) -> int:
    return block.count * len(PORTS)


def closed_clients(field: Field) -> Mapping[str, Client]:
    """Who goes through the closed ports."""
    found: dict[str, Client] = {
        f"{name}, {processes} process{'es' * (processes > 1)}": functools.partial(run, processes)
        for name, run in _own(field).items()
        for processes in (1, 2)
    }
    if shutil.which("nmap"):
        found[f"{NMAP} -sS"] = functools.partial(field.nmap, field.addresses, "-sS")
        found[f"{NMAP} -sT"] = functools.partial(field.nmap, field.addresses, "-sT")
    return found | _masscan(field)


def filtered_clients(field: Field, size: Size) -> Mapping[str, Client]:
    """Who waits at the filtered ones."""
    found: dict[str, Client] = {
        f"{name}, 1 process": functools.partial(run, 1) for name, run in _own(field).items()
    }
    if shutil.which("nmap"):
        few = Block(field.addresses.first, size.nmap_filtered)
        found[f"{NMAP} -sS, one SYN, {few.count:,} addresses"] = functools.partial(
            field.nmap, few, "-sS", *_HURRIED
        )
    return found | _masscan(field)


def _own(field: Field) -> dict[str, Callable[[int], Lap]]:
    found: dict[str, Callable[[int], Lap]] = {} if field.programs is None else {C: field.c}
    return found | {LEADGLASS: field.leadglass}


def _masscan(field: Field) -> dict[str, Client]:
    return {MASSCAN: field.masscan} if shutil.which("masscan") else {}


def report(laps: Laps) -> str:
    """The table of one field."""
    reference = next((name for name in laps if name.startswith(C)), None)
    rows = [
        (
            name,
            rates(laps[name]).show(",.0f"),
            ratios(laps[name], laps[reference]).show(".3f") if reference else "",
            f"{sum(lap.cost for lap in laps[name]) / len(laps[name]):.1f}",
            f"{sum(lap.syns or 0 for lap in laps[name]) / sum(lap.count for lap in laps[name]):.2f}",
        )
        for name in laps
    ]
    head = ("client", "a second", "ratio to the C client", "CPU microseconds for each", "SYNs for each")
    return f"{table(head, rows)}\n\n{disturbance(laps)}"


def measure(laid: Cable, programs: Programs | None, size: Size) -> str:
    """Both fields."""
    print("closed")
    field = Field(laid, programs, Block(CLOSED, size.addresses), CLOSED_WINDOW, "refused", Access.CLOSED)
    closed = _in_turns(laid, closed_clients(field), size)
    print("filtered")
    field = Field(
        laid, programs, Block(FILTERED, size.addresses), FILTERED_WINDOW, "unanswered", Access.FILTERED
    )
    filtered = _in_turns(laid, filtered_clients(field, size), size)
    return (
        f"**closed**, {CLOSED_WINDOW} connections open at once in each process\n\n{report(closed)}\n\n"
        f"**filtered**, {FILTERED_WINDOW:,} connections open at once, each given up after"
        f" {TIMEOUT_MS / 1000:g} s\n\n{report(filtered)}"
    )


def _in_turns(laid: Cable, clients: Mapping[str, Client], size: Size) -> Laps:
    return take_turns(
        {name: laid.counted(client) for name, client in clients.items()}, size.rounds, size.patience
    )


def about(size: Size) -> str:
    """What was measured, and what to know about it."""
    return f"""{size.addresses:,} addresses on {len(PORTS)} ports (each address and port counts), {size.rounds} rounds in turns: median (smallest to largest).
Filtered addresses cost the time-out divided by the window, whoever waits; what differs is the CPU. Linux repeats a SYN after one second.
nmap goes through filtered addresses with `--min-rate {NMAP_RATE} --max-retries 0`; left to itself it takes hours.
masscan sends at `--rate {MASSCAN_RATE}` and waits one second for late answers; its time and nmap's hold their start-up.
Leadglass judges, and writes to SQLite on disk. It has one process more, which writes: all of them share as many cores
as it is said to have processes. It keeps at most 256 endpoints of one /24 under way, whatever the window. Its time goes from the first shard handed out to the last one committed."""


def main() -> None:
    parser = argparse.ArgumentParser(description="a /16 on six ports where nobody answers")
    parser.add_argument("--quick", action="store_true", help="try it out with few addresses; keep nothing")
    quick = parser.parse_args().quick
    lacking = missing()
    if lacking is not None:
        print(f"skipped: {lacking}")
        return
    for tool in (NMAP, MASSCAN):
        if not shutil.which(tool):
            print(f"there is no {tool}: nothing is compared with it")
    size = QUICK if quick else FULL
    head = machine(*version_of("nmap", "masscan", "cc"))
    with compiled(("connect",)) as programs, cable() as laid:
        found = measure(laid, programs, size)
    body = f"{head}\n\n{about(size)}\n\n{found}"
    print(body)
    if not quick:
        keep("closed", body)


if __name__ == "__main__":
    main()
