"""A guard whose own services go away denies what is not care, at once and aloud, until they come back.

Care goes on for a bounded time, nobody is left hanging, and nothing needs a restart.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind
from tests.conftest import DEEP
from tests.peers import certificates, dcmtk, oidc, postgresql, rsyslog, ward
from tests.peers.guarded import Guard, guard
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer
from tests.peers.ward import CARE, FINE, LONGEST, NOT_NOW

from leadglass.access.admission import Peer as PeerOf
from leadglass.access.admission import principal_of
from leadglass.access.policy import load
from leadglass.access.roles import ready
from leadglass.guard.audit.events import Happening, Outcome
from leadglass.guard.client import Client
from leadglass.guard.world import World
from leadglass.model.access import Action
from leadglass.model.enrolment import Roll
from leadglass.settings.guard import Address

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("pynetdicom"), pytest.mark.peer("dcmtk")]

ALL = {**CARE, "read": FINE}
ONLY_CARE = {**CARE, "read": NOT_NOW}
AUDIENCE = "pacs"


def runs(home: Path, archive: Peer, **options: Any) -> Any:
    """A guard before the ward's archive."""
    address = Address("127.0.0.1", archive.ports["dicom"])
    return guard(home, address, *ward.ENTRIES, title=TITLE, **options)


def in_emergency(running: Guard) -> Guard:
    running.break_glass("er", "unconscious, no papers")
    assert eventually(lambda: ward.emergency(running) == FINE)
    return running


def becomes(running: Guard, state: str, *problems: str, patience: float = 12) -> None:
    """What ``/health`` says, in time."""
    wanted = (state, sorted(problems))

    def now() -> tuple[str, list[str]]:
        told = running.health()
        return told["state"], told["problems"]

    eventually(lambda: now() == wanted, patience)
    assert now() == wanted


def has(running: Guard, problem: str) -> bool:
    return problem in running.health()["problems"]


