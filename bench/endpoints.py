"""How many endpoints a second, full ladder to C-ECHO.

A C server answers with canned bytes on all of 127/8 (bound to the interface ``lo``). The clients take
turns: a C client that only sends and counts bytes, Leadglass, which judges and stores, pynetdicom with
several numbers of threads, and nmap's dicom-ping, which stops at the A-ASSOCIATE-AC. Ratios are taken
within a round.
``python -m bench.endpoints``, on a quiet machine; ``--quick`` tries it out and keeps nothing.
"""

from __future__ import annotations

import argparse
import csv
import functools
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pynetdicom
from bench.lib.addresses import Block
from bench.lib.command import REPORT, on_disk, scan_command
from bench.lib.measuring import (
    Client,
    Lap,
    Laps,
    disturbance,
    foreign,
    on_cores,
    ours,
    rates,
    ratios,
    take_turns,
)
from bench.lib.programs import Programs, compiled, serving
from bench.lib.results import keep, machine, table, version_of

from leadglass.model.verdict import Access

PORT = 11190
WINDOW = 256
THREADS = (1, 8, 32)
FIRST = "127.90.0.0"

C, LEADGLASS, PYNETDICOM, NMAP = "C client", "Leadglass", "pynetdicom", "nmap dicom-ping"
COMMAND = "leadglass scan, whole command"
TARGETS = ((LEADGLASS, C, 0.7), (LEADGLASS, PYNETDICOM, 25.0), (COMMAND, NMAP, 5.0))
"""How many times as fast as each Leadglass wants to be. nmap's time holds its start-up, so ours does too."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    addresses: int
    pynetdicom: int
    rounds: int
    patience: float
    """Seconds to wait for a quiet machine before each lap."""


FULL, QUICK = Size(20_000, 1_000, 5, 120), Size(2_000, 100, 1, 0)


@dataclass(frozen=True, slots=True)
class Setting:
    """How many processes on each side, and where they run."""

    title: str
    processes: int
    server_cores: tuple[int, ...] | None
    client_cores: tuple[int, ...] | None


def settings() -> Iterator[Setting]:
    """One core for each side, if there are two; then two processes for each side, wherever they like."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        yield Setting(
            f"server: 1 process on core {cores[0]}; client: 1 process on core {cores[1]}",
            1,
            (cores[0],),
            (cores[1],),
        )
    else:
        print("there is one core only: nothing is pinned")
    yield Setting("server: 2 processes; client: 2 processes; unpinned", 2, None, None)


def leadglass_scan(addresses: Block, processes: int) -> Lap:
    """The whole scan into SQLite, from the first shard to the last commit."""
    words = map(str, (addresses.first, addresses.count, PORT, WINDOW, processes))
    command = [sys.executable, "-m", "bench.lib.leadglass", *words]
    return ours(command, Access.ASSOCIATES.value, addresses.count)


def command_scan(addresses: Block) -> Lap:
    """The same as the shell sees it: with its start-up, and the report."""
    with on_disk() as home:
        command = scan_command(home, addresses, (PORT,))

        def check(_: str) -> None:
            with (home / REPORT).open(newline="") as report:
                found = {
                    row["address"] for row in csv.DictReader(report) if row["access"] == Access.ASSOCIATES
                }
            if found != set(addresses):
                raise RuntimeError(f"{len(found)} of {addresses.count} are reported")

        return foreign([command], addresses.count, check)


def c_scan(programs: Programs, addresses: Block, processes: int) -> Lap:
    """The bytes alone."""
    command = programs.client(addresses.first, addresses.count, PORT, WINDOW, processes)
    return ours(command, "answered", addresses.count)


def pynetdicom_scan(addresses: Block, threads: int, processes: int) -> Lap:
    """The same ladder with the usual toolkit."""
    words = map(str, (addresses.first, addresses.count, PORT, threads, processes))
    command = [sys.executable, "-m", "bench.lib.pynetdicom_client", *words]
    return ours(command, "answered", addresses.count)


def nmap_scan(addresses: Block, processes: int) -> Lap:
    """Each process a part; -T5 alone was the quickest of several ways to call it."""
    nmap = ["nmap", "-n", "-Pn", "-T5", "--disable-arp-ping", "-p", str(PORT), "--script", "+dicom-ping"]

    def check(printed: str) -> None:
        found = printed.count("DICOM Service Provider discovered")
        if found != addresses.count:
            raise RuntimeError(f"nmap found {found} of {addresses.count}")

    commands = [[*nmap, *part.networks()] for part in addresses.split(processes)]
    return foreign(commands, addresses.count, check)


