"""What the guard costs, and what it gains: beside haproxy, nginx and stunnel, and beside no proxy at all.

Everything on loopback. The guard runs as it is installed, mutual TLS, policy and audit on. The others
terminate mutual TLS with the same certificate and know nothing of DICOM. ``python -m bench.guard``;
``--quick`` tries it out and keeps nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.lib.fronts import Front, fronts
from bench.lib.images import stock_images, studies
from bench.lib.measuring import ROOT, Client, Lap, Laps, disturbance, rates, ratios, take_turns
from bench.lib.programs import compiled, serving
from bench.lib.results import keep, machine, table, version_of
from tests.peers.dcmtk import storescp
from tests.peers.guarded import Guard, entry, guard
from tests.peers.orthanc import load, orthanc
from tests.peers.places import LOOPBACK, free_port

from leadglass.model.enrolment import Enrolled
from leadglass.settings.guard import Address

GUARD, DIRECT = "Leadglass guard", "direct"
HAPROXY, HAPROXY_LARGE = "haproxy", "haproxy, 256 KB buffers"
TITLE, CLINIC = "ARCHIVE", "Bench Clinic"


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    images: int
    large: int
    associations: int
    stock: int
    matches: int
    queries: int
    rounds: int
    patience: float


FULL, QUICK = Size(500, 20, 2000, 200, 1000, 40, 5, 60), Size(100, 3, 200, 30, 100, 5, 2, 0)


def bench() -> Enrolled:
    """The workstation that all benches come in as."""
    return entry("bench", "BENCH", "modality", "radiologist", institutions=(CLINIC,), modalities=("CT",))


# ---- one run of one client


def client(port: int, papers: Sequence[str], what: str, count: int, more: str) -> Lap:
    """A run of ``bench.lib.dicom_client``."""
    said = run_client(port, papers, what, count, more)
    if said["done"] != count:
        raise RuntimeError(f"{said['done']} of {count} {what}")
    return Lap(count, float(str(said["seconds"])), float(str(said["cpu"])))


def run_client(port: int, papers: Sequence[str], what: str, count: int, more: str) -> Mapping[str, object]:
    """What it says."""
    words = [
        sys.executable,
        "-m",
        "bench.lib.dicom_client",
        what,
        str(port),
        str(count),
        more,
        "--called",
        TITLE,
    ]
    if papers:
        words += ["--papers", *papers]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=ROOT, timeout=600)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    said: Mapping[str, object] = json.loads(done.stdout)
    return said


def storescu(port: int, folder: Path, count: int, options: Sequence[str], calling: str) -> Lap:
    """A run of Debian's storescu, its start-up included."""
    began = time.perf_counter()
    words: list[str | Path] = [
        "storescu",
        "+sd",
        *options,
        "-aet",
        calling,
        "-aec",
        TITLE,
        "127.0.0.1",
        str(port),
        folder,
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=600)
    return Lap(count, time.perf_counter() - began, 0.0)


# ---- sections


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """The C program that takes everything; its port."""
    with compiled(("sink",)) as programs:
        if programs is None:
            raise SystemExit(0)
        port = free_port(LOOPBACK)
        with serving([programs.home / "sink", str(port)], None):
            yield port


@contextlib.contextmanager
def before(archive: int, *, query: bool = False, workers: int = 2) -> Iterator[Guard]:
    """A guard before this port of loopback."""
    settings: dict[str, dict[str, object]] = {
        "archive": {"query": query},
        "limits": {"per_address": 256, "workers": workers},
    }
    plain = entry("stock", "STOCK", "modality", "radiologist", institutions=(CLINIC,), plain=True)
    with (
        TemporaryDirectory(prefix="leadglass-bench-") as home,
        guard(
            Path(home), Address("127.0.0.1", archive), bench(), plain, title=TITLE, settings=settings
        ) as running,
    ):
        yield running


