"""DICOMweb through the guard: real Orthanc behind it, curl and dicomweb-client before it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
import uvloop
from dicomweb_client import DICOMwebClient
from tests.peers import clinic, orthanc
from tests.peers.clinic import ALPHA, BETA, STUDIES, Study
from tests.peers.guarded import entry
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer

from leadglass.access.budgets import Limits
from leadglass.guard.audit.events import AuditEvent, Happening
from leadglass.guard.budgets import Budgets
from leadglass.guard.dicomweb.configured import archive_address, door_of, web_door
from leadglass.guard.dicomweb.pool import Pool
from leadglass.guard.dicomweb.serve import WebDoor
from leadglass.guard.doors import Crowd, Door, listen
from leadglass.guard.enrol.template import Draft
from leadglass.guard.tls import server_context
from leadglass.guard.world import World
from leadglass.settings.guard import Address
from leadglass.store.guard_roll import read_roll
from leadglass.wiring import guard_setup
from leadglass.wiring.guard_setup import Site, roll_of
from leadglass.wiring.guard_world import Policies, service, world_of
from leadglass.wiring.names import resolver

pytestmark = [
    pytest.mark.peer("orthanc"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]

TITLE = "ARCHIVE"
ENTRIES = (
    entry("work", "WORK", "radiologist", institutions=(ALPHA,)),
    entry("gamma", "GAMMA", "radiologist", institutions=("Gamma Centre",)),
    entry("lab", "LAB", "researcher"),
    entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
    entry("engineer", "ENGINEER", "service-engineer"),
)
HEAD, KNEE, TRIAL = STUDIES["head"], STUDIES["knee"], STUDIES["trial"]
ABSENT = "2.25.7799"
# What may differ between two answers to the same question.
_VOLATILE = ("date:",)


@dataclass(slots=True)
class Web:
    """A guard's web door, and what is behind it."""

    site: Site
    port: int
    archive: Peer
    audit: list[AuditEvent] = field(default_factory=list)
    mistakes: list[BaseException] = field(default_factory=list)
    world: World | None = None
    door: WebDoor | None = None
    sessions: dict[str, requests.Session] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/dicom-web"

    @property
    def behind(self) -> str:
        """Orthanc's own root."""
        return f"http://127.0.0.1:{self.archive.ports['http']}/dicom-web"

    def papers(self, name: str) -> tuple[str, str, str]:
        folder = self.site.enrolled / name
        return str(folder / f"{name}.pem"), str(folder / f"{name}.key"), str(folder / "ca.pem")

    def session(self, name: str) -> requests.Session:
        certificate, key, authority = self.papers(name)
        made = requests.Session()
        made.cert, made.verify = (certificate, key), authority
        made.trust_env = False  # the environment of whoever runs the tests may name other authorities
        return made

    def client(self, name: str) -> DICOMwebClient:
        if name not in self.sessions:
            self.sessions[name] = self.session(name)
        made = DICOMwebClient(self.url, session=self.sessions[name])
        made.set_http_retry_params(retry=False)
        return made

    def curl(self, name: str | None, path: str, *options: str) -> tuple[bytes, bytes]:
        """Head and body of an answer, byte by byte."""
        authority = self.papers("work")[2]
        papers = [] if name is None else ["--cert", self.papers(name)[0], "--key", self.papers(name)[1]]
        argv = [
            "curl",
            "-sS",
            "-i",
            "--path-as-is",
            "--max-time",
            "20",
            "--cacert",
            authority,
            *papers,
            *options,
        ]
        done = subprocess.run(
            [*argv, f"https://127.0.0.1:{self.port}{path}"], capture_output=True, check=False
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 100"):
            head, _, body = body.partition(b"\r\n\r\n")
        return head, body

    def status(self, name: str | None, path: str, *options: str) -> int:
        return int(self.curl(name, path, *options)[0].split(b" ")[1])

    def connect(self, name: str | None) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.papers("work")[2])
        if name is not None:
            context.load_cert_chain(*self.papers(name)[:2])
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return context.wrap_socket(raw, server_hostname="127.0.0.1")

    def of(self, *happenings: Happening) -> list[AuditEvent]:
        return [event for event in self.audit if event.happening in happenings]

    def upstream(self) -> int:
        """Connections to the archive's web server."""
        port = f"{self.archive.ports['http']:04X}"
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(row[2].endswith(":" + port) and row[3] == "01" for row in rows)


