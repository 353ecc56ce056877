"""How long does ``leadglass survey estimate`` take for a large stored scan, judged as it was and judged again.

The scan is written by the store's own writer: associating servers, a part of them behind a certificate of their
own, whose answers differ in so many ways; then the installed command counts it, and its largest PSS (proc(5)) is
taken twice a second. ``python -m bench.survey``; ``--quick`` tries it out with few records and keeps nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import ipaddress
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.lib.addresses import Block
from bench.lib.command import DATABASE, on_disk
from bench.lib.processes import descendants, pss_of
from bench.lib.results import keep, machine, table
from bench.lib.scopes import scope_text

from leadglass import wiring
from leadglass.judge.judge import judge
from leadglass.model.evidence import (
    AssociateEvidence,
    Certificate,
    Evidence,
    Reply,
    TcpEvidence,
    TcpOutcome,
    TlsEvidence,
    TlsOutcome,
)
from leadglass.model.look import Look, Sighting, look_of
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.parse import parse
from leadglass.store.database import Database
from leadglass.store.scans import begin, complete
from leadglass.store.work import Work
from leadglass.wiring.session import HERE, ScopeFile, plan_of
from leadglass.wiring.storage import open_storage

FIRST, PORT = int(ipaddress.IPv4Address("127.1.0.0")), 104
MIB = 1 << 20
EVERY = 0.5
SOON = 120.0
GROWTH = 1.5
"""So many times the memory for ten times the records, and it still counts as flat: the looks remembered fill up."""
SHARD = 50_000


class Size(NamedTuple):
    """So many records, with so many different answers."""

    records: int
    looks: int


FULL = (Size(100_000, 20_000), Size(1_000_000, 20_000), Size(100_000, 100_000))
QUICK = (Size(5_000, 500), Size(50_000, 500), Size(5_000, 5_000))


class Taken(NamedTuple):
    """What one call took."""

    seconds: float
    most: int
    """Bytes."""


def seen(number: int) -> tuple[Evidence, ...]:
    """What a server says that differs from every other by its version, and every fourth by its certificate."""
    told = AssociateEvidence(
        Reply.ACCEPTED,
        implementation_class_uid="1.2.276.0.7230010.3.0.3.6.7",
        implementation_version_name=f"BENCH_{number}",
        maximum_length=16384,
        user_items=("51H", "52H", "55H"),
        verification=0,
        echo=Reply.ANSWERED,
        echo_status=0,
        over_tls=number % 4 == 0,
    )
    if number % 4:
        return TcpEvidence(TcpOutcome.OPEN), told
    dates = "2026-01-31T12:00:00Z", "2027-01-31T12:00:00Z"
    own = Certificate(f"CN=pacs{number}", "CN=ca", *dates, (), f"{number:064x}", "RSA 2048")
    return TcpEvidence(TcpOutcome.OPEN), TlsEvidence(TlsOutcome.ESTABLISHED, certificate=own), told


def look(number: int) -> Look:
    """The look of it, as a scan makes it."""
    evidence = seen(number)
    verdict = judge(evidence, rung=Rung.ASSOCIATE, position=Position.UNKNOWN, port=PORT)
    return look_of(evidence, verdict, Rung.ASSOCIATE, "bench")


def fill(database: Database, size: Size) -> None:
    """A complete scan of that size."""
    text = scope_text(Block(str(ipaddress.IPv4Address(FIRST)), size.records), (PORT,))
    scope = parse(text, filename="bench", moment=wiring.clock().posix())
    plan = plan_of(ScopeFile(scope, text, "bench"), "bench", Rung.ASSOCIATE)
    scan = begin(database, dataclasses.replace(plan, shard_hosts=SHARD))
    work = Work(database, scan, HERE, Position.UNKNOWN, worker="bench", token=lambda: secrets.token_hex(16))
    looks = [look(number) for number in range(size.looks)]
    port = PORT.to_bytes(2)
    while (shard := work.take()) is not None:
        rows = [
            # Numbers far apart: neighbours in an address range seldom answer alike.
            Sighting((FIRST + n).to_bytes(4) + port, plan.began, "127.0.0.1", looks[n * 7919 % size.looks])
            for n in range(shard.first, shard.after)
        ]
        assert work.finish(shard, rows)
    assert complete(database, scan)


def taken(home: Path, words: Sequence[str]) -> Taken:
    """Run the command and watch it."""
    command = Path(sys.executable).with_name("leadglass")
    began, most = time.monotonic(), 0
    call: list[str | Path] = [
        command,
        "survey",
        "estimate",
        "--scan",
        "last",
        "--database",
        home / DATABASE,
        *words,
    ]
    with subprocess.Popen(call, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, sum(map(pss_of, (process.pid, *descendants(process.pid)))))
            time.sleep(EVERY)
    if process.returncode:
        raise RuntimeError(f"it ended with {process.returncode}")
    return Taken(time.monotonic() - began, most)


def told(sizes: Sequence[Size]) -> Iterator[str]:
    """The table, and what became of the targets."""
    rows, found = [], {}
    for size in sizes:
        print(f"{size.records:,} records, {size.looks:,} different answers", flush=True)
        with on_disk() as home:
            with open_storage(str(home / DATABASE)) as database:
                fill(database, size)
            for name, words in (("as judged", ()), ("judged again", ("--again",))):
                one = found[size, name] = taken(home, words)
                rows.append(
                    (
                        f"{size.records:,}",
                        f"{size.looks:,}",
                        name,
                        f"{one.seconds:.1f}",
                        f"{size.records / one.seconds:,.0f}",
                        f"{one.most / MIB:.0f}",
                    )
                )
    yield table(("records", "different answers", "counted", "seconds", "a second", "most memory, MiB"), rows)
    few, many = (found[size, "judged again"] for size in sizes[:2])
    word = "reached" if many.seconds < SOON else "missed"
    yield f"- {sizes[1].records:,} judged again and estimated: {many.seconds:.0f} s; target under {SOON:.0f}: {word}"
    grown = many.most / few.most
    word = "reached" if grown <= GROWTH else "missed"
    yield f"- {grown:.2f} times the memory for ten times the records; target flat (at most {GROWTH}): {word}"


def main() -> None:
    parser = argparse.ArgumentParser(description="how long a survey of a stored scan takes")
    parser.add_argument("--quick", action="store_true", help="try it out with few records; keep nothing")
    quick = parser.parse_args().quick
    about = "One process counts. Answers that are alike are judged once, as long as they are remembered."
    first, *verdicts = told(QUICK if quick else FULL)
    body = "\n\n".join((machine(), about, first, "\n".join(verdicts)))
    print(body)
    if not quick:
        keep("survey", body)


if __name__ == "__main__":
    main()
