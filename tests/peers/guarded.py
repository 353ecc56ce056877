"""A real guard before a real archive: the installed command, in a folder of its own.

``guard`` sets one up with the product's own functions, enrols whom the test names, runs
``leadglass guard run`` and waits until it says that it is well.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.peers.places import LOOPBACK, Place, free_port
from tests.source import ROOT

from leadglass.access.passcodes import hash_passcode
from leadglass.guard.audit.bodies import event_of
from leadglass.guard.audit.events import AuditEvent
from leadglass.guard.enrol.template import Draft
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled, User
from leadglass.settings.guard import Address
from leadglass.store.guard_people import add_user, begin_emergency, end_emergency
from leadglass.wiring import guard_setup
from leadglass.wiring.guard_setup import Site, roll_of

__all__ = ["Guard", "again", "beside", "entry", "guard", "person"]

_COMMAND = Path(sys.executable).with_name("leadglass")
_PATIENCE = 40.0
_YEAR = 365 * 86400.0


def entry(name: str, title: str, *roles: str, kind: Kind = Kind.DEVICE, **more: Any) -> Enrolled:
    """Somebody to be enrolled, heard from anywhere on loopback unless ``networks`` says otherwise."""
    networks = more.pop("networks", ("127.0.0.0/8",))
    return Enrolled(name, kind, (title,), networks, roles=roles, **more)


def person(name: str, passcode: str, *roles: str, **more: Any) -> User:
    """Somebody known by a passcode."""
    return User(name, hash_passcode(passcode, os.urandom(16)), roles, **more)


@dataclass(slots=True)
class Guard:
    """A guard that runs."""

    site: Site
    ports: Mapping[str, int]
    """``dicom``, ``plain``, ``web``, ``from_archive``, ``health``."""
    process: subprocess.Popen[bytes]
    log: Path
    place: Place = field(default=LOOPBACK)

    @property
    def host(self) -> str:
        """Where it listens."""
        return self.place.address

    @property
    def home(self) -> Path:
        """Its folder."""
        return self.site.file.parent

    def papers(self, name: str) -> tuple[Path, Path, Path]:
        """Certificate, key and authority of an entry."""
        folder = self.site.enrolled / name
        return folder / f"{name}.pem", folder / f"{name}.key", folder / "ca.pem"

    def dcmtk(self, name: str) -> list[str]:
        """Options for DCMTK's programs to come in as ``name``."""
        certificate, key, authority = map(str, self.papers(name))
        return ["+tls", key, certificate, "+cf", authority]

    def context(self, name: str | None) -> ssl.SSLContext:
        """TLS as ``name``; None: without a certificate."""
        made = ssl.create_default_context(cafile=str(self.home / "ca.pem"))
        if name is not None:
            certificate, key, _ = self.papers(name)
            made.load_cert_chain(certificate, key)
        return made

    def connect(self, name: str | None) -> ssl.SSLSocket:
        """A TLS connection to the DIMSE door."""
        raw = socket.create_connection((self.host, self.ports["dicom"]), timeout=20)
        return self.context(name).wrap_socket(raw, server_hostname=self.host)

    def enrol(self, *entries: Enrolled) -> None:
        """Enrol more."""
        for one in entries:
            guard_setup.enrol(self.site, one, until=time.time() + _YEAR, rsa_keys=False)

    def add(self, *people: User) -> None:
        """Make more persons known."""
        with roll_of(self.site) as database:
            for one in people:
                add_user(database, one)

    def revoke(self, name: str) -> None:
        """Let somebody in no more."""
        guard_setup.revoke(self.site, name, "test")

    def break_glass(self, name: str, reason: str, seconds: int = 600) -> None:
        """Begin an emergency."""
        with roll_of(self.site) as database:
            begin_emergency(database, name, reason, seconds)

    def mend_glass(self, name: str) -> None:
        """End it."""
        with roll_of(self.site) as database:
            end_emergency(database, name)

    def health(self) -> dict[str, Any]:
        """What ``/health`` says."""
        told: dict[str, Any] = json.loads(self._get("/health"))
        return told

    def metrics(self) -> dict[str, float]:
        """What ``/metrics`` says, without comments and the common beginning."""
        lines = [line for line in self._get("/metrics").splitlines() if not line.startswith("#")]
        pairs = (line.removeprefix("leadglass_guard_").rsplit(" ", 1) for line in lines)
        return {name: float(value) for name, value in pairs}

    def audit(self) -> list[AuditEvent]:
        """Everything that was written down, in order."""
        events = []
        for file in sorted((self.home / "audit").glob("spool-*.jsonl")):
            for line in file.read_bytes().splitlines():
                body = json.loads(line)["body"]
                if "happening" in body:
                    events.append(event_of(body))
        return sorted(events, key=lambda event: event.at)

    def reload(self) -> None:
        """SIGHUP."""
        self.process.send_signal(signal.SIGHUP)

    def look(self) -> None:
        """Wait until it has looked at its shared state again: twice its interval."""
        time.sleep(2.2)

    def fingerprint(self, name: str) -> str:
        """SHA-256 of an entry's certificate."""
        certificate = ssl.PEM_cert_to_DER_cert(self.papers(name)[0].read_text())
        return hashlib.sha256(certificate).hexdigest()

    def _get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["health"], timeout=10)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read().decode()


