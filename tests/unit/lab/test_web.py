from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.lab.memory import Dice, feed

from leadglass.lab.archive import Archive
from leadglass.lab.fiction import Cast, Stems, cast
from leadglass.lab.session import Act, End
from leadglass.lab.web import Site, WebSession, page

STEMS = Stems("bcdfghjklm", "123456789012345678")
ARCHIVE = Archive(cast(Cast.PEOPLE, STEMS, 1, 5, Dice()))
STUDY = "2.25.12345678901234567800100"
NOT_THERE = "/dicom-web/studies?StudyInstanceUID=2.25.1&limit=1"


def get(target: str, version: str = "1.1", extra: str = "") -> bytes:
    return f"GET {target} HTTP/{version}\r\nHost: x\r\n{extra}\r\n".encode()


def sent(acts: list[Act]) -> bytes:
    return b"".join(act.send for act in acts)


@pytest.mark.parametrize(
    ("site", "target", "status"),
    [
        (Site.ORTHANC, "/", 301),
        (Site.ORTHANC, "/system", 200),
        (Site.ORTHANC, "/nothing", 404),
        (Site.ORTHANC_LOGIN, "/", 401),
        (Site.ORTHANC_LOGIN, "/system", 401),
        (Site.ORTHANC_LOGIN, "/dicom-web/studies", 401),
        (Site.DICOMWEB, "/", 404),
        (Site.DICOMWEB, "/system", 404),
        (Site.DICOMWEB, NOT_THERE, 200),
        (Site.DICOMWEB_LOGIN, "/", 401),
        (Site.DICOMWEB_LOGIN, NOT_THERE, 401),
        (Site.YES_MAN, "/", 200),
        (Site.YES_MAN, NOT_THERE, 200),
        (Site.YES_MAN, "/system", 200),
    ],
)
def test_each_site_has_its_statuses(site: Site, target: str, status: int) -> None:
    assert page(site, target, ARCHIVE).status == status


def test_orthanc_shows_itself_as_orthanc_does() -> None:
    assert page(Site.ORTHANC, "/", ARCHIVE).headers == (("Location", "app/explorer.html"),)
    assert b"<title>Orthanc Explorer</title>" in page(Site.ORTHANC, "/app/explorer.html", ARCHIVE).body
    assert json.loads(page(Site.ORTHANC, "/system", ARCHIVE).body).keys() >= {
        "ApiVersion",
        "DatabaseVersion",
        "DicomAet",
        "DicomPort",
        "HttpPort",
        "Name",
        "Version",
    }
    assert page(Site.ORTHANC_LOGIN, "/", ARCHIVE).headers == (
        ("WWW-Authenticate", 'Basic realm="Orthanc Secure Area"'),
    )


@pytest.mark.parametrize("target", ["/patients", "/studies", "/series", "/instances"])
def test_straying_into_orthancs_lists_shows_canaries(target: str) -> None:
    body = page(Site.ORTHANC, target, ARCHIVE).body.lower()

    assert STEMS.word.encode() in body or STEMS.digits.encode() in body


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("", 5),
        ("?limit=2", 2),
        (f"?StudyInstanceUID={STUDY}", 1),
        (f"?0020000D={STUDY}&limit=1", 1),
        ("?StudyInstanceUID=2.25.1", 0),
        ("?PatientID=FICTION-*-100", 1),
        ("?PatientName=nobody", 0),
        ("?StudyDate=18990101-18991231", 5),
    ],
)
def test_a_search_finds_what_it_asks_for(query: str, number: int) -> None:
    found = json.loads(page(Site.DICOMWEB, f"/dicom-web/studies{query}", ARCHIVE).body)

    assert len(found) == number


def test_a_match_is_dicom_json() -> None:
    (study,) = json.loads(page(Site.DICOMWEB, f"/dicom-web/studies?StudyInstanceUID={STUDY}", ARCHIVE).body)

    assert study["0020000D"] == {"vr": "UI", "Value": [STUDY]}
    assert study["00100010"] == {"vr": "PN", "Value": [{"Alphabetic": "FICTITIOUS BCDFGHJKLM^NOBODY 100"}]}


def test_a_request_in_single_bytes_is_answered_alike() -> None:
    whole = feed(WebSession(Site.ORTHANC, ARCHIVE), get("/system"))
    pieces = feed(WebSession(Site.ORTHANC, ARCHIVE), *(bytes([b]) for b in get("/system")))

    assert sent(pieces) == sent(whole)
    assert sent(whole).startswith(b"HTTP/1.1 200")
    assert whole[-1].end is End.OPEN


def test_requests_in_a_row_are_all_answered() -> None:
    acts = feed(WebSession(Site.ORTHANC, ARCHIVE), get("/") + get("/system"), get("/nothing"))

    assert [sent(acts).count(status) for status in (b"1.1 301", b"1.1 200", b"1.1 404")] == [1, 1, 1]


@pytest.mark.parametrize(
    "request_", [get("/", "1.0"), get("/", extra="Connection: close\r\n")], ids=["1.0", "close"]
)
def test_who_wants_the_connection_closed_gets_that(request_: bytes) -> None:
    acts = feed(WebSession(Site.ORTHANC, ARCHIVE), request_)

    assert sent(acts).startswith(b"HTTP/1.1 301")
    assert acts[-1].end is End.CLOSE


def test_a_head_request_gets_no_body() -> None:
    acts = feed(WebSession(Site.YES_MAN, ARCHIVE), get("/").replace(b"GET", b"HEAD"))

    assert sent(acts).endswith(b"\r\n\r\n")


def test_a_connection_serves_so_many_requests_and_no_more() -> None:
    acts = feed(WebSession(Site.YES_MAN, ARCHIVE), *(get("/") for _ in range(200)))

    assert sent(acts).count(b"HTTP/1.1 200") == 100
    assert acts[-1].end is End.CLOSE


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00\x00\x00\x00\xcd\x00\x01" + bytes(200),
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/1.1\r\n\r\n",
        b"A" * 20_000,
    ],
    ids=["dicom", "tls", "no host", "endless"],
)
def test_what_is_no_request_ends_the_connection(data: bytes) -> None:
    acts = feed(WebSession(Site.ORTHANC, ARCHIVE), data)

    assert acts[-1].end is End.CLOSE
    assert sent(acts) == b"" or sent(acts).startswith(b"HTTP/1.1 4")


@given(
    site=st.sampled_from(Site),
    pieces=st.lists(
        st.one_of(st.binary(max_size=50), st.sampled_from([get("/"), get("/studies"), b"\r\n"])), max_size=6
    ),
)
def test_any_bytes_are_answered_and_none_raises(site: Site, pieces: list[bytes]) -> None:
    server = WebSession(site, ARCHIVE)
    acts = feed(server, *pieces)

    if acts[-1].end is End.OPEN:
        assert acts[-1].wake_at is not None
        assert server.woken(acts[-1].wake_at).end is End.CLOSE


def test_a_search_with_a_hundred_keys_is_a_bad_request() -> None:
    assert page(Site.DICOMWEB, "/dicom-web/studies?" + "a=1&" * 100, ARCHIVE).status == 400


@given(
    target=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60),
    site=st.sampled_from(Site),
)
def test_any_target_has_a_page(target: str, site: Site) -> None:
    assert 200 <= page(site, f"/{target}", ARCHIVE).status < 500