def clients(programs: Programs, size: Size, processes: int) -> dict[str, Client]:
    """Who takes turns."""
    everybody = Block(FIRST, size.addresses)
    found: dict[str, Client] = {
        C: functools.partial(c_scan, programs, everybody, processes),
        LEADGLASS: functools.partial(leadglass_scan, everybody, processes),
        COMMAND: functools.partial(command_scan, everybody),
    }
    for threads in THREADS:
        some = Block(FIRST, size.pynetdicom)
        found[f"{PYNETDICOM}, {threads} thread{'s' * (threads > 1)}"] = functools.partial(
            pynetdicom_scan, some, threads, processes
        )
    if shutil.which("nmap"):
        found[NMAP] = functools.partial(nmap_scan, everybody, processes)
    else:
        print("there is no nmap: nothing is compared with it")
    return found


def best(laps: Laps, family: str) -> str | None:
    """The quickest client whose name begins so; None if there is none."""
    names = [name for name in laps if name.startswith(family)]
    return max(names, key=lambda name: rates(laps[name]).median, default=None)


def report(laps: Laps) -> str:
    """The table of one setting, and what became of the targets."""
    rows = [
        (
            name,
            rates(laps[name]).show(",.0f"),
            ratios(laps[name], laps[C]).show(".3f"),
            f"{sum(lap.cost for lap in laps[name]) / len(laps[name]):,.0f}",
        )
        for name in laps
    ]
    head = ("client", "endpoints a second", "ratio to the C client", "CPU microseconds for each")
    return f"{table(head, rows)}\n\n{verdicts(laps)}\n\n{disturbance(laps)}"


def verdicts(laps: Laps) -> str:
    """Leadglass against each of the others, best thread count, beside its target."""
    lines = []
    for own, family, target in TARGETS:
        other = best(laps, family)
        if other is not None:
            got = ratios(laps[own], laps[other])
            word = "reached" if got.median >= target else "missed"
            lines.append(f"- {own} / {other}: {got.show('.2f')}; target {target:g}: {word}")
    return "\n".join(lines)


def measure(programs: Programs, size: Size, setting: Setting) -> str:
    """One setting."""
    print(setting.title)
    server = programs.server(PORT, setting.processes)
    with serving(server, setting.server_cores), on_cores(setting.client_cores):
        laps = take_turns(clients(programs, size, setting.processes), size.rounds, size.patience)
    return f"**{setting.title}**\n\n{report(laps)}"


def about(size: Size) -> str:
    """What was measured, and what to know about it."""
    return f"""Full ladder: connect, A-ASSOCIATE, C-ECHO, A-RELEASE, close; dicom-ping stops at the A-ASSOCIATE-AC.
{size.addresses:,} loopback addresses ({size.pynetdicom:,} for pynetdicom), {size.rounds} rounds in turns: median (smallest to largest).
The server and the C client know canned bytes only. The C client keeps {WINDOW} connections open in each process.
Leadglass judges, and writes to SQLite on disk. It has one process more, which writes and shares the same cores;
each of the others keeps {WINDOW} connections open, as many as its limit of descriptors leaves. Its time goes from the
first shard handed out to the last one committed, when its processes are up; its CPU is that of all of them in this time.
The whole command holds start-up and report (CSV) too, and keeps as many connections open as it likes; so does nmap's time hold its start-up.
That of the others does not."""


def main() -> None:
    parser = argparse.ArgumentParser(description="endpoints a second, full ladder to C-ECHO")
    parser.add_argument("--quick", action="store_true", help="try it out with few endpoints; keep nothing")
    quick = parser.parse_args().quick
    size = QUICK if quick else FULL
    head = machine(f"pynetdicom {pynetdicom.__version__}", *version_of("nmap", "cc"))
    with compiled(("server", "client")) as programs:
        if programs is None:
            return  # the server is one of them
        sections = [measure(programs, size, setting) for setting in settings()]
    body = "\n\n".join((head, about(size), *sections))
    print(body)
    if not quick:
        keep("endpoints", body)


if __name__ == "__main__":
    main()