class NoMoves:
    """Nothing moves over the web."""

    def put(self, *_: Any) -> None: ...

    def get(self, *_: Any) -> None: ...


@contextlib.contextmanager
def open_web(home: Path, limits: Limits | None = None) -> Iterator[Web]:
    """Orthanc with the clinic, and a guard's web door before it, in a thread of this process."""
    dicom, http, port = (free_port(LOOPBACK) for _ in range(3))
    url = f"http://127.0.0.1:{http}/dicom-web"
    draft = Draft("test guard", Address("127.0.0.1", dicom), TITLE, ("127.0.0.1",), url, (), "guard.sqlite")
    site = guard_setup.begin(home / "guard", draft, rsa_keys=False)
    for one in ENTRIES:
        guard_setup.enrol(site, one, until=time.time() + 86400, rsa_keys=False)
    settings = {"DicomAlwaysAllowFind": True, "DicomAet": TITLE, "AuthenticationEnabled": False}
    with orthanc.orthanc(LOOPBACK, home / "archive", settings, dicom=dicom, http=http) as archive:
        orthanc.load(archive, clinic.files())
        web = Web(site, port, archive)
        with _running(web, limits):
            yield web
            for session in web.sessions.values():
                session.close()
    assert web.mistakes == []


@contextlib.contextmanager
def _running(web: Web, limits: Limits | None) -> Iterator[None]:
    loop, ready = uvloop.new_event_loop(), threading.Event()
    doors: list[Door] = []

    async def begin() -> None:
        doors.append(_open(web, limits))
        ready.set()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.create_task(begin())
        loop.run_forever()

    thread = threading.Thread(target=run, name="web door")
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_end(web, doors), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def _open(web: Web, limits: Limits | None) -> Door:
    settings = web.site.settings
    with roll_of(web.site) as database:
        roll = read_roll(database)

    def write(event: AuditEvent, *, reserved: bool) -> None:
        web.audit.append(event)

    world = world_of(
        settings,
        policy=Policies(settings.policy).first(),
        roll=roll,
        budgets=Budgets(limits, b"k" * 32, time.time, lambda *_: None),
        write=write,
        moves=NoMoves(),
        tokens=None,
        mistake=web.mistakes.append,
        resolver=resolver(),
    )
    url = settings.archive.web
    assert url is not None
    address, _ = archive_address(url)
    told = settings.tls

    def tls() -> ssl.SSLContext:
        context = server_context(told.profile, told.certificate, told.key, told.ca)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    context = tls()
    door = door_of(settings.listen.names, Address("127.0.0.1", web.port), url, TITLE)
    web.world = world
    web.door = web_door(world, door, Pool(service("the archive", address, resolver())), lambda: context)
    return Door(listen(Address("127.0.0.1", web.port)), Crowd(64, 64), web.door.enter)


async def _end(web: Web, doors: Sequence[Door]) -> None:
    for door in doors:
        door.close()
    assert web.door is not None
    assert web.world is not None
    web.door.close()
    # The guard's own association to the archive would be released after a moment.
    web.world.studies._ask_study.__self__._asker.close()  # type: ignore[attr-defined]
    await asyncio.sleep(0.05)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with open_web(tmp_path_factory.mktemp("web")) as made:
        yield made


def steady(head: bytes, body: bytes) -> tuple[list[bytes], bytes]:
    """An answer without what differs each time."""
    lines = head.split(b"\r\n")
    return [line for line in lines if not line.lower().startswith(tuple(map(str.encode, _VOLATILE)))], body


def status_of(error: requests.HTTPError) -> int:
    assert error.response is not None
    return error.response.status_code


def answer_of(error: requests.HTTPError) -> Any:
    assert error.response is not None
    return error.response.json()