def tls_section(size: Size) -> str:
    """Bulk and associations over TLS, against others that terminate it."""
    with sink() as archive, before(archive) as ours:
        papers = tuple(map(str, ours.papers("bench")))
        with fronts(archive, ours.home) as others:
            parts = [
                _bulk(f"{size.images} CT images of 0.5 MB", size.images, 500_000, ours, others, papers, size),
                _bulk(f"{size.large} objects of 50 MB", size.large, 50_000_000, ours, others, papers, size),
                _associations(ours, others, papers, size),
            ]
    return "\n\n".join(parts)


def _turns(
    ours: Guard, others: Sequence[Front], papers: Sequence[str], run: Sequence[object], size: Size
) -> Laps:
    what, count, more = run
    ports = {GUARD: ours.ports["dicom"], **{front.name: front.port for front in others}}
    clients: dict[str, Client] = {
        name: functools.partial(client, port, papers, str(what), int(str(count)), str(more))
        for name, port in ports.items()
    }
    return take_turns(clients, size.rounds, size.patience)


def _bulk(
    title: str,
    count: int,
    octets: int,
    ours: Guard,
    others: Sequence[Front],
    papers: Sequence[str],
    size: Size,
) -> str:
    print(title)
    laps = _turns(ours, others, papers, ("store", count, octets), size)
    rows = [
        (
            name,
            rates(laps[name]).show(",.0f"),
            f"{rates(laps[name]).median * octets / 1e6:,.0f}",
            ratios(laps[name], laps[HAPROXY]).show(".2f"),
        )
        for name in laps
    ]
    head = ("C-STORE over mutual TLS", "objects a second", "MB/s", "ratio to haproxy")
    targets = [verdict(laps, name, 1.0) for name in (HAPROXY, HAPROXY_LARGE)]
    return f"**{title}**\n\n{table(head, rows)}\n\n" + "\n".join(targets) + f"\n\n{disturbance(laps)}"


def _associations(ours: Guard, others: Sequence[Front], papers: Sequence[str], size: Size) -> str:
    print("associations")
    laps = _turns(ours, others, papers, ("associate", size.associations, 8), size)
    rows = [(n, rates(laps[n]).show(",.0f"), ratios(laps[n], laps[HAPROXY]).show(".2f")) for n in laps]
    head = ("TLS handshake, A-ASSOCIATE, C-ECHO, A-RELEASE", "a second", "ratio to haproxy")
    return f"**{size.associations:,} new associations, 8 at a time**\n\n{table(head, rows)}\n\n{verdict(laps, HAPROXY, 0.7)}"


def verdict(laps: Laps, other: str, target: float) -> str:
    """The guard beside its target."""
    got = ratios(laps[GUARD], laps[other])
    word = "reached" if got.median >= target else "missed"
    return f"- {GUARD} / {other}: {got.show('.2f')}; target {target:g}: {word}"


def stock_section(size: Size) -> str:
    """Stock storescu to stock storescp, and a query on an open association, with and without the guard."""
    with TemporaryDirectory(prefix="leadglass-bench-") as home:
        folder = Path(home) / "images"
        stock_images(folder, size.stock, CLINIC)
        with (
            storescp(LOOPBACK, Path(home), "--ignore", port=(port := free_port(LOOPBACK))),
            before(port) as ours,
        ):
            secure = [*ours.dcmtk("bench")]
            clients: dict[str, Client] = {
                DIRECT: functools.partial(storescu, port, folder, size.stock, (), "STOCK"),
                "through the guard, plain": functools.partial(
                    storescu, ours.ports["plain"], folder, size.stock, (), "STOCK"
                ),
                "through the guard, mutual TLS": functools.partial(
                    storescu, ours.ports["dicom"], folder, size.stock, secure, "BENCH"
                ),
            }
            print("stock storescu to stock storescp")
            laps = take_turns(clients, size.rounds, size.patience)
    rows = [(n, rates(laps[n]).show(",.0f"), ratios(laps[n], laps[DIRECT]).show(".1f")) for n in laps]
    best = max((ratios(laps[n], laps[DIRECT]).median for n in laps if n != DIRECT), default=0.0)
    head = (
        f"storescu +sd, {size.stock} images of 0.5 MB, its start-up included",
        "images a second",
        "ratio to direct",
    )
    word = "reached" if best >= 40 else "missed"
    return f"**The archive gets faster**\n\n{table(head, rows)}\n\n- best: {best:.1f}; target 40: {word}\n\n{disturbance(laps)}"


