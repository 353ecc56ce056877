"""DICOMweb through the guard: real Orthanc behind it, curl and dicomweb-client before it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import shutil
import ssl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from tests.peers import certificates, clinic, oidc
from tests.peers.clinic import ALPHA, BETA, STUDIES, Study
from tests.peers.guarded import entry
from tests.peers.guarded_clinic import eventually
from tests.peers.guarded_web import Web, open_web

from leadglass.guard.audit.events import Happening
from leadglass.model.access import Action

pytestmark = [
    pytest.mark.peer("orthanc"),
    pytest.mark.peer("curl"),
]

ENTRIES = (
    entry("work", "WORK", "radiologist", institutions=(ALPHA,)),
    entry("gamma", "GAMMA", "radiologist", institutions=("Gamma Centre",)),
    entry("lab", "LAB", "researcher"),
    entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
    entry("engineer", "ENGINEER", "service-engineer"),
    entry("guest", "GUEST", "radiologist", institutions=(ALPHA,)),
)
HEAD, KNEE, TRIAL = STUDIES["head"], STUDIES["knee"], STUDIES["trial"]
ABSENT = "2.25.7799"
AUDIENCE = "https://guard.example/"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with open_web(tmp_path_factory.mktemp("web"), *ENTRIES) as made:
        yield made


def steady(head: bytes, body: bytes) -> tuple[list[bytes], bytes]:
    """An answer without the one header that differs each time."""
    return [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")], body


def status_of(error: requests.HTTPError) -> int:
    assert error.response is not None
    return error.response.status_code


def answer_of(error: requests.HTTPError) -> Any:
    assert error.response is not None
    return error.response.json()


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


def test_without_a_certificate_there_is_no_connection(web: Web) -> None:
    assert b"certificate required" in web.curl(None, "/dicom-web/studies")[0]


def test_a_service_that_is_not_open_is_forbidden(web: Web) -> None:
    assert web.status("engineer", "/dicom-web/studies") == 403
    assert web.status("engineer", f"/dicom-web/studies/{HEAD.uid}") == 403


def test_a_certificate_that_was_revoked_lets_nobody_in(web: Web, tmp_path: Path) -> None:
    papers = [str(shutil.copy(paper, tmp_path)) for paper in web.guard.papers("guest")[:2]]
    request = f"GET /dicom-web/studies?limit=1 HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n".encode()
    with web.connect("guest") as connection:
        connection.sendall(request)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        web.guard.revoke("guest")
        web.guard.look()
        with contextlib.suppress(OSError):
            connection.sendall(request)
            assert connection.recv(65536) == b""

    again = web.status("work", "/dicom-web/studies", "--cert", papers[0], "--key", papers[1])
    assert again == 401
    assert any("certificate-revoked" in event.rules for event in web.guard.audit())


@pytest.mark.deep  # an identity provider, an archive and a guard of its own: 4 s
@pytest.mark.peer("oidc")
def test_a_person_is_known_by_a_token_and_by_nothing_that_resembles_one(tmp_path: Path) -> None:
    papers = certificates.certificates(tmp_path / "papers", "127.0.0.1")
    with oidc.oidc_provider(tmp_path / "oidc", papers) as issuer:
        identity = {"issuer": issuer.name, "audience": AUDIENCE, "ca": str(papers.authority)}
        with open_web(tmp_path, *ENTRIES[:1], settings={"identity": identity}) as web:

            def ask(path: str, token: bytes | None, scheme: str = "Bearer") -> tuple[bytes, bytes]:
                header = [] if token is None else ["-H", f"Authorization: {scheme} {token.decode()}"]
                return web.curl(None, path, *header)

            rights: dict[str, Any] = {"roles": ["radiologist"], "institutions": [ALPHA]}
            good = issuer.person("ada", AUDIENCE, **rights)
            head, body = ask("/dicom-web/studies", good)
            assert head.startswith(b"HTTP/1.1 200")
            assert HEAD.uid.encode() in body
            assert KNEE.uid.encode() not in body
            hidden, absent = (ask(f"/dicom-web/studies/{uid}", good) for uid in (KNEE.uid, ABSENT))
            assert steady(*hidden) == steady(*absent)

            strangers = {
                b"\n".join(steady(*ask(path, None))[0])
                for path in (
                    "/dicom-web/studies",
                    f"/dicom-web/studies/{HEAD.uid}",
                    "/system",
                    "/dicom-web/x",
                )
            }
            assert len(strangers) == 1
            assert b"WWW-Authenticate: Bearer" in strangers.pop()

            refused = [
                ask("/dicom-web/studies", token, scheme)[0]
                for token, scheme in (
                    (issuer.person("ada", "https://other.example/", **rights), "Bearer"),
                    (issuer.person("ada", AUDIENCE, exp=int(time.time()) - 600, **rights), "Bearer"),
                    (good[:-4] + b"AAAA", "Bearer"),
                    (b"eyJhbGciOiJub25lIn0." + good.split(b".")[1] + b".", "Bearer"),
                    (b"YWRhOmFkYQ==", "Basic"),
                    (b"", "Bearer"),
                )
            ]
            assert all(head.startswith(b"HTTP/1.1 401") for head in refused)
            assert all(b'error="invalid_token"' in head for head in refused)
            assert good not in (web.guard.log.read_bytes() + web.archive.log.read_bytes())
            known = [event for event in web.of(Happening.QUERY) if event.who is not None]
            assert {event.who.name for event in known if event.who} == {"ada"}


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


def test_its_numbers_tell_how_many_are_connected(web: Web) -> None:
    def clients(number: int) -> bool:
        # Whoever came before and let nobody know that they are gone is given up by the door in its own time.
        return eventually(lambda: web.guard.metrics()["web_clients"] == number, 90.0)

    for session in web.sessions.values():
        session.close()
    assert clients(0)
    with web.connect("gamma"), web.connect("gamma"):
        assert clients(2)
    assert clients(0)


# ---- what is written down


def test_everything_is_written_down(web: Web) -> None:
    study, series, sop = instance(HEAD)
    certificate = ssl.PEM_cert_to_DER_cert(web.guard.papers("work")[0].read_text())
    before = len(web.guard.audit())
    web.curl("work", f"/dicom-web/studies?PatientID={HEAD.patient}")
    web.curl("work", f"/dicom-web/studies/{study}/series/{series}/instances/{sop}")
    web.curl("work", f"/dicom-web/studies/{KNEE.uid}")
    assert eventually(lambda: Happening.REFUSED in {event.happening for event in web.guard.audit()[before:]})
    events = web.guard.audit()[before:]

    (asked,) = (event for event in events if event.happening is Happening.QUERY)
    assert asked.query is not None
    assert asked.query.identifier == f"/dicom-web/studies?PatientID={HEAD.patient}".encode()
    assert asked.device == "work"
    assert asked.certificate == hashlib.sha256(certificate).hexdigest()
    sent = [event for event in events if event.happening in {Happening.TRANSFER_BEGUN, Happening.TRANSFERRED}]
    assert {s.study_instance_uid for event in sent for s in event.studies} == {study}
    refused = [event for event in events if event.happening is Happening.REFUSED]
    assert refused[0].studies[0].study_instance_uid == KNEE.uid


def test_what_a_viewer_asks_image_by_image_is_written_down_once(web: Web) -> None:
    before = len(web.guard.audit())
    with web.session("work") as session:
        for sop in HEAD.series[0].instances * 3:
            path = f"studies/{HEAD.uid}/series/{HEAD.series[0].uid}/instances/{sop}/rendered"
            assert session.get(f"{web.url}/{path}").status_code == 200

    def written(happening: Happening) -> int:
        return sum(event.happening is happening for event in web.guard.audit()[before:])

    assert eventually(lambda: written(Happening.TRANSFERRED) == 1)
    assert written(Happening.TRANSFER_BEGUN) == 1


def test_an_archive_that_wants_a_password_gets_the_guards_own(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("a word\n")
    archive = {"web_user": "guard", "web_password_file": str(tmp_path / "word")}
    with open_web(tmp_path, *ENTRIES[:1], settings={"archive": archive}, user=("guard", "a word")) as web:
        assert web.status("work", "/dicom-web/studies") == 200
        assert web.status("work", f"/dicom-web/studies/{HEAD.uid}/metadata") == 200


def test_a_guard_that_lost_its_roll_says_that_it_passes_and_lets_care_go_on(tmp_path: Path) -> None:
    with open_web(tmp_path, ENTRIES[0], ENTRIES[3]) as web:
        assert web.status("work", "/dicom-web/studies") == 200
        roll = web.guard.home / "guard.sqlite"
        roll.rename(tmp_path / "away")
        assert eventually(lambda: web.guard.health()["problems"] == ["state"])
        for path in ("/dicom-web/studies", f"/dicom-web/studies/{HEAD.uid}/metadata"):
            head, _ = web.curl("work", path)
            assert head.startswith(b"HTTP/1.1 503")
            assert b"Retry-After: " in head
        web.client("ctroom").store_instances([fresh(9)])
        (tmp_path / "away").rename(roll)
        assert eventually(lambda: web.guard.health()["state"] == "ok")
        assert web.status("work", "/dicom-web/studies") == 200


def test_work_items_go_to_whom_a_policy_permits_them_once_the_file_carries_them(tmp_path: Path) -> None:
    permitted = """@id("work-items") permit (principal, action == Action::"ups", resource is Node)
        when { principal.roles.contains("researcher") };"""
    with open_web(
        tmp_path,
        ENTRIES[0],
        ENTRIES[2],
        settings={"archive": {"workitems": True}},
        policies={"ups.cedar": permitted},
    ) as web:
        assert web.status("work", "/dicom-web/workitems") == 403
        # Orthanc has no work items: that is its own answer.
        assert web.status("lab", "/dicom-web/workitems") == 404
        assert any(event.action is Action.UPS for event in web.guard.audit())


def test_budgets_stop_a_collector(tmp_path: Path) -> None:
    with open_web(tmp_path, *ENTRIES[:1], settings={"budgets": {"window": "1h", "queries": 2}}) as web:
        assert [web.status("work", "/dicom-web/studies") for _ in range(3)] == [200, 200, 429]
        head, _ = web.curl("work", "/dicom-web/studies")
        assert b"Retry-After: " in head
