"""What whoever runs a guard relies on: ends and renewals, processes that die, budgets, two guards as one, health, logs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom.sop_class import (
    CTImageStorage,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelMove,
    Verification,
)
from tests.peers import canary, clinic, dcmtk, images, orthanc, postgresql, ward
from tests.peers.guarded import Guard, beside, entry, guard
from tests.peers.guarded_clinic import TITLE, Viewer, eventually
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer
from tests.peers.ward import FINE

from leadglass.guard.audit.events import Happening, Outcome
from leadglass.model.access import Kind
from leadglass.settings.guard import Address
from leadglass.wiring import guard_setup

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("pynetdicom"), pytest.mark.peer("dcmtk")]

FIND = StudyRootQueryRetrieveInformationModelFind
MOVE = StudyRootQueryRetrieveInformationModelMove
LEADGLASS = Path(sys.executable).with_name("leadglass")
BUDGETS = {"associations": 12, "queries": 5, "matches": 3, "studies": 1, "bytes": 4000}
READERS = tuple(
    entry(name, name.upper(), "radiologist", institutions=(clinic.ALPHA,))
    for name in ("knocker", "asker", "gatherer", "wanderer", "both")
)
SENDER = entry("sender", "SENDER", "modality", modalities=("CT",))


@pytest.fixture(scope="module")
def back() -> int:
    """Where the archive sends to: the second of two guards."""
    return free_port(LOOPBACK)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, back: int) -> Iterator[Peer]:
    with ward.archive(tmp_path_factory.mktemp("ward"), {"VIEWER": ("127.0.0.1", back)}) as running:
        yield running


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Viewer, int]]:
    home, port = tmp_path_factory.mktemp("viewer"), free_port(LOOPBACK)
    with dcmtk.storescp(LOOPBACK, home, port=port):
        yield Viewer("VIEWER", home / "received"), port


@pytest.fixture(scope="module")
def first(
    archive: Peer, viewer: tuple[Viewer, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guard]:
    """A guard of two processes, whose budgets are small and in PostgreSQL."""
    address = Address("127.0.0.1", archive.ports["dicom"])
    place = entry("viewer", "VIEWER", kind=Kind.SERVICE, address=f"127.0.0.1:{viewer[1]}", address_tls=False)
    who = (*ward.ENTRIES, *READERS, SENDER, place)
    home = tmp_path_factory.mktemp("first")
    with (
        postgresql.cluster() as cluster,
        cluster.database() as name,
        guard(
            home,
            address,
            *who,
            title=TITLE,
            database=cluster.url(name),
            settings={"budgets": BUDGETS},
            workers=2,
        ) as running,
    ):
        running.break_glass("er", "unconscious, no papers")
        yield running


@pytest.fixture(scope="module")
def second(first: Guard, back: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guard]:
    """The same, once more beside it."""
    with beside(first, tmp_path_factory.mktemp("second"), from_archive=back) as running:
        yield running


@pytest.fixture
def fleeting(archive: Peer, tmp_path: Path) -> Iterator[Guard]:
    """A guard that a test may do to what it likes."""
    with guard(tmp_path, Address("127.0.0.1", archive.ports["dicom"]), *ward.ENTRIES, title=TITLE) as running:
        yield running


def lines(running: Guard) -> list[dict[str, str]]:
    return [json.loads(line) for line in running.log.read_text().splitlines()]


def query(level: str = "STUDY", **keys: str) -> Dataset:
    asked = Dataset()
    asked.QueryRetrieveLevel = level
    for name, value in {"StudyInstanceUID": "", "PatientID": "", **keys}.items():
        setattr(asked, name, value)
    return asked


def find(association: Any, asked: Dataset) -> int:
    """The last status."""
    return [int(status.Status) for status, _ in association.send_c_find(asked, FIND)][-1]


# ---- ends


class Held:
    """A line to a guard that stands still when half a megabyte has passed, until it may go on."""

    def __init__(self, port: int) -> None:
        self._there = ("127.0.0.1", port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.stands = threading.Event()
        self.may_go_on = threading.Event()
        threading.Thread(target=self._carry, daemon=True).start()

    def _carry(self) -> None:
        passed = 0
        with (
            self._door,
            contextlib.suppress(OSError),
            self._door.accept()[0] as near,
            socket.create_connection(self._there) as far,
        ):
            threading.Thread(target=self._back, args=(far, near), daemon=True).start()
            while data := near.recv(65536):
                far.sendall(data)
                passed += len(data)
                if passed > 500_000 and not self.stands.is_set():
                    self.stands.set()
                    self.may_go_on.wait(10)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := far.recv(65536):
                near.sendall(data)


def refuses(running: Guard) -> bool:
    """Whether nobody listens at its door."""
    try:
        socket.create_connection((running.host, running.ports["dicom"]), 5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_store_under_way_is_finished_after_sigterm_and_nobody_new_is_let_in(
    fleeting: Guard, tmp_path: Path
) -> None:
    line, made = Held(fleeting.ports["dicom"]), ward.fresh(pixels=2000)
    file = tmp_path / "large.dcm"
    file.write_bytes(clinic.as_file(made))
    argv = ["storescu", "-v", *fleeting.dcmtk("ctroom"), "-aet", "CTROOM", "-aec", TITLE, "127.0.0.1"]
    with ward.associated(fleeting, "work", FIND) as idle:
        sending = subprocess.Popen(
            [*argv, str(line.port), file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert line.stands.wait(10)
        fleeting.process.terminate()
        begun = time.monotonic()
        assert eventually(lambda: refuses(fleeting), 8)
        line.may_go_on.set()
        said = sending.communicate(timeout=20)[0].decode()

        assert "Received Store Response (Success)" in said
        assert fleeting.process.wait(20) == 0
        assert time.monotonic() - begun < 25
        assert eventually(lambda: not idle.is_established)
    assert lines(fleeting)[-1]["event"] == "stopped"
    stored = [event for event in fleeting.audit() if event.happening is Happening.TRANSFERRED]
    assert stored[-1].studies[0].study_instance_uid == made.StudyInstanceUID


def test_sighup_takes_up_a_renewed_certificate_and_ends_no_association(fleeting: Guard) -> None:
    def shown() -> str:
        with fleeting.connect("ctroom") as tls:
            return hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()

    before = shown()
    with ward.associated(fleeting, "ctroom", Verification) as association:
        guard_setup.renew_own(fleeting.site)
        time.sleep(0.2)
        assert shown() == before
        fleeting.reload()

        assert eventually(lambda: shown() != before)
        assert association.send_c_echo().Status == 0
    assert ward.store(fleeting) == FINE


def test_a_certificate_that_cannot_be_used_leaves_the_old_one_in_place(fleeting: Guard) -> None:
    Path(fleeting.site.settings.tls.certificate).write_text("no certificate")
    fleeting.reload()

    assert eventually(lambda: fleeting.health()["problems"] == ["certificates"])
    assert ward.store(fleeting) == FINE


def test_a_process_that_is_killed_is_started_again(fleeting: Guard) -> None:
    assert ward.store(fleeting) == FINE
    assert eventually(lambda: fleeting.metrics()["allowed_total"] > 0)
    counted = fleeting.metrics()["allowed_total"]
    children = Path(f"/proc/{fleeting.process.pid}/task/{fleeting.process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), signal.SIGKILL)

    assert eventually(lambda: fleeting.metrics()["restarts_total"] == len(children) == 1)
    assert eventually(lambda: fleeting.metrics()["workers"] == 1, 15)
    assert ward.store(fleeting) == FINE
    assert fleeting.metrics()["allowed_total"] >= counted
    assert [line["status"] for line in lines(fleeting) if line["event"] == "process died"] == ["-9"]


def test_processes_whose_guard_was_killed_do_not_stay_behind(fleeting: Guard) -> None:
    children = Path(f"/proc/{fleeting.process.pid}/task/{fleeting.process.pid}/children").read_text().split()
    fleeting.process.kill()
    fleeting.process.wait()

    assert eventually(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 10)


def run(file: Path) -> subprocess.CompletedProcess[str]:
    argv: list[str | Path] = [LEADGLASS, "guard", "run", "--config", file]
    return subprocess.run(argv, capture_output=True, text=True, timeout=40, check=False)


def test_a_second_guard_on_the_same_door_is_refused_and_told_which(fleeting: Guard, tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    text = fleeting.site.file.read_text()
    copy.write_text(text.replace(f":{fleeting.ports['health']}", f":{free_port(LOOPBACK)}"))
    done = run(copy)

    assert done.returncode == 3
    assert f"127.0.0.1:{fleeting.ports['dicom']}: cannot listen (Address already in use)" in done.stderr
    assert ward.store(fleeting) == FINE


def test_a_revoked_certificate_ends_its_associations_within_two_seconds(fleeting: Guard) -> None:
    fleeting.enrol(entry("sold", "SOLD", "radiologist"))
    fleeting.look()
    with ward.associated(fleeting, "sold", Verification) as association:
        assert association.send_c_echo().Status == 0
        begun = time.monotonic()
        fleeting.revoke("sold")

        assert eventually(lambda: not association.is_established, 4)
        assert time.monotonic() - begun < 3


# ---- budgets


def test_associations_over_the_budget_are_rejected_for_a_while(first: Guard) -> None:
    had = [ward.read(first, who="knocker") for _ in range(BUDGETS["associations"])]
    first.look()  # each of two processes lets something through before it hears of the other

    assert "rejected 2/3/2" not in had
    assert [ward.read(first, who="knocker") for _ in range(4)] == ["rejected 2/3/2"] * 4


def test_queries_over_the_budget_are_refused_and_told(first: Guard) -> None:
    with ward.associated(first, "asker", FIND) as association:
        said = [find(association, query(StudyInstanceUID="2.25.404")) for _ in range(BUDGETS["queries"] + 1)]

    assert said == [0] * BUDGETS["queries"] + [0xA700]
    told = [line for line in lines(first) if line["event"] == "budget" and line["principal"] == "asker"]
    assert [(line["measure"], line["spent"]) for line in told] == [
        ("queries", "nearly"),
        ("queries", "refused"),
    ]
    audited = [event for event in first.audit() if event.happening is Happening.OVER_BUDGET]
    assert ("asker", Outcome.MINOR) in {(event.who.name, event.outcome) for event in audited if event.who}
    assert eventually(lambda: first.metrics()["over_budget_total"] >= 1)


def test_matches_and_studies_over_the_budget_are_refused(first: Guard) -> None:
    head, chest = (clinic.STUDIES[name].uid for name in ("head", "chest"))
    with ward.associated(first, "gatherer", FIND) as association:
        asked = query("SERIES", StudyInstanceUID=head, SeriesInstanceUID="")
        assert [find(association, asked) for _ in range(2)] == [0, 0xA700]
    with ward.associated(first, "wanderer", FIND) as association:
        assert [find(association, query(StudyInstanceUID=uid)) for uid in (head, head, chest)] == [
            0,
            0,
            0xA700,
        ]


def test_bytes_over_the_budget_are_refused(first: Guard) -> None:
    with ward.associated(first, "sender", CTImageStorage) as association:
        said = [association.send_c_store(ward.fresh(pixels=64)).Status for _ in range(2)]

    assert said == [0, 0xA700]


def test_no_budget_stops_an_emergency(first: Guard) -> None:
    assert [ward.emergency(first) for _ in range(BUDGETS["associations"] + 4)] == [FINE] * 16


def test_two_guards_share_a_budget_up_to_what_is_spent_in_a_second(first: Guard, second: Guard) -> None:
    had = [ward.read(first, who="both") for _ in range(6)]
    first.look()
    had += [ward.read(second, who="both") for _ in range(BUDGETS["associations"])]

    assert had.count(FINE) + had.count("A700") == BUDGETS["associations"]
    assert had[-1] == "rejected 2/3/2"


# ---- two guards as one


def test_what_one_guard_let_be_moved_another_carries_back(
    first: Guard, second: Guard, viewer: tuple[Viewer, int]
) -> None:
    study = clinic.STUDIES["head"]
    with ward.associated(first, "work", MOVE) as association:
        asked = query(StudyInstanceUID=study.uid)
        said = [int(s.Status) for s, _ in association.send_c_move(asked, "VIEWER", MOVE)]

    assert said[-1] == 0
    assert viewer[0].had() == set(study.instances)
    carried = [event for event in second.audit() if event.happening is Happening.TRANSFERRED]
    assert study.uid in {each.study_instance_uid for event in carried for each in event.studies}


def test_who_is_revoked_at_one_guard_is_revoked_at_the_other(first: Guard, second: Guard) -> None:
    first.enrol(entry("lost", "LOST", "radiologist", institutions=(clinic.ALPHA,)))
    shutil.copytree(first.site.enrolled / "lost", second.site.enrolled / "lost")
    assert eventually(lambda: ward.read(second, who="lost") == FINE)
    first.revoke("lost")

    assert eventually(lambda: ward.read(second, who="lost").startswith("rejected 1/"), 4)


# ---- health, metrics, logs, explanations


NUMBER = re.compile(r"[a-z_]+(\{[a-z]+=\"[a-z-]+\"\})? [0-9.e+-]+")


def test_metrics_are_what_prometheus_reads(fleeting: Guard) -> None:
    ward.store(fleeting)
    (fleeting.home / "policy" / "broken.cedar").write_text("permit (")
    assert eventually(lambda: fleeting.health()["state"] == "degraded")
    text = fleeting._get("/metrics")
    kinds: dict[str, str] = {}
    samples = set()
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in kinds, "a family is told once"
            kinds[name] = kind
        elif not line.startswith("# HELP "):
            assert NUMBER.fullmatch(line), line
            samples.add(line.partition(" ")[0])
    assert {name for name, kind in kinds.items() if kind == "counter"} == {
        name for name in kinds if name.endswith("_total")
    }
    assert {sample.partition("{")[0] for sample in samples} == set(kinds)
    assert 'leadglass_guard_problem{with="policy"}' in samples
    assert {f"leadglass_guard_{name}_total" for name in ("allowed", "denied", "audit_lost")} <= set(kinds)


@pytest.mark.parametrize(
    ("who", "study", "seen"),
    [("work", "head", True), ("work", "liver", False), ("er", "liver", True), ("ctroom", "head", False)],
)
def test_explain_says_what_the_guard_does(first: Guard, who: str, study: str, *, seen: bool) -> None:
    uid = clinic.STUDIES[study].uid
    argv: list[str | Path] = [
        LEADGLASS,
        "guard",
        "explain",
        "--config",
        first.site.file,
        "--as",
        who,
        "--do",
        "find",
        "--on",
        uid,
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    found = False
    with contextlib.suppress(AssertionError), reading(first, who) as association:
        found = 0xFF00 in {
            int(status.Status) for status, _ in association.send_c_find(query(StudyInstanceUID=uid), FIND)
        }

    assert (done.returncode == 0, done.stdout.startswith("allowed")) == (seen, seen), done.stderr
    assert found == seen


def test_explain_knows_from_where_somebody_is_heard(first: Guard) -> None:
    argv: list[str | Path] = [
        LEADGLASS,
        "guard",
        "explain",
        "--config",
        first.site.file,
        "--as",
        "work",
        "--do",
        "find",
    ]
    done = subprocess.run(
        [*argv, "--from", "192.0.2.9"], capture_output=True, text=True, timeout=30, check=False
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("denied: work is enrolled for other networks\nnetwork-of-another: 127.0.0.")
    done = subprocess.run([*argv, "--from", "here"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "leadglass: --from: 'here' is no address; write it as 192.0.2.7\n"


def dump(running: Guard) -> str:
    """Everything in the guard's database."""
    with guard_setup.roll_of(running.site) as database, database.read() as connection:
        names = connection.exec_driver_sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).scalars()
        tables = {name: connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in list(names)}
    # What may be moved is kept by Study Instance UID for an hour: the archive's objects are known by it.
    assert tables.pop("guard_moves"), "nothing was moved, or this test sees nothing"
    return str(tables)


