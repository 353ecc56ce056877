"""A guard under attack, with every message written down that reaches the archive behind it."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.peers import clinic, orthanc
from tests.peers.caller import Caller, contexts, request
from tests.peers.clinic import ALPHA, GREY
from tests.peers.guarded import Guard, entry, guard, person
from tests.peers.guarded_clinic import ALLOWED, TITLE, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer
from tests.peers.wiretap import Tap, wiretap

from leadglass.guard.audit.bodies import event_of
from leadglass.guard.audit.events import AuditEvent
from leadglass.model.access import Kind
from leadglass.settings.guard import Address
from leadglass.wire import pdu

EVERYWHERE_ELSE = ("10.9.0.0/16",)
ENTRIES = (
    entry("work", "WORK", "radiologist", institutions=(ALPHA,)),
    entry("oldwork", "OLDWORK", "radiologist", institutions=(ALPHA,), plain=True),
    entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
    entry("lab", "LAB", "researcher"),
    entry("desk", "DESK", users=("ben", "ghost")),
    entry("late", "LATE", "radiologist", until=time.time() - 1),
    entry("oldlate", "OLDLATE", "radiologist", until=time.time() - 1, plain=True),
    entry("far", "FAR", "radiologist", networks=EVERYWHERE_ELSE),
    entry("oldfar", "OLDFAR", "radiologist", networks=EVERYWHERE_ELSE, plain=True),
    entry("viewer", "VIEWER", kind=Kind.SERVICE, address="127.0.0.1:9", address_tls=False),
)
PEOPLE = (
    person("ada", "ada's own", "referring-physician", physician_names=(GREY,)),
    person("ben", "ben's own", "referring-physician", physician_names=(GREY,)),
)


class Trail:
    """The audit, read once: there are hundreds of attacks, and each looks at it several times."""

    def __init__(self, guard: Guard) -> None:
        self._folder = guard.home / "audit"
        self._read: dict[Path, int] = {}
        self._events: list[AuditEvent] = []

    def events(self) -> list[AuditEvent]:
        """Everything that was written down so far."""
        for file in sorted(self._folder.glob("spool-*.jsonl")):
            with file.open("rb") as spool:
                spool.seek(self._read.get(file, 0))
                lines = [line for line in spool if line.endswith(b"\n")]
            self._read[file] = self._read.get(file, 0) + sum(map(len, lines))
            bodies = (json.loads(line)["body"] for line in lines)
            self._events += [event_of(body) for body in bodies if "happening" in body]
        return self._events


@dataclass(frozen=True)
class Attacked:
    """A guard, what stands behind it, and what is said between them."""

    guard: Guard
    tap: Tap
    archive: Peer
    trail: Trail

    def connection(self, who: str | None, source: str = "127.0.0.1") -> socket.socket:
        """A connection as ``who``: through the TLS door with its certificate, through the plain one for None."""
        raw = self.raw("plain" if who is None else "dicom", source)
        return (
            raw if who is None else self.guard.context(who).wrap_socket(raw, server_hostname=self.guard.host)
        )

    def raw(self, door: str = "dicom", source: str = "127.0.0.1") -> socket.socket:
        """A connection on which nothing has been said."""
        raw = socket.create_connection((self.guard.host, self.guard.ports[door]), 20, (source, 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return raw

    @contextlib.contextmanager
    def caller(self, who: str | None = "work") -> Iterator[Caller]:
        """The same, to hold an association on."""
        with contextlib.closing(Caller(self.connection(who))) as made:
            yield made

    @contextlib.contextmanager
    def shown(self, context: ssl.SSLContext) -> Iterator[Caller]:
        """The same, with other papers."""
        wrapped = context.wrap_socket(self.raw(), server_hostname=self.guard.host)
        with contextlib.closing(Caller(wrapped)) as made:
            yield made

    @contextlib.contextmanager
    def inside(
        self, who: str, *abstract_syntaxes: str, title: str | None = None, roles: Sequence[str] = ()
    ) -> Iterator[Caller]:
        """An accepted association with these contexts, ids 1, 3, 5 and so on, released in the end."""
        with self.caller(None if who.startswith("old") else who) as made:
            rq = request(title or who.upper(), TITLE, contexts(*abstract_syntaxes), roles=roles)
            assert made.associate(rq) is not None, made.ended
            yield made
            if made.ended is None:
                made.release()


@dataclass
class Watch:
    """What has happened since the attack began."""

    at: Attacked
    messages: int
    associations: int
    events: int
    octets: int

    @property
    def reached(self) -> list[str]:
        """The commands that reached the archive."""
        return [type(passed.command).__name__ for passed in self.at.tap.since(self.messages)]

    @property
    def associated(self) -> int:
        """The associations that were asked of the archive."""
        return len(self.at.tap.begun) - self.associations

    @property
    def told(self) -> list[AuditEvent]:
        """What the audit says."""
        return self.at.trail.events()[self.events :]

    def tells(self, rule: str) -> bool:
        """Whether the audit names a rule, or a reason with these words, soon."""
        return eventually(
            lambda: any(rule in event.rules or rule in (event.reason or "") for event in self.told)
        )


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    home = tmp_path_factory.mktemp("attacked")
    port, http = free_port(LOOPBACK), free_port(LOOPBACK)
    with (
        wiretap(("127.0.0.1", port)) as tap,
        guard(home, Address("127.0.0.1", tap.port), *ENTRIES, title=TITLE, people=PEOPLE) as one,
    ):
        known = {"viewer": ["VIEWER", "127.0.0.1", one.ports["from_archive"]]}
        settings = {**ALLOWED, "DicomModalities": known}
        with orthanc.orthanc(LOOPBACK, home / "archive", settings, dicom=port, http=http) as archive:
            orthanc.load(archive, clinic.files())
            yield Attacked(one, tap, archive, Trail(one))


@pytest.fixture
def watch(attacked: Attacked) -> Watch:
    """Eyes on the archive and the audit, from now on."""
    tap = attacked.tap
    return Watch(attacked, len(tap.messages), len(tap.begun), len(attacked.trail.events()), tap.octets)


def rejection(caller: Caller) -> tuple[int, int, int] | None:
    """Result, source and reason of an A-ASSOCIATE-RJ (PS3.8 9.3.4); None if it was something else."""
    said = getattr(caller.ended, "pdu", None)
    return (said.result, said.source, said.reason) if isinstance(said, pdu.AAssociateRJ) else None
