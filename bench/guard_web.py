"""What the guard's DICOMweb door costs, beside nginx as a plain reverse proxy before the same Orthanc.

Both terminate mutual TLS with the same certificate; nginx knows nothing of DICOMweb and lets everything
through. ``python -m bench.guard_web``; ``--quick`` tries it out and keeps nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.guard import CLINIC, GUARD, TITLE, bench
from bench.lib.dicom_client import STUDY
from bench.lib.images import stock_images, studies
from bench.lib.measuring import ROOT, Client, Lap, disturbance, rates, ratios, take_turns
from bench.lib.results import keep, machine, table, version_of
from tests.peers.guarded import Guard, guard
from tests.peers.orthanc import load, orthanc
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import running

from leadglass.settings.guard import Address

NGINX, TARGET = "nginx", 0.7
_NGINX = """
daemon off;
worker_processes 2;
user root;
pid {home}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    upstream orthanc {{ server 127.0.0.1:{archive}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {papers}/server.pem;
        ssl_certificate_key {papers}/server.key;
        ssl_client_certificate {papers}/ca.pem;
        ssl_verify_client on;
        location /dicom-web/ {{
            proxy_pass http://orthanc;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    studies: int
    images: int
    requests: int
    rounds: int
    patience: float


FULL, QUICK = Size(100, 20, 400, 5, 60), Size(20, 3, 40, 2, 0)


@dataclass(frozen=True, slots=True)
class Question:
    """One kind of request."""

    name: str
    path: str
    share: float = 1.0
    """Of the requests of a run; heavy ones are fewer."""
    accept: str = "application/dicom+json"


def questions(size: Size) -> Sequence[Question]:
    """What is asked: searches and retrievals, small and large."""
    image = f"studies/{STUDY}/series/{STUDY}.1/instances/{STUDY}.1.0"
    return (
        Question("QIDO-RS, one study by its UID", f"studies?StudyInstanceUID={STUDY}.1"),
        Question("QIDO-RS, a page of ten studies", "studies?limit=10"),
        Question(f"QIDO-RS, all of {size.studies + 1} studies", f"studies?limit={size.studies + 50}", 0.25),
        Question("WADO-RS, metadata of an instance", f"{image}/metadata"),
        Question(
            "WADO-RS, an instance of 0.5 MB",
            image,
            accept='multipart/related; type="application/dicom"; transfer-syntax=*',
        ),
        Question(
            "WADO-RS, a frame of 0.5 MB",
            f"{image}/frames/1",
            accept='multipart/related; type="application/octet-stream"; transfer-syntax=*',
        ),
    )


def client(port: int, papers: Sequence[str], question: Question, count: int, connections: int) -> Lap:
    """A run of ``bench.lib.web_client``."""
    numbers = (str(port), str(count), str(connections))
    words = ["bench.lib.web_client", *numbers, f"/dicom-web/{question.path}", "--accept", question.accept]
    done = subprocess.run(
        [sys.executable, "-m", *words, "--papers", *papers],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    said = json.loads(done.stdout)
    return Lap(int(said["done"]), float(said["seconds"]), float(said["cpu"]))


@contextlib.contextmanager
def doors(size: Size) -> Iterator[tuple[Mapping[str, int], Sequence[str]]]:
    """Orthanc with its studies, the guard and nginx before it; the ports, and the client's papers."""
    dicom, web = free_port(LOOPBACK), free_port(LOOPBACK)
    settings = {"DicomAlwaysAllowFind": True, "DicomAet": TITLE, "AuthenticationEnabled": False}
    with TemporaryDirectory(prefix="leadglass-bench-") as folder:
        home = Path(folder)
        with (
            orthanc(LOOPBACK, home / "orthanc", settings, dicom=dicom, http=web) as archive,
            guard(
                home / "guard",
                Address("127.0.0.1", dicom),
                bench(),
                title=TITLE,
                web=f"http://127.0.0.1:{web}/dicom-web",
                settings={"limits": {"per_address": 256, "workers": 2}},
            ) as ours,
            nginx(home / "nginx", web, ours) as port,
        ):
            load(archive, studies(size.studies, CLINIC)[0])
            stock_images(home / "images", size.images, CLINIC)
            load(archive, (path.read_bytes() for path in sorted((home / "images").iterdir())))
            yield {GUARD: ours.ports["web"], NGINX: port}, tuple(map(str, ours.papers("bench")))


@contextlib.contextmanager
def nginx(home: Path, archive: int, ours: Guard) -> Iterator[int]:
    """A plain reverse proxy with the guard's certificate; its port."""
    home.mkdir()
    port = free_port(LOOPBACK)
    text = _NGINX.format(home=home, archive=archive, port=port, papers=ours.home)
    (home / "nginx.conf").write_text(text)
    program: list[str | Path] = ["nginx", "-c", home / "nginx.conf"]
    with running(LOOPBACK, program, product=NGINX, version="", ports={"tls": port}, home=home):
        yield port


def measure(size: Size, connections: int) -> str:
    """Every question, over so many connections at once."""
    rows, missed = [], []
    with doors(size) as (ports, papers):
        for question in questions(size):
            print(f"{question.name}, {connections} at once")
            count = max(connections, int(size.requests * question.share))
            clients: dict[str, Client] = {
                name: functools.partial(client, port, papers, question, count, connections)
                for name, port in ports.items()
            }
            laps = take_turns(clients, size.rounds, size.patience)
            got = ratios(laps[GUARD], laps[NGINX])
            if got.median < TARGET:
                missed.append(f"{question.name} ({got.median:.2f})")
            rows.append((question.name, *(rates(laps[name]).show(",.0f") for name in ports), got.show(".2f")))
    head = (f"{connections} at once", f"{GUARD}, a second", f"{NGINX}, a second", "ratio")
    word = f"missed by {', '.join(missed)}" if missed else "reached by all"
    return f"{table(head, rows)}\n\n- target {TARGET:g}: {word}\n\n{disturbance(laps)}"


def main() -> None:
    parser = argparse.ArgumentParser(description="the guard's DICOMweb door beside nginx")
    parser.add_argument("--quick", action="store_true", help="try it out; keep nothing")
    quick = parser.parse_args().quick
    missing = [name for name in ("nginx", "Orthanc") if shutil.which(name) is None]
    if missing:
        print(f"missing: {', '.join(missing)}")
        return
    size = QUICK if quick else FULL
    head = machine(*version_of("nginx", "Orthanc"))
    body = "\n\n".join((head, *(measure(size, connections) for connections in (1, 4))))
    print(body)
    if not quick:
        keep("guard-web", body)


if __name__ == "__main__":
    main()
