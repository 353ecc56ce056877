"""DCMTK's servers: storescp takes whatever comes, dcmqrscp is an archive that knows its own titles."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = ["IGNORED", "REQUIRED", "TITLE", "VERIFIED", "dcmqrscp", "index", "storescp", "storescp_tls"]

TITLE = "ARCHIVE"

# What storescp does about the caller's certificate.
REQUIRED = "-rc"
VERIFIED = "-vc"
IGNORED = "-ic"

_QRSCP = """
NetworkTCPPort = {port}
MaxPDUSize = 16384
MaxAssociations = 16
HostTable BEGIN
scanners = (STATION1, scanner.example, 11112)
{hosts}
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{title} {storage} {access} (200, 1024mb) {peers}
AETable END
"""


@contextlib.contextmanager
def storescp(place: Place, home: Path, *options: str | Path, port: int = 11112) -> Iterator[Peer]:
    """Run storescp as it comes, with ``options`` added."""
    received = home / "received"
    received.mkdir(parents=True)
    with running(
        place,
        ["storescp", "--output-directory", received, *options, str(port)],
        product="storescp",
        version=version_of(["storescp", "--version"]),
        ports={"dicom": port},
        home=home,
    ) as peer:
        yield peer


def storescp_tls(
    place: Place,
    home: Path,
    papers: Certificates,
    caller: str = REQUIRED,
    *options: str | Path,
    port: int = 2762,
) -> contextlib.AbstractContextManager[Peer]:
    """Run storescp over TLS; ``caller`` is one of ``REQUIRED``, ``VERIFIED``, ``IGNORED``."""
    keys: list[str | Path] = ["+tls", papers.server_key, papers.server, "+cf", papers.authority, caller]
    return storescp(place, home, *keys, *options, port=port)


@contextlib.contextmanager
def dcmqrscp(
    place: Place,
    home: Path,
    *,
    title: str = TITLE,
    access: str = "RW",
    peers: str = "ANY",
    port: int = 11112,
    hosts: Sequence[str] = (),
) -> Iterator[Peer]:
    """An archive with one title. ``peers`` is ANY, or ``scanners`` for a table that names nobody here.

    ``hosts`` are more lines of its table, such as ``viewer = (VIEWER, 127.0.0.1, 104)``: where it can send.
    """
    (home / "db").mkdir(parents=True)
    configuration = home / "dcmqrscp.cfg"
    configuration.write_text(
        _QRSCP.format(
            port=port,
            title=title,
            storage=home / "db",
            access=access,
            peers=peers,
            hosts="\n".join(hosts),
        )
    )
    with running(
        place,
        ["dcmqrscp", "--config", configuration],
        product="dcmqrscp",
        version=version_of(["dcmqrscp", "--version"]),
        ports={"dicom": port},
        home=home,
    ) as peer:
        yield peer


def index(peer: Peer, files: Iterable[bytes]) -> None:
    """Put DICOM files into dcmqrscp's storage area, behind its back, with its own indexer."""
    storage = peer.home / "db"
    paths: list[Path] = []
    for number, content in enumerate(files):
        paths.append(storage / f"planted-{number}.dcm")
        paths[-1].write_bytes(content)
    subprocess.run(["dcmqridx", storage, *paths], check=True, capture_output=True, timeout=60)
