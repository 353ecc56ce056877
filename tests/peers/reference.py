"""The servers that come with pynetdicom, run as their users run them: ``python -m pynetdicom NAME``."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pynetdicom
from tests.peers.places import Place
from tests.peers.running import Peer, running

__all__ = ["echoscp", "qrscp", "storescp"]

_QRSCP = """
[DEFAULT]
ae_title: QRSCP
port: {port}
max_pdu: 16382
acse_timeout: 30
dimse_timeout: 30
network_timeout: 30
bind_address:
instance_location: {home}/instances
database_location: {home}/instances.sqlite
log_identifier: True
"""


def echoscp(place: Place, home: Path, *, port: int = 11112) -> contextlib.AbstractContextManager[Peer]:
    """Answers C-ECHO and nothing else."""
    return _application("echoscp", place, home, [str(port)], port)


def storescp(place: Place, home: Path, *, port: int = 11112) -> contextlib.AbstractContextManager[Peer]:
    """Takes what is stored, and throws it away."""
    return _application("storescp", place, home, [str(port), "--ignore"], port)


@contextlib.contextmanager
def qrscp(place: Place, home: Path, *, port: int = 11112) -> Iterator[Peer]:
    """An archive that answers everybody."""
    home.mkdir(parents=True)
    configuration = home / "qrscp.ini"
    configuration.write_text(_QRSCP.format(port=port, home=home))
    with _application("qrscp", place, home, ["--config", str(configuration)], port) as peer:
        yield peer


@contextlib.contextmanager
def _application(name: str, place: Place, home: Path, words: Sequence[str], port: int) -> Iterator[Peer]:
    home.mkdir(parents=True, exist_ok=True)
    with running(
        place,
        [sys.executable, "-m", "pynetdicom", name, *words],
        product=f"pynetdicom-{name}",
        version=pynetdicom.__version__,
        ports={"dicom": port},
        home=home,
    ) as peer:
        yield peer