def log_of(running: Guard, event: str) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in running.log.read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def findscu(running: Guard, who: str = "work") -> str:
    """What DCMTK's log says."""
    argv = ["findscu", "-v", *running.dcmtk(who), "-aet", who.upper(), "-aec", TITLE, "-S"]
    keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientID"]
    where = [running.host, str(running.ports["dicom"])]
    done = subprocess.run(
        [*argv, *keys, *where], capture_output=True, text=True, timeout=LONGEST, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    with ward.archive(tmp_path_factory.mktemp("ward")) as running:
        yield running


# ---- the guard's own files


@pytest.fixture(scope="module")
def alone(archive: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard with its roll in a file."""
    with runs(tmp_path_factory.mktemp("alone"), archive) as running:
        yield in_emergency(running)


@pytest.fixture
def policy(alone: Guard) -> Iterator[Path]:
    """A file of the policy folder, removed in the end."""
    file = alone.home / "policy" / "ward.cedar"
    yield file
    file.unlink(missing_ok=True)
    assert eventually(lambda: ward.hears(alone) == ALL)
    becomes(alone, "ok")


def test_a_broken_policy_keeps_the_last_good_ones_and_is_told(alone: Guard, policy: Path) -> None:
    policy.write_text('permit (principal, action == Action::"finds", resource);\n')

    becomes(alone, "degraded", "policy")
    assert ward.hears(alone) == ALL
    assert "ward.cedar" in log_of(alone, "problem")[-1]["words"]
    alarms = [
        event for event in alone.audit() if event.resource == "policy" and event.outcome is Outcome.MAJOR
    ]
    assert [event.happening for event in alarms] == [Happening.CONFIGURATION]


def test_a_policy_that_was_mended_is_in_force_without_a_restart(alone: Guard, policy: Path) -> None:
    policy.write_text("permit (")
    becomes(alone, "degraded", "policy")
    policy.write_text('@id("no-find") forbid (principal, action == Action::"find", resource);\n')

    becomes(alone, "ok")
    assert findscu(alone).count("No Acceptable Presentation Contexts")
    assert ward.store(alone) == FINE


def test_without_its_policy_folder_a_guard_goes_on_by_the_last_good_rules(alone: Guard) -> None:
    folder, away = alone.home / "policy", alone.home / "elsewhere"
    folder.rename(away)
    try:
        becomes(alone, "degraded", "policy")
        assert ward.hears(alone) == ALL
    finally:
        away.rename(folder)
    becomes(alone, "ok")


def test_without_its_roll_only_care_goes_on_and_a_client_reads_why_not(alone: Guard) -> None:
    file, away = alone.home / "guard.sqlite", alone.home / "elsewhere.sqlite"
    file.rename(away)
    try:
        becomes(alone, "degraded", "state")
        assert ward.hears(alone) == ONLY_CARE
        assert "Temporary Congestion" in findscu(alone)
    finally:
        away.rename(file)
    becomes(alone, "ok")
    assert ward.hears(alone) == ALL


def copied(source: Path, target: Path, *statements: str) -> Path:
    """A whole copy of a roll, changed."""
    with (
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        for statement in statements:
            new.execute(statement)
        new.commit()
    return target


def put_in_place(copy: Path, file: Path) -> None:
    for rest in ("-wal", "-shm"):
        file.with_name(file.name + rest).unlink(missing_ok=True)
    copy.replace(file)


def test_a_roll_that_was_put_in_place_of_another_is_taken_up(alone: Guard) -> None:
    file = alone.home / "guard.sqlite"
    kept = copied(file, alone.home / "kept.sqlite")
    revoked = "UPDATE guard_certificates SET revoked_at = 1 WHERE entry = 'work'"
    put_in_place(copied(file, alone.home / "changed.sqlite", revoked), file)
    try:
        assert eventually(lambda: ward.read(alone).startswith("rejected 1/"), 12)
    finally:
        put_in_place(kept, file)
    assert eventually(lambda: ward.read(alone) == FINE, 12)


def test_a_roll_that_is_locked_counts_as_gone_until_it_is_not(alone: Guard) -> None:
    with sqlite3.connect(alone.home / "guard.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        becomes(alone, "degraded", "state")
        assert ward.hears(alone) == ONLY_CARE
        other.execute("ROLLBACK")
    other.close()
    becomes(alone, "ok")
    assert ward.hears(alone) == ALL


# ---- a full disk, and a grace that ends


@pytest.fixture(scope="module")
def cramped(archive: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """A guard with its audit on a disk of four mebibytes, and little patience without its roll."""
    home = tmp_path_factory.mktemp("cramped")
    disk = home / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "leadglass-test", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root that may mount")
    tables = {"audit": {"directory": str(disk / "audit"), "reserve": "256KiB"}, "policy": {"grace": "3s"}}
    try:
        with runs(home, archive, settings=tables) as running:
            yield in_emergency(running)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk: Path) -> Path:
    path = disk / "other-program"
    with path.open("ab", buffering=0) as stream:
        for size in (65536, 1):
            try:
                while stream.write(bytes(size)):
                    pass
            except OSError:
                continue
    return path


def test_on_a_full_disk_care_goes_on_from_the_reserve_until_that_is_used_up(cramped: Guard) -> None:
    disk = cramped.home.parent / "disk"
    assert ward.hears(cramped) == ALL
    filled = fill(disk)
    try:
        # What is left of the last page takes small entries for a moment.
        assert eventually(lambda: ward.read(cramped) == NOT_NOW and has(cramped, "audit-trail"), 12)
        assert ward.hears(cramped) == ONLY_CARE
        assert "Temporary Congestion" in findscu(cramped)

        # 0.7 kB an entry: so many associations use a quarter of a mebibyte up.
        until = time.monotonic() + 30
        while ward.store(cramped) == FINE:
            assert time.monotonic() < until, "the reserve has no end"
        assert set(ward.hears(cramped).values()) == {NOT_NOW}
    finally:
        filled.unlink()
    becomes(cramped, "ok")
    assert ward.hears(cramped) == ALL
    written = b"".join(file.read_bytes() for file in (disk / "audit").glob("spool-*.jsonl"))
    assert b"the audit trail has room again" in written


@pytest.mark.deep
def test_when_the_grace_is_over_everything_is_denied_and_comes_back(cramped: Guard) -> None:
    file, away = cramped.home / "guard.sqlite", cramped.home / "elsewhere.sqlite"
    file.rename(away)
    try:
        becomes(cramped, "degraded", "state")
        assert ward.store(cramped) == FINE
        assert eventually(lambda: set(ward.hears(cramped).values()) == {NOT_NOW}, 8)
    finally:
        away.rename(file)
    becomes(cramped, "ok")
    assert ward.hears(cramped) == ALL


# ---- the guard's services


class Services(NamedTuple):
    """A guard that needs three others, and these."""

    guard: Guard
    cluster: postgresql.Cluster
    homes: Path
    papers: certificates.Certificates
    ports: dict[str, int]
    running: dict[str, Any]
    token: dict[str, bytes]

    def begin(self, name: str) -> Any:
        home, port = self.homes / f"{name}-{len(list(self.homes.iterdir()))}", self.ports[name]
        made: contextlib.AbstractContextManager[Any] = (
            oidc.oidc_provider(home, self.papers, port)
            if name == "oidc"
            else rsyslog.collector(LOOPBACK, home, None, port=port)
        )
        self.running[name] = made
        return made.__enter__()

    def end(self, name: str) -> None:
        self.running.pop(name).__exit__(None, None, None)

    def person(self, name: str) -> Any:
        return ward.as_bearer(self.token[name])

    def sent(self) -> int:
        files = self.homes.glob("syslog-*/messages")
        return sum(len(file.read_bytes().splitlines()) for file in files)


@pytest.fixture(scope="module")
def services(archive: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    homes = tmp_path_factory.mktemp("services")
    papers = certificates.certificates(tmp_path_factory.mktemp("papers"), "127.0.0.1")
    ports = {"oidc": free_port(LOOPBACK), "syslog": free_port(LOOPBACK)}
    issuer = f"https://127.0.0.1:{ports['oidc']}"
    settings = {
        "identity": {
            "issuer": issuer,
            "audience": AUDIENCE,
            "ca": str(papers.authority),
            "roles_claim": "groups",
        },
        "audit": {"syslog": f"127.0.0.1:{ports['syslog']}"},
    }
    with postgresql.cluster() as cluster, cluster.database() as name:
        made = Services(None, cluster, homes, papers, ports, {}, {})  # type: ignore[arg-type]  # it comes last
        provider = made.begin("oidc")
        made.begin("syslog")
        for subject in ("ada", "grace"):
            made.token[subject] = provider.person(subject, AUDIENCE, groups=["clinician"])
        try:
            home = tmp_path_factory.mktemp("served")
            with runs(home, archive, settings=settings, database=cluster.url(name)) as running:
                for subject in ("ada", "grace"):
                    running.break_glass(subject, "trauma")
                yield made._replace(guard=in_emergency(running))
        finally:
            for each in list(made.running):
                made.end(each)


def with_services(function: Callable[[Services], None]) -> Callable[[Services], None]:
    """A test that needs them."""
    for name in ("postgresql", "rsyslog", "node", "oidc"):
        pytest.mark.peer(name)(function)  # in place
    return function


@with_services
def test_without_postgresql_only_care_goes_on_and_it_comes_back(services: Services) -> None:
    running = services.guard
    services.cluster.stop()
    try:
        becomes(running, "degraded", "state")
        assert ward.hears(running) == ONLY_CARE
    finally:
        services.cluster.start()
    becomes(running, "ok")
    assert ward.hears(running) == ALL


@with_services
def test_a_database_that_says_nothing_is_as_good_as_none(services: Services) -> None:
    running = services.guard
    services.cluster.pause()
    try:
        becomes(running, "degraded", "state")
        assert ward.hears(running) == ONLY_CARE
    finally:
        services.cluster.resume()
    becomes(running, "ok")
    assert ward.hears(running) == ALL


@with_services
def test_without_its_collector_nothing_is_denied_and_everything_is_sent_later(services: Services) -> None:
    running = services.guard
    services.end("syslog")
    assert ward.hears(running) == ALL
    becomes(running, "degraded", "audit-collector")
    written = len(running.audit())
    before = services.sent()

    services.begin("syslog")
    becomes(running, "ok")
    assert eventually(lambda: services.sent() - before > 0)
    assert eventually(lambda: services.sent() >= written)


@with_services
def test_without_its_provider_the_last_good_keys_serve(services: Services) -> None:
    running = services.guard
    assert ward.emergency(running) == FINE
    assert ward.read(running, who="er", person=services.person("ada")) == FINE
    services.end("oidc")
    try:
        assert ward.read(running, who="er", person=services.person("ada")) == FINE
        assert ward.read(running, who="er", person=services.person("grace")) == FINE
        forged = services.token["ada"][:-8] + b"AAAAAAAA"
        assert ward.read(running, who="er", person=ward.as_bearer(forged)) == "rejected 1/2/1"
    finally:
        services.begin("oidc")


@with_services
def test_with_everything_away_at_once_care_goes_on(services: Services) -> None:
    running = services.guard
    services.end("syslog")
    services.end("oidc")
    services.cluster.stop()
    try:
        assert eventually(lambda: "state" in running.health()["problems"], 8)
        for _ in range(3):
            assert ward.hears(running) == ONLY_CARE
        assert ward.read(running, who="er", person=services.person("ada")) == FINE
    finally:
        services.cluster.start()
        services.begin("oidc")
        services.begin("syslog")
    assert eventually(lambda: ward.hears(running) == ALL)
    becomes(running, "ok")


@pytest.mark.peer("node")
@pytest.mark.peer("oidc")
@pytest.mark.deep
def test_keys_that_could_never_be_had_refuse_everybody_until_they_can(archive: Peer, tmp_path: Path) -> None:
    papers = certificates.certificates(tmp_path / "papers", "127.0.0.1")
    port = free_port(LOOPBACK)
    tables = {
        "identity": {
            "issuer": f"https://127.0.0.1:{port}",
            "audience": AUDIENCE,
            "ca": str(papers.authority),
            "roles_claim": "groups",
        }
    }
    with oidc.oidc_provider(tmp_path / "first", papers, port) as issuer:
        early = issuer.person("ada", AUDIENCE, groups=["clinician"])
    where = Address("127.0.0.1", archive.ports["dicom"])
    with guard(tmp_path, where, title=TITLE, settings=tables, state="degraded") as running:
        running.enrol(*ward.ENTRIES)
        becomes(running, "degraded", "identity-provider")
        assert ward.read(running, who="er", person=ward.as_bearer(early)) == "rejected 1/2/1"
        with oidc.oidc_provider(tmp_path / "second", papers, port) as issuer:
            running.break_glass("ada", "trauma")
            token = ward.as_bearer(issuer.person("ada", AUDIENCE, groups=["clinician"]))
            assert eventually(lambda: ward.read(running, who="er", person=token) == FINE, 25)
        assert eventually(lambda: "identity-provider" not in running.health()["problems"])


# ---- the archive


def test_an_archive_that_is_away_is_told_and_missed_by_nobody_once_it_is_there(tmp_path: Path) -> None:
    port = free_port(LOOPBACK)
    with guard(tmp_path, Address("127.0.0.1", port), *ward.ENTRIES, title=TITLE) as running:
        assert ward.store(running) == NOT_NOW
        for turn in ("first", "second"):
            with dcmtk.dcmqrscp(LOOPBACK, made(tmp_path / turn), title=TITLE, port=port):
                assert ward.store(running) == FINE
            assert ward.store(running) in {NOT_NOW, "A700"}
            becomes(running, "degraded", "archive")
        assert "cannot be reached" in log_of(running, "problem")[-1]["words"]
        assert "cannot be reached" in log_of(running, "refused")[-1]["reason"]


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.deep
def test_an_archive_that_says_nothing_holds_nobody_longer_than_ten_seconds(
    archive: Peer, alone: Guard
) -> None:
    assert ward.hears(alone) == ALL
    with ward.associated(alone, "work", StudyRootQueryRetrieveInformationModelFind) as open_:
        assert open_.is_established
        os.kill(archive.pid, signal.SIGSTOP)
        try:
            with ThreadPoolExecutor(2) as threads:
                others = threads.submit(ward.hears, alone)
                mine = threads.submit(ward.looked, open_, "head")
                assert set(others.result().values()) <= {NOT_NOW, "A700"}
                assert mine.result().Status == 0xA700
        finally:
            os.kill(archive.pid, signal.SIGCONT)
    assert eventually(lambda: ward.hears(alone) == ALL, LONGEST)
    assert DEEP or alone.health()["state"] == "ok"


# ---- the clock


class Clocks:
    """Two clocks; whoever sets the one on the wall does not move the other."""

    wall = 1_800_000_000.0
    running = 100.0


def world(clocks: Clocks, grace: float) -> World:
    """A guard's world with nothing around it."""
    nothing: Any = None
    entries = {one.name: one for one in ward.ENTRIES}
    roll = Roll(1, entries, {}, frozenset(), {"er": ("trauma", clocks.wall + 600)})
    return World(
        policy=load(ready(), 1),
        roll=roll,
        titles=frozenset({TITLE}),
        archive=nothing,
        studies=nothing,
        trail=nothing,
        moves=nothing,
        people=nothing,
        budgets=nothing,
        posix=lambda: clocks.wall,
        monotonic=lambda: clocks.running,
        mint=nothing,
        mistake=nothing,
        line_to=nothing,
        grace=grace,
    )


def client(name: str, until: float | None = None) -> Client:
    enrolled = next(one for one in ward.ENTRIES if one.name == name)
    return Client(
        principal_of(enrolled), enrolled, PeerOf("127.0.0.1", None, True), name.upper(), TITLE, until
    )


@pytest.mark.parametrize("jump", [-10 * 365 * 86400.0, -3600.0, 3600.0, 10 * 365 * 86400.0])
def test_a_clock_that_jumps_neither_ends_the_grace_nor_prolongs_it(jump: float) -> None:
    clocks = Clocks()
    there = world(clocks, grace=60)
    there.stale_since = clocks.running
    clocks.wall += jump
    clocks.running += 59
    assert there.offers(client("ctroom"), Action.STORE)
    assert not there.offers(client("work"), Action.FIND)
    clocks.running += 2
    assert not there.offers(client("ctroom"), Action.STORE)


def test_what_ends_at_a_moment_ends_when_the_clock_jumps_past_it() -> None:
    clocks = Clocks()
    there = world(clocks, grace=60)
    bearer = client("work", until=clocks.wall + 300)
    assert there.offers(bearer, Action.FIND)
    assert there.offers(client("er"), Action.FIND)
    clocks.wall += 3600
    assert not there.offers(bearer, Action.FIND)
    assert not there.offers(client("er"), Action.FIND)
