"""The clinic's archive behind a guard, with viewers to send to: Orthanc's, or dcmqrscp's."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
from tests.peers import clinic, dcmtk, orthanc
from tests.peers.guarded import Guard, entry, guard
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer

from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled, User
from leadglass.settings.guard import Address

__all__ = ["ALLOWED", "TITLE", "Site", "Viewer", "dcmqrscp_site", "orthanc_site"]

TITLE = "ARCHIVE"
ALLOWED: Mapping[str, Any] = {
    **{f"DicomAlwaysAllow{what}": True for what in ("Echo", "Store", "Find", "FindWorklist", "Get", "Move")},
    "DicomAet": TITLE,
    "Plugins": [],
}
"""Of Orthanc: everything, to everybody."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A destination of C-MOVE: storescp."""

    title: str
    folder: Path

    def had(self) -> set[str]:
        """The SOP Instance UIDs that came since it was asked last."""
        files = [file for file in self.folder.iterdir() if not file.name.startswith(".")]
        found = {str(pydicom.dcmread(file, stop_before_pixels=True).SOPInstanceUID) for file in files}
        for file in files:
            file.unlink()
        return found


@dataclass(frozen=True, slots=True)
class Site:
    """A guard, and what stands behind and beside it."""

    guard: Guard
    archive: Peer
    viewers: Mapping[str, Viewer]
    """By AE title: VIEWER takes TLS from the guard, OLDVIEWER plain DICOM."""


@contextlib.contextmanager
def orthanc_site(
    home: Path, *entries: Enrolled, people: Sequence[User] = (), **options: Any
) -> Iterator[Site]:
    """Orthanc 1.10 behind a guard."""
    port, http = free_port(LOOPBACK), free_port(LOOPBACK)
    with _guarded(home, port, entries, people, options) as (one, viewers):
        back = one.ports["from_archive"]
        known = {title.lower(): [title, "127.0.0.1", back] for title in (*viewers, "CTROOM", "ORTHCLIENT")}
        settings = {**ALLOWED, "DicomModalities": known}
        with orthanc.orthanc(LOOPBACK, home / "archive", settings, dicom=port, http=http) as archive:
            orthanc.load(archive, clinic.files())
            yield Site(one, archive, viewers)


@contextlib.contextmanager
def dcmqrscp_site(
    home: Path, *entries: Enrolled, people: Sequence[User] = (), **options: Any
) -> Iterator[Site]:
    """Run dcmqrscp behind a guard."""
    port = free_port(LOOPBACK)
    with _guarded(home, port, entries, people, options) as (one, viewers):
        hosts = [f"{title.lower()} = ({title}, 127.0.0.1, {one.ports['from_archive']})" for title in viewers]
        (home / "archive").mkdir()
        with dcmtk.dcmqrscp(LOOPBACK, home / "archive", title=TITLE, port=port, hosts=hosts) as archive:
            dcmtk.index(archive, clinic.files())
            yield Site(one, archive, viewers)


@contextlib.contextmanager
def _guarded(
    home: Path,
    port: int,
    entries: Sequence[Enrolled],
    people: Sequence[User],
    options: Mapping[str, Any],
) -> Iterator[tuple[Guard, Mapping[str, Viewer]]]:
    at = {"VIEWER": free_port(LOOPBACK), "OLDVIEWER": free_port(LOOPBACK)}
    viewers = [
        entry(
            title.lower(),
            title,
            kind=Kind.SERVICE,
            address=f"127.0.0.1:{where}",
            address_tls=title == "VIEWER",
        )
        for title, where in at.items()
    ]
    with (
        guard(
            home, Address("127.0.0.1", port), *viewers, *entries, title=TITLE, people=people, **options
        ) as one,
        contextlib.ExitStack() as stack,
    ):
        papers = one.dcmtk("viewer")
        running = {
            "VIEWER": dcmtk.storescp(LOOPBACK, home / "viewer", *papers, "-rc", port=at["VIEWER"]),
            "OLDVIEWER": dcmtk.storescp(LOOPBACK, home / "oldviewer", port=at["OLDVIEWER"]),
        }
        for storescp in running.values():
            stack.enter_context(storescp)
        yield one, {title: Viewer(title, home / title.lower() / "received") for title in running}


def eventually(true: Callable[[], bool], patience: float = 5.0) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + patience
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