def eventually(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def uids(found: Sequence[dict[str, Any]], tag: str = "0020000D") -> set[str]:
    return {match[tag]["Value"][0] for match in found}


def instance(study: Study) -> tuple[str, str, str]:
    return study.uid, study.series[0].uid, study.series[0].instances[0]


# ---- searching


@pytest.mark.parametrize(("who", "names"), [("work", {"head", "chest"}), ("lab", {"trial"})])
def test_a_search_finds_exactly_the_studies_of_the_role(web: Web, who: str, names: set[str]) -> None:
    client = web.client(who)
    mine = [STUDIES[name] for name in names]

    assert uids(client.search_for_studies()) == {study.uid for study in mine}
    assert uids(client.search_for_studies(fields=["all"])) == {study.uid for study in mine}
    assert uids(client.search_for_series(), "0020000E") == clinic.every("SERIES", mine)
    assert uids(client.search_for_instances(), "00080018") == clinic.every("IMAGE", mine)
    for study in STUDIES.values():
        found = client.search_for_series(study.uid)
        assert uids(found, "0020000E") == (clinic.every("SERIES", [study]) if study in mine else set())


def test_pages_count_what_is_visible(web: Web) -> None:
    client = web.client("work")
    whole = [match["0020000D"]["Value"][0] for match in client.search_for_studies()]

    pages = [client.search_for_studies(limit=1, offset=at) for at in range(3)]
    assert [[match["0020000D"]["Value"][0] for match in page] for page in pages] == [
        [whole[0]],
        [whole[1]],
        [],
    ]
    assert client.search_for_studies(get_remaining=True, limit=1)


def test_nothing_in_a_match_leads_past_the_guard(web: Web) -> None:
    found = web.client("work").search_for_studies(fields=["InstitutionName"])
    assert {pydicom.Dataset.from_json(match).InstitutionName for match in found} == {ALPHA}
    addresses = {match["00081190"]["Value"][0] for match in found}

    assert addresses == {f"{web.url}/studies/{STUDIES[name].uid}" for name in ("head", "chest")}
    assert all("00120062" not in match for match in found)


def test_a_search_for_a_hidden_study_is_a_search_for_none(web: Web) -> None:
    def ask(query: str) -> tuple[list[bytes], bytes]:
        return steady(*web.curl("work", f"/dicom-web/studies?{query}"))

    nothing = ask(f"StudyInstanceUID={ABSENT}")
    assert nothing[0][0] == b"HTTP/1.1 204 No Content"
    assert ask(f"StudyInstanceUID={KNEE.uid}") == nothing
    assert ask(f"PatientID={KNEE.patient}&StudyDescription=knee") == nothing
    assert ask(f"InstitutionName={BETA.replace(' ', '%20')}") == nothing
    assert ask(f"AccessionNumber={KNEE.accession}&includefield=all") == nothing


# ---- retrieving


def test_what_is_permitted_is_retrieved_in_every_form(web: Web) -> None:
    client = web.client("work")
    study, series, sop = instance(HEAD)

    assert {image.SOPInstanceUID for image in client.retrieve_study(study)} == set(HEAD.instances)
    assert {image.SOPInstanceUID for image in client.retrieve_series(study, series)} == set(
        HEAD.series[0].instances
    )
    assert client.retrieve_instance(study, series, sop).StudyDescription == "head"
    assert len(client.retrieve_study_metadata(study)) == len(HEAD.instances)
    assert client.retrieve_instance_metadata(study, series, sop)["00080018"]["Value"] == [sop]
    (frame,) = client.retrieve_instance_frames(
        study, series, sop, [1], media_types=("application/octet-stream",)
    )
    assert len(frame) == 16
    assert client.retrieve_instance_rendered(study, series, sop, media_types=("image/png",)).startswith(
        b"\x89PNG"
    )


def test_addresses_of_bulk_data_are_ours_and_answer(web: Web) -> None:
    study, series, sop = instance(HEAD)
    _, body = web.curl("work", f"/dicom-web/studies/{study}/series/{series}/instances/{sop}/metadata")
    assert web.behind.encode() not in body
    assert b"localhost" not in body
    path = f"/dicom-web/studies/{study}/series/{series}/instances/{sop}/bulk/7fe00010"

    head, content = web.curl("work", path)
    assert head.startswith(b"HTTP/1.1 200")
    assert bytes(16) in content


def test_wado_uri_brings_an_object(web: Web) -> None:
    study, series, sop = instance(HEAD)
    path = f"/wado?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={sop}&contentType=application/dicom"
    head, body = web.curl("work", path)

    assert b"Content-Type: application/dicom" in head
    assert pydicom.dcmread(io.BytesIO(body)).SOPInstanceUID == sop


FORMS = (
    "/dicom-web/studies/{study}",
    "/dicom-web/studies/{study}/metadata",
    "/dicom-web/studies/{study}/rendered",
    "/dicom-web/studies/{study}/series",
    "/dicom-web/studies/{study}/instances",
    "/dicom-web/studies/{study}/series/{series}",
    "/dicom-web/studies/{study}/series/{series}/metadata",
    "/dicom-web/studies/{study}/series/{series}/instances",
    "/dicom-web/studies/{study}/series/{series}/instances/{sop}",
    "/dicom-web/studies/{study}/series/{series}/instances/{sop}/metadata",
    "/dicom-web/studies/{study}/series/{series}/instances/{sop}/frames/1",
    "/dicom-web/studies/{study}/series/{series}/instances/{sop}/rendered",
    "/dicom-web/studies/{study}/series/{series}/instances/{sop}/bulk/7fe00010",
    "/wado?requestType=WADO&studyUID={study}&seriesUID={series}&objectUID={sop}&contentType=application/dicom",
)


@pytest.mark.parametrize("form", FORMS)
def test_a_hidden_study_answers_like_one_that_does_not_exist_byte_for_byte(web: Web, form: str) -> None:
    study, series, sop = instance(KNEE)
    hidden = web.curl("work", form.format(study=study, series=series, sop=sop))
    absent = web.curl("work", form.format(study=ABSENT, series=f"{ABSENT}.1", sop=f"{ABSENT}.1.1"))
    mine, other, image = instance(HEAD)
    borrowed = web.curl("work", form.format(study=mine, series=series, sop=sop))

    assert steady(*hidden) == steady(*absent)
    assert hidden[0][:12] in {b"HTTP/1.1 404", b"HTTP/1.1 204"}
    assert KNEE.uid.encode() not in b"".join(hidden)
    if "{series}" in form:  # a series of the hidden study, asked for in one's own
        assert steady(*borrowed) == steady(*absent)
    assert web.curl("work", form.format(study=mine, series=other, sop=image))[0].startswith(b"HTTP/1.1 200")


def test_a_researcher_cannot_reach_an_identified_study_by_its_uid(web: Web) -> None:
    client = web.client("lab")

    assert client.retrieve_study_metadata(TRIAL.uid)
    for study in STUDIES.values():
        if study is not TRIAL:
            with pytest.raises(requests.HTTPError) as caught:
                client.retrieve_study(study.uid)
            assert status_of(caught.value) == 404


# ---- storing


def stored(web: Web, study: str) -> set[str]:
    """What Orthanc itself has of a study."""
    found = requests.get(f"{web.behind}/studies/{study}/instances", timeout=10).json()
    return uids(found, "00080018")


def fresh(number: int, **described: Any) -> pydicom.Dataset:
    """An image of a study that is not there yet."""
    uid = f"2.25.7788.{number}"
    study = Study(
        "new", uid, "P-7", (clinic.Series(f"{uid}.1", "CT", (f"{uid}.1.1",)),), institution="Gamma Centre"
    )
    clinic.PATIENTS.setdefault("P-7", "Fir^Fay")
    made = next(clinic.images(study))
    for name, value in described.items():
        setattr(made, name, value)
    # As a file has it: with preamble, and the length of its file meta information.
    return pydicom.dcmread(io.BytesIO(clinic.as_file(made)))


def test_a_device_stores_and_the_archive_has_it(web: Web) -> None:
    images = [fresh(1), fresh(1)]
    images[1].SOPInstanceUID = images[1].file_meta.MediaStorageSOPInstanceUID = "2.25.7788.1.1.2"
    answer = web.client("ctroom").store_instances(images)

    assert [item.ReferencedSOPInstanceUID for item in answer.ReferencedSOPSequence] == [
        image.SOPInstanceUID for image in images
    ]
    assert stored(web, images[0].StudyInstanceUID) == {image.SOPInstanceUID for image in images}


def test_a_large_object_streams_through(web: Web) -> None:
    image = fresh(2, Rows=1500, Columns=1500, PixelData=bytes(range(250)) * 9000)
    client = web.client("ctroom")
    client.set_chunk_size(100_000)
    client.store_instances([image])
    session = requests.get(f"{web.behind}/studies/{image.StudyInstanceUID}", timeout=20)

    assert image.PixelData in session.content


def test_a_foreign_study_cannot_be_added_to(web: Web) -> None:
    claimed = fresh(3, StudyInstanceUID=KNEE.uid, SeriesInstanceUID=KNEE.series[0].uid)
    before = stored(web, KNEE.uid)
    with pytest.raises(requests.HTTPError) as caught:
        web.client("ctroom").store_instances([claimed])

    assert status_of(caught.value) == 409
    failed = answer_of(caught.value)["00081198"]["Value"][0]
    assert failed["00081197"]["Value"] == [0x0124]
    assert stored(web, KNEE.uid) == before


def test_an_executable_preamble_does_not_arrive(web: Web, tmp_path: Path) -> None:
    image = fresh(4)
    image.preamble = b"MZ" + b"\x90" * 126
    web.client("ctroom").store_instances([image])
    uid = image.StudyInstanceUID

    assert b"\x90" * 20 not in requests.get(f"{web.behind}/studies/{uid}", timeout=10).content


def test_a_second_study_uid_at_the_end_of_an_object_does_not_arrive(web: Web, tmp_path: Path) -> None:
    content = clinic.as_file(fresh(5)) + b"\x20\0\x0d\0UI\x0c\0" + KNEE.uid.ljust(12).encode()[:12]
    body = tmp_path / "body"
    body.write_bytes(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n")
    kind = 'Content-Type: multipart/related; type="application/dicom"; boundary=b'

    assert web.status("ctroom", "/dicom-web/studies", "-H", kind, "--data-binary", f"@{body}") == 400
    assert stored(web, "2.25.7788.5") == set()


def test_a_reader_may_not_store(web: Web) -> None:
    with pytest.raises(requests.HTTPError) as caught:
        web.client("work").store_instances([fresh(6)])

    assert status_of(caught.value) == 403


# ---- who asks


def test_a_stranger_is_told_to_become_known_and_nothing_else(web: Web) -> None:
    answers = {
        b"\n".join(steady(*web.curl(None, path))[0])
        for path in ("/dicom-web/studies", f"/dicom-web/studies/{HEAD.uid}", "/system", "/dicom-web/x")
    }

    assert len(answers) == 1
    assert b"401 Unauthorized" in next(iter(answers))
    assert b"WWW-Authenticate: Bearer" in next(iter(answers))


def test_a_service_that_is_not_open_is_forbidden(web: Web) -> None:
    assert web.status("engineer", "/dicom-web/studies") == 403
    assert web.status("engineer", f"/dicom-web/studies/{HEAD.uid}") == 403


def test_a_certificate_that_was_revoked_lets_nobody_in(web: Web) -> None:
    guest = entry("guest", "GUEST", "radiologist", institutions=(ALPHA,))
    guard_setup.enrol(web.site, guest, until=time.time() + 86400, rsa_keys=False)
    assert web.world is not None
    request = f"GET /dicom-web/studies?limit=1 HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n".encode()
    with roll_of(web.site) as database:
        web.world.roll = read_roll(database)
        with web.connect("guest") as connection:
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
            guard_setup.revoke(web.site, "guest", "lost")
            web.world.roll = read_roll(database)
            connection.sendall(request)
            assert connection.recv(65536).startswith(b"HTTP/1.1 401")

    assert any("certificate-revoked" in event.rules for event in web.audit)


# ---- attacks


@pytest.mark.parametrize(
    ("path", "options", "statuses"),
    [
        ("/system", (), {404}),
        ("/instances", (), {404}),
        ("/dicom-web/../instances", (), {404}),
        ("/dicom-web/%2e%2e/instances", (), {400}),
        ("/dicom-web/studies/..%2f..%2finstances", (), {400}),
        ("/dicom-web//studies", (), {404}),
        ("/dicom-web/studies;x=1", (), {404}),
        ("/dicom-web\\studies", (), {404}),
        ("/tools/execute-script", ("-X", "POST", "-d", "return 1"), {404}),
        (f"/dicom-web/studies/{HEAD.uid}", ("-X", "DELETE"), {405}),
        (f"/dicom-web/studies/{HEAD.uid}", ("-X", "PUT", "-d", "x"), {405}),
        ("/dicom-web/studies", ("-X", "TRACE"), {405}),
        ("/dicom-web/studies", ("-X", "OPTIONS"), {405}),
        ("/dicom-web/studies", ("-H", "Host: archive.example"), {421}),
        ("/dicom-web/studies", ("-H", "Accept: application/dicom+xml"), {406}),
        ("/dicom-web/studies", ("-H", "Content-Encoding: gzip", "-d", "x"), {415}),
        ("/dicom-web/studies?NumberOfPatientRelatedStudies=2", (), {400}),
        ("/dicom-web/studies?StudyInstanceUID=*", (), {400}),
        (f"/dicom-web/studies/{HEAD.uid}/series?StudyInstanceUID={KNEE.uid}", (), {400}),
        ("/dicom-web/workitems", (), {403}),
        ("/dicom-web/studies", ("-H", "Upgrade: h2c"), {400}),
        ("/dicom-web/studies?PatientName=" + "x" * 9000, (), {414}),
        ("/dicom-web/studies", ("-H", "X: " + "x" * 40_000), {431}),
    ],
)
def test_what_is_not_dicomweb_gets_nowhere(
    web: Web, path: str, options: tuple[str, ...], statuses: set[int]
) -> None:
    assert web.status("work", path, *options) in statuses


def test_a_smuggled_request_is_not_heard(web: Web) -> None:
    head = f"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n"
    with web.connect("work") as connection:
        connection.sendall(
            (head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").encode()
            + b"GET /dicom-web/studies HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        answer = b""
        while piece := connection.recv(65536):
            answer += piece

    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 400")


def test_when_a_client_leaves_its_connection_to_the_archive_is_closed(web: Web) -> None:
    image = fresh(8, Rows=4000, Columns=4000, PixelData=bytes(16_000_000))
    requests.post(
        f"http://127.0.0.1:{web.archive.ports['http']}/instances", clinic.as_file(image), timeout=20
    ).raise_for_status()
    assert web.world is not None
    assert eventually(lambda: web.upstream() == 0)
    request = f"GET /dicom-web/studies/2.25.7788.8 HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n"
    with web.connect("gamma") as connection:
        connection.sendall(request.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        assert web.upstream() == 1

    assert eventually(lambda: web.upstream() == 0)
    assert eventually(lambda: any(event.reason == "cut off" for event in web.of(Happening.TRANSFERRED)))


def test_half_a_request_never_reaches_the_archive(web: Web) -> None:
    assert eventually(lambda: web.upstream() == 0)
    with web.connect("ctroom") as connection:
        connection.sendall(
            f"POST /dicom-web/studies HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nContent-Length: 100000\r\n"
            'Content-Type: multipart/related; type="application/dicom"; boundary=b\r\n\r\n--b\r\n'.encode()
        )
        time.sleep(0.3)
        assert web.upstream() == 0


# ---- what is written down


def test_everything_is_written_down(web: Web) -> None:
    study, series, sop = instance(HEAD)
    certificate = ssl.PEM_cert_to_DER_cert(Path(web.papers("work")[0]).read_text())
    before = len(web.audit)
    web.curl("work", f"/dicom-web/studies?PatientID={HEAD.patient}")
    web.curl("work", f"/dicom-web/studies/{study}/series/{series}/instances/{sop}")
    web.curl("work", f"/dicom-web/studies/{KNEE.uid}")
    assert eventually(lambda: any(e.happening is Happening.REFUSED for e in web.audit[before:]))
    events = web.audit[before:]

    (asked,) = (event for event in events if event.happening is Happening.QUERY)
    assert asked.query is not None
    assert asked.query.identifier == f"/dicom-web/studies?PatientID={HEAD.patient}".encode()
    assert asked.device == "work"
    assert asked.certificate == hashlib.sha256(certificate).hexdigest()
    sent = [event for event in events if event.happening in {Happening.TRANSFER_BEGUN, Happening.TRANSFERRED}]
    assert {s.study_instance_uid for event in sent for s in event.studies} == {study}
    refused = [event for event in events if event.happening is Happening.REFUSED]
    assert refused[0].studies[0].study_instance_uid == KNEE.uid


def test_budgets_stop_a_collector(tmp_path: Path) -> None:
    with open_web(tmp_path, Limits(3600.0, None, 2, None, None, None, None)) as web:
        assert [web.status("work", "/dicom-web/studies") for _ in range(3)] == [200, 200, 429]
        head, _ = web.curl("work", "/dicom-web/studies")
        assert b"Retry-After: " in head