@contextlib.contextmanager
def guard(
    home: Path,
    archive: Address,
    *entries: Enrolled,
    title: str = "ORTHANC",
    people: Sequence[User] = (),
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    policies: Mapping[str, str] | None = None,
    database: str = "guard.sqlite",
    web: str | None = None,
    workers: int = 1,
    state: str = "ok",
) -> Iterator[Guard]:
    """Run a guard before ``archive``; ``settings`` are keys by table that are laid over ``guard.toml``.

    ``policies`` are files of the policy folder; ``state`` is what its health says at first.
    """
    doors = {
        name: free_port(LOOPBACK)
        for name in ("dicom", "plain", "from_archive", "health", *(["web"] if web else []))
    }
    draft = Draft("test guard", archive, title, ("127.0.0.1", "localhost"), web, ("127.0.0.1",), database)
    site = guard_setup.begin(home / "guard", draft, rsa_keys=False)
    listen = {name: f"127.0.0.1:{port}" for name, port in doors.items()}
    laid: dict[str, Mapping[str, Any]] = {
        "listen": listen,
        "limits": {"workers": workers},
        "audit": {"reserve": "1MiB"},
    }
    for table, keys in (settings or {}).items():
        laid[table] = {**laid.get(table, {}), **keys}
    site.file.write_text(_laid_over(site.file.read_text(), laid))
    for name, text in (policies or {}).items():
        (site.file.parent / "policy" / name).write_text(text)
    site = guard_setup.read_site(site.file)
    log = home / "guard.log"
    prepared = Guard(site, doors, _NOBODY, log)
    prepared.enrol(*entries)
    prepared.add(*people)
    with _running(prepared, state):
        yield prepared


@contextlib.contextmanager
def beside(first: Guard, home: Path, *, workers: int = 1, **listen: int) -> Iterator[Guard]:
    """One more guard with a copy of the first's folder, before the same archive and on doors of its own.

    ``listen``: ports of doors that must be known beforehand.
    """
    shutil.copytree(first.home, home / "guard", ignore=shutil.ignore_patterns("spool-*", "reserve-*"))
    doors = {name: listen.get(name) or free_port(LOOPBACK) for name in first.ports}
    file = home / "guard" / first.site.file.name
    tables: dict[str, Mapping[str, Any]] = {
        "listen": {name: f"127.0.0.1:{port}" for name, port in doors.items()},
        "limits": {"workers": workers},
    }
    file.write_text(_laid_over(file.read_text(), tables))
    other = Guard(guard_setup.read_site(file), doors, _NOBODY, home / "guard.log")
    with _running(other):
        yield other


@contextlib.contextmanager
def again(before: Guard, state: str = "ok") -> Iterator[Guard]:
    """The same guard, ended and begun once more; ``state`` is what its health says at first."""
    _ended(before)
    other = Guard(before.site, before.ports, _NOBODY, before.log.with_name("guard-again.log"))
    with _running(other, state):
        yield other


@contextlib.contextmanager
def _running(guard: Guard, state: str = "ok") -> Iterator[None]:
    with guard.log.open("wb") as output:
        guard.process = subprocess.Popen(
            [_COMMAND, "guard", "run", "--config", guard.site.file],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        _await(guard, state)
        yield
    finally:
        _ended(guard)


def _ended(guard: Guard) -> None:
    guard.process.terminate()
    try:
        guard.process.wait(8)
    except subprocess.TimeoutExpired:
        guard.process.kill()
        guard.process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(guard.process.pid, signal.SIGKILL)


def _await(guard: Guard, state: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        with contextlib.suppress(OSError, ValueError):
            if guard.health()["state"] == state:
                return
        if guard.process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the guard does not come up:\n{guard.log.read_text()[-4000:]}")
        time.sleep(0.05)


def _laid_over(text: str, tables: Mapping[str, Mapping[str, Any]]) -> str:
    """``guard.toml`` with other keys: those of a table take the place of what stood there."""
    for table, keys in tables.items():
        lines = text.splitlines()
        if f"[{table}]" not in lines:
            lines = [line for line in lines if not line.startswith(f"# [{table}]")] + [f"[{table}]"]
        at = lines.index(f"[{table}]") + 1
        end = next((n for n in range(at, len(lines)) if lines[n].startswith(("[", "# ["))), len(lines))
        kept = [line for line in lines[at:end] if line.partition(" =")[0] not in keys]
        text = "\n".join(
            [*lines[:at], *(f"{key} = {_toml(value)}" for key, value in keys.items()), *kept, *lines[end:]]
        )
    return text + "\n"


def _toml(value: Any) -> str:
    return json.dumps(value)


_NOBODY: Any = None
