"""Orthanc is a client of the guard as of any archive: mutual TLS both ways, driven through its REST interface."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.interop.guarded.conftest import Before
from tests.peers import orthanc
from tests.peers.clinic import ALPHA, GREY, STUDIES, Series, Study, as_file, every, image, names_of
from tests.peers.guarded_clinic import TITLE
from tests.peers.places import LOOPBACK, free_port
from tests.peers.reading import Reader
from tests.peers.running import Peer

pytestmark = [pytest.mark.peer("orthanc"), pytest.mark.peer("pynetdicom")]


@pytest.fixture(scope="module")
def client(before_orthanc: Before, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """An Orthanc without images of its own, which knows the guard as ``pacs``."""
    guard = before_orthanc.site.guard
    certificate, key, authority = map(str, guard.papers("orthclient"))
    settings = {
        "DicomAet": "ORTHCLIENT",
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": certificate,
        "DicomTlsPrivateKey": key,
        "DicomTlsTrustedCertificates": authority,
        "DicomModalities": {
            "pacs": {"AET": TITLE, "Host": guard.host, "Port": guard.ports["dicom"], "UseDicomTls": True}
        },
        "Plugins": [],
    }
    home = tmp_path_factory.mktemp("client") / "orthanc"
    port = before_orthanc.listens["ORTHCLIENT"]
    with orthanc.orthanc(LOOPBACK, home, settings, dicom=port, http=free_port(LOOPBACK)) as peer:
        yield peer


def rest(client: Peer, method: str, path: str, body: Any = None) -> Any:
    with closing(http.client.HTTPConnection("127.0.0.1", client.ports["http"], timeout=30)) as connection:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 200, told
        return json.loads(told)


def query(client: Peer, level: str, **keys: str) -> tuple[str, list[dict[str, str]]]:
    made = rest(client, "POST", "/modalities/pacs/query", {"Level": level, "Query": keys})["ID"]
    answers = rest(client, "GET", f"/queries/{made}/answers")
    return made, [rest(client, "GET", f"/queries/{made}/answers/{n}/content?simplify") for n in answers]


def test_its_echo_is_answered(client: Peer) -> None:
    rest(client, "POST", "/modalities/pacs/echo", {})


def test_its_query_finds_what_it_may_see_and_its_retrieve_brings_it_over_tls(client: Peer) -> None:
    made, found = query(client, "Study", StudyInstanceUID="", PatientID="")
    uids = {match["StudyInstanceUID"] for match in found} & every("STUDY", [*STUDIES.values()])
    assert names_of(uids) == {"head", "trial", "stray"}
    number = next(n for n, match in enumerate(found) if match["StudyInstanceUID"] == STUDIES["head"].uid)
    rest(
        client,
        "POST",
        f"/queries/{made}/answers/{number}/retrieve",
        {"TargetAet": "ORTHCLIENT", "Synchronous": True},
    )
    came = rest(client, "GET", "/instances?expand")
    assert {each["MainDicomTags"]["SOPInstanceUID"] for each in came} == {*STUDIES["head"].instances}


def test_what_it_sends_is_stored(client: Peer, before_orthanc: Before) -> None:
    study = Study("sent", "2.25.8811", "P-9", (Series("2.25.8811.1", "CT", ("2.25.8811.1.1",)),), ALPHA, GREY)
    orthanc.load(client, [as_file(image(study, study.series[0], "2.25.8811.1.1"))])
    (sent,) = rest(
        client, "POST", "/tools/find", {"Level": "Instance", "Query": {"StudyInstanceUID": study.uid}}
    )
    rest(client, "POST", "/modalities/pacs/store", [sent])
    with Reader("work", "WORK").at(before_orthanc.site.guard, TITLE) as reading:
        assert reading.find("IMAGE", StudyInstanceUID=study.uid, SeriesInstanceUID="2.25.8811.1") == (
            {"2.25.8811.1.1"},
            0,
        )
