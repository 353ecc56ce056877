"""Ordinary clients: what a modality or a workstation does, for loading archives and for comparison.

``everything`` reads patient names, which Leadglass never does: it proves that the canaries are there to be found.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pydicom
import pynetdicom
from tests.peers.places import Place
from tests.peers.running import Peer

__all__ = ["echo", "everything", "query", "store"]

# A study that cannot exist: the UID's only component after the arc is 1.
_NOWHERE = ["-k", "0008,0052=STUDY", "-k", "0020,000D=2.25.1"]
_ALL = ["-k", "0008,0052=STUDY", "-k", "0010,0010", "-k", "0010,0020", "-k", "0010,0030", "-k", "0020,000D"]


def echo(place: Place, peer: Peer, called: str = "ANY-SCP", *options: str | Path) -> str:
    """What DCMTK's echoscu says from ``place``, options as it takes them."""
    return _told(place, peer, ["echoscu", "--verbose", "--call", called, *options])


def query(place: Place, peer: Peer, called: str = "ANY-SCP") -> str:
    """What DCMTK's findscu says from ``place`` when it asks for a study that cannot exist."""
    return _told(place, peer, ["findscu", "--verbose", "--study", "--call", called, *_NOWHERE])


def everything(place: Place, peer: Peer, called: str = "ANY-SCP") -> str:
    """What DCMTK's findscu says from ``place`` when it asks for all studies."""
    return _told(place, peer, ["findscu", "--verbose", "--study", "--call", called, *_ALL])


def store(peer: Peer, images: Iterable[pydicom.Dataset], called: str = "ANY-SCP") -> None:
    """Send images to ``peer`` from its own machine, as a modality would."""
    entity = pynetdicom.AE()
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1")
    with peer.place.inside():
        association = entity.associate("127.0.0.1", peer.port, ae_title=called)
    assert association.is_established
    statuses = [association.send_c_store(image).Status for image in images]
    association.release()
    assert set(statuses) == {0}


def _told(place: Place, peer: Peer, argv: list[str | Path]) -> str:
    done = place.run([*argv, peer.host, str(peer.port)])
    return done.stdout + done.stderr
