"""Archives that hold the planted patients and answer a stranger who asks for them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.peers import dcmtk, images, ordinary, orthanc, reference
from tests.peers.canary import Canaries
from tests.peers.places import Place
from tests.peers.running import Peer

__all__ = ["ARCHIVES", "dcmqrscp", "orthanc_archive", "qrscp"]


@contextlib.contextmanager
def orthanc_archive(
    place: Place,
    home: Path,
    canaries: Canaries,
    settings: Mapping[str, Any] = orthanc.FIND_ALLOWED,
    *,
    user: tuple[str, str] | None = None,
) -> Iterator[Peer]:
    """Orthanc with every image; ``user`` if ``settings`` ask even a local caller for one."""
    with orthanc.orthanc(place, home, settings) as peer:
        orthanc.load(peer, images.files(canaries), user=user)
        yield peer


@contextlib.contextmanager
def dcmqrscp(place: Place, home: Path, canaries: Canaries) -> Iterator[Peer]:
    """Run dcmqrscp with every image under its one title, readable by anybody who knows it."""
    with dcmtk.dcmqrscp(place, home) as peer:
        dcmtk.index(peer, images.files(canaries))
        yield peer


@contextlib.contextmanager
def qrscp(place: Place, home: Path, canaries: Canaries) -> Iterator[Peer]:
    """Run pynetdicom's qrscp with one image of each patient: it takes 60 ms over each."""
    with reference.qrscp(place, home) as peer:
        ordinary.store(peer, images.datasets(canaries, each=1))
        yield peer


ARCHIVES: Mapping[str, Callable[[Place, Path, Canaries], AbstractContextManager[Peer]]] = {
    "orthanc": orthanc_archive,
    "dcmtk": dcmqrscp,
    "pynetdicom": qrscp,
}