@contextlib.contextmanager
def reading(there: Guard, who: str) -> Iterator[Any]:
    with ward.associated(there, who, FIND) as association:
        assert association.is_established
        yield association


def test_no_patient_is_named_outside_of_the_audit(
    archive: Peer, first: Guard, second: Guard, canaries: canary.Canaries
) -> None:
    patient = canaries.patients[0]
    orthanc.load(archive, list(images.files(canaries))[:1])
    sent = ward.fresh()
    for word, value in {
        "PatientName": patient.name,
        "PatientID": patient.identifier,
        "StudyInstanceUID": f"{patient.study}.9",
        "AccessionNumber": patient.accession,
    }.items():
        setattr(sent, word, value)
    with ward.associated(first, "ctroom", CTImageStorage) as association:
        association.send_c_store(sent)
    with ward.associated(first, "er", FIND, MOVE) as association:
        for asked in (query(PatientID=patient.identifier), query(PatientName=patient.name)):
            find(association, asked)
        list(association.send_c_move(query(StudyInstanceUID=patient.study), "VIEWER", MOVE))
    first.look()
    told = [
        (name, each._get(f"/{name}").encode()) for name in ("health", "metrics") for each in (first, second)
    ]

    kept = [("database", dump(first).encode())]

    assert canaries.find(first.log, second.log, *told, *kept) == []
    assert canaries.find(first.home / "audit"), "the audit names patients, or this test sees nothing"
    for each in (first, second):
        assert all({"at", "level", "event"} <= line.keys() for line in lines(each))
        assert not [line for line in lines(each) if line["event"] == "mistake"]