def find_section(size: Size) -> str:
    """Queries: one match from a stock archive, and many matches from one that does not wait."""
    parts = [_one_match(size), _many_matches(size)]
    return "\n\n".join(parts)


def _one_match(size: Size) -> str:
    with archive_with(1, {}) as (port, first), before(port, query=True, workers=1) as ours:
        papers = tuple(map(str, ours.papers("bench")))
        direct = _times(port, (), size.queries, first)
        through = _times(ours.ports["dicom"], papers, size.queries, first)
    word = "reached" if through[0] < 0.002 else "missed"
    rows = [(DIRECT, *_shown(direct)), ("through the guard, mutual TLS", *_shown(through))]
    head = ("C-FIND, one match, open association, stock Orthanc", "p50 ms", "p99 ms")
    return f"{table(head, rows)}\n\n- p50 under 2 ms: {word}"


def _many_matches(size: Size) -> str:
    with (
        archive_with(size.matches, {"TCP_NODELAY": "1"}) as (port, _),
        before(port, query=True, workers=1) as ours,
    ):
        papers = tuple(map(str, ours.papers("bench")))
        direct, through = [], []
        for _turn in range(size.rounds):
            direct.append(_times(port, (), max(2, size.queries // size.rounds), ""))
            through.append(_times(ours.ports["dicom"], papers, max(2, size.queries // size.rounds), ""))
    added = statistics.median((t[1] - d[1]) / d[1] for t, d in zip(through, direct, strict=True))
    word = "reached" if added < 0.2 else "missed"
    rows = [
        (DIRECT, *_shown(_medians(direct))),
        ("through the guard, mutual TLS, filtered", *_shown(_medians(through))),
    ]
    head = (f"C-FIND, {size.matches:,} matches, Orthanc with TCP_NODELAY", "p50 ms", "p99 ms")
    return f"{table(head, rows)}\n\n- added p99: {added:.0%}; target under 20 %: {word}"


def _times(port: int, papers: Sequence[str], count: int, study: str) -> tuple[float, float]:
    said = run_client(port, papers, "find", count, study)
    times = sorted(said["times"])  # type: ignore[call-overload]  # a list of numbers
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


def _medians(laps: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(lap[0] for lap in laps), statistics.median(lap[1] for lap in laps)


def _shown(times: tuple[float, float]) -> tuple[str, str]:
    return f"{times[0] * 1000:.2f}", f"{times[1] * 1000:.2f}"


@contextlib.contextmanager
def archive_with(count: int, environment: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """An Orthanc with so many studies; its DICOM port and the first study."""
    dicom, web = free_port(LOOPBACK), free_port(LOOPBACK)
    settings = {"DicomAlwaysAllowFind": True, "DicomAet": TITLE}
    with (
        TemporaryDirectory(prefix="leadglass-bench-") as home,
        orthanc(
            LOOPBACK, Path(home) / "orthanc", settings, dicom=dicom, http=web, environment=environment
        ) as peer,
    ):
        files, first = studies(count, CLINIC)
        load(peer, files)
        yield dicom, first


def main() -> None:
    parser = argparse.ArgumentParser(description="the guard beside other proxies, and beside none")
    parser.add_argument("--quick", action="store_true", help="try it out; keep nothing")
    parser.add_argument("--only", choices=("tls", "stock", "find"), help="one section")
    said = parser.parse_args()
    size = QUICK if said.quick else FULL
    sections = {"tls": tls_section, "stock": stock_section, "find": find_section}
    wanted = [said.only] if said.only else list(sections)
    missing = [name for name in ("cc", "haproxy", "storescu", "Orthanc") if shutil.which(name) is None]
    if missing:
        print(f"missing: {', '.join(missing)}")
        return
    head = machine(*version_of("haproxy", "nginx", "storescu", "Orthanc"))
    for name in wanted:
        body = f"{head}\n\n{sections[name](size)}"
        print(body)
        if not said.quick:
            keep(f"guard-{name}", body)


if __name__ == "__main__":
    main()
