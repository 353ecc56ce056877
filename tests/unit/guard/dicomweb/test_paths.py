"""Which request targets are DICOMweb, and what becomes of all others."""

from __future__ import annotations

import pytest
from tests.unit.guard.dicomweb.conversing import HOSTS, ROOTS

from leadglass.guard.dicomweb.paths import Form, Level, Place, Request, Roots, Service, parse, target
from leadglass.guard.dicomweb.refused import Refused
from leadglass.model.access import Action

S, SE, SOP = "1.2.840.1", "1.2.840.1.2", "1.2.840.1.2.3"
IN_SERIES = f"/dicom-web/studies/{S}/series/{SE}"
IN_INSTANCE = f"{IN_SERIES}/instances/{SOP}"


def read(text: str, method: bytes = b"GET") -> Request:
    return parse(method, text.encode("latin-1"), ROOTS, HOSTS)


def status(text: str, method: bytes = b"GET") -> int:
    with pytest.raises(Refused) as caught:
        read(text, method)
    return caught.value.status


@pytest.mark.parametrize(
    ("path", "level", "at"),
    [
        ("/studies", Level.STUDY, Place()),
        ("/series", Level.SERIES, Place()),
        ("/instances", Level.INSTANCE, Place()),
        (f"/studies/{S}/series", Level.SERIES, Place(S)),
        (f"/studies/{S}/instances", Level.INSTANCE, Place(S)),
        (f"/studies/{S}/series/{SE}/instances", Level.INSTANCE, Place(S, SE)),
    ],
)
def test_searches_are_known(path: str, level: Level, at: Place) -> None:
    found = read(f"/dicom-web{path}")

    assert (found.service, found.action, found.level, found.at) == (
        Service.SEARCH,
        Action.QIDO,
        level,
        at,
    )
    assert target(found, Roots("/x", None), at) == f"/x{path}"


@pytest.mark.parametrize(
    ("path", "at", "form"),
    [
        (f"/studies/{S}", Place(S), Form.OBJECTS),
        (f"/studies/{S}/series/{SE}", Place(S, SE), Form.OBJECTS),
        (f"/studies/{S}/series/{SE}/instances/{SOP}", Place(S, SE, SOP), Form.OBJECTS),
        (f"/studies/{S}/metadata", Place(S), Form.METADATA),
        (f"/studies/{S}/series/{SE}/metadata", Place(S, SE), Form.METADATA),
        (f"/studies/{S}/rendered", Place(S), Form.RENDERED),
        (f"/studies/{S}/series/{SE}/thumbnail", Place(S, SE), Form.THUMBNAIL),
        (f"/studies/{S}/series/{SE}/instances/{SOP}/frames/1,2,30", Place(S, SE, SOP), Form.FRAMES),
        (f"/studies/{S}/series/{SE}/instances/{SOP}/frames/1/rendered", Place(S, SE, SOP), Form.FRAMES),
        (f"/studies/{S}/series/{SE}/instances/{SOP}/pixeldata", Place(S, SE, SOP), Form.PIXELDATA),
        (
            f"/studies/{S}/series/{SE}/instances/{SOP}/bulk/00400555/1/00081199",
            Place(S, SE, SOP),
            Form.BULKDATA,
        ),
        (f"/studies/{S}/bulkdata/a-b_c.1", Place(S), Form.BULKDATA),
    ],
)
def test_retrievals_are_known(path: str, at: Place, form: Form) -> None:
    found = read(f"/dicom-web{path}")

    assert (found.service, found.action, found.at, found.form) == (
        Service.RETRIEVE,
        Action.WADO,
        at,
        form,
    )
    assert target(found, Roots("/x", None), at) == f"/x{path}"


def test_the_uids_of_a_target_can_be_replaced() -> None:
    found = read(f"{IN_INSTANCE}/frames/1")

    assert target(found, ROOTS, Place("2.25.1", "2.25.2", "2.25.3")) == (
        "/dicom-web/studies/2.25.1/series/2.25.2/instances/2.25.3/frames/1"
    )


def test_storing_is_known() -> None:
    assert read("/dicom-web/studies", b"POST").service is Service.STORE
    assert read(f"/dicom-web/studies/{S}", b"POST").at == Place(S)
    assert target(read("/dicom-web/studies", b"POST"), Roots("/x"), Place()) == "/x/studies"
    assert target(read(f"/dicom-web/studies/{S}", b"POST"), Roots("/x"), Place(S)) == f"/x/studies/{S}"


def test_wado_uri_is_known_and_written_anew() -> None:
    found = read(
        f"/wado?requestType=WADO&studyUID={S}&seriesUID={SE}&objectUID={SOP}"
        "&contentType=image%2Fjpeg&windowCenter=40&other=x"
    )

    assert (found.service, found.at) == (Service.URI, Place(S, SE, SOP))
    assert target(found, Roots("/x", "/y"), Place("2.25.1", "2.25.2", "2.25.3")) == (
        "/y?requestType=WADO&studyUID=2.25.1&seriesUID=2.25.2&objectUID=2.25.3"
        "&contentType=image/jpeg&windowCenter=40"
    )


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/workitems", b"GET"),
        ("/workitems", b"POST"),
        ("/workitems/1.2.3", b"GET"),
        ("/workitems/1.2.3/state", b"PUT"),
        ("/workitems/1.2.3/cancelrequest", b"POST"),
        ("/workitems/1.2.3/subscribers/VIEWER", b"DELETE"),
        ("/workitems/1.2.3/subscribers/VIEWER/suspend", b"POST"),
    ],
)
def test_work_items_are_known(path: str, method: bytes) -> None:
    found = read(f"/dicom-web{path}", method)

    assert (found.action, found.method.encode()) == (Action.UPS, method)
    assert target(found, Roots("/x"), found.at) == f"/x{path}"


def test_of_retrieval_parameters_those_of_rendering_pass() -> None:
    found = read(f"{IN_INSTANCE}/rendered?viewport=1,2&quality=80&StudyInstanceUID=9.9&evil=1")

    assert found.parameters == (("viewport", "1,2"), ("quality", "80"))


# ---- attacks


@pytest.mark.parametrize(
    "path",
    [
        f"/dicom-web/studies/../studies/{S}",
        f"/dicom-web/studies/{S}/../../instances",
        f"/dicom-web/studies/{S}/./metadata",
        f"/dicom-web/../instances/{S}/file",
        f"/dicom-web/studies/{S}/series/..",
    ],
)
def test_dots_in_a_path_lead_nowhere(path: str) -> None:
    assert status(path) in {400, 404}


@pytest.mark.parametrize(
    "path",
    [
        "/dicom-web/%2e%2e/instances",
        f"/dicom-web/studies/%2e%2e%2f{S}",
        f"/dicom-web/studies%2f{S}",
        f"/dicom-web/studies/%252e%252e/{S}",
        f"/dicom-web/studies/{S}%00",
        f"/dicom-web/studies/{S}%2fmetadata",
        "/%64icom-web/studies",
        f"/dicom-web/studies/{S}%",
    ],
)
def test_encodings_in_a_path_are_refused(path: str) -> None:
    assert status(path) == 400


@pytest.mark.parametrize(
    "path",
    [
        f"/dicom-web/studies/{S};x=1",
        f"/dicom-web/studies;/{S}",
        f"/dicom-web\\studies\\{S}",
        f"/dicom-web/studies/{S}\\..\\..",
        f"//dicom-web/studies/{S}",
        f"/dicom-web//studies/{S}",
        f"/dicom-web/studies//{S}",
        f"/dicom-web/studies/{S}/",
        f"/dicom-web/studies/{S}#/metadata",
        f"/dicom-web/studies/{S}/bulkdata/..",
        f"/dicom-web/studies/{S}/bulkdata/.../x",
        f"/dicom-web/studies/{S}/bulkdata//x",
        f"/dicom-web/studies/{S}/bulkdata" + "/x" * 17,
        f"/dicom-web/studies/{S}/bulkdata/" + "x" * 129,
        "/dicom-webstudies",
        "/dicom-web",
        "/dicom-web/",
    ],
)
def test_what_only_resembles_a_path_is_none(path: str) -> None:
    assert status(path) == 404


@pytest.mark.parametrize(
    "path",
    [
        "/instances",
        "/instances/8b2a7f2e/file",
        "/studies",
        "/patients",
        "/system",
        "/tools/execute-script",
        "/tools/find",
        "/modalities/X/store",
        "/plugins/explorer.js",
        "/app/explorer.html",
        "/dicom-web/servers",
        "/dicom-web/servers/x/qido",
        "/dicom-web/info",
        "/dicom-web/patients",
        "/dicom-web/app/client/index.html",
        "/",
    ],
)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"DELETE", b"PUT"])
def test_the_archives_own_interface_is_not_reached(path: str, method: bytes) -> None:
    assert status(path, method) in {404, 405}


@pytest.mark.parametrize(
    ("path", "method"),
    [
        (f"/dicom-web/studies/{S}", b"DELETE"),
        (IN_SERIES, b"DELETE"),
        (IN_INSTANCE, b"DELETE"),
        ("/dicom-web/studies", b"DELETE"),
        (f"/dicom-web/studies/{S}", b"PUT"),
        (f"/dicom-web/studies/{S}/metadata", b"POST"),
        (f"/dicom-web/studies/{S}/metadata", b"PATCH"),
        ("/dicom-web/studies", b"OPTIONS"),
        ("/dicom-web/studies", b"HEAD"),
        ("/dicom-web/series", b"POST"),
        ("/dicom-web/workitems/1.2/state", b"GET"),
        ("/wado", b"POST"),
        ("/dicom-web/studies", b"DEBUG"),
    ],
)
def test_methods_that_a_resource_does_not_have_are_refused(path: str, method: bytes) -> None:
    assert status(path, method) == 405


@pytest.mark.parametrize(
    "uid",
    ["1..2", ".1", "1.", "1.2.a", "*", "1.2*", "1" * 65, "-1", "1.2,1.3", "~", "1_2", "x" * 128],
)
def test_uids_that_break_the_grammar_are_refused(uid: str) -> None:
    assert status(f"/dicom-web/studies/{uid}/metadata") in {400, 404}
    assert status(f"/dicom-web/studies/{S}/series/{uid}") in {400, 404}
    assert status(f"{IN_SERIES}/instances/{uid}/rendered") in {400, 404}
    assert status(f"/dicom-web/studies/{uid}", b"POST") in {400, 404}


@pytest.mark.parametrize("frames", ["0", "1,", ",1", "1,,2", "01", "-1", "a", "1-3", "9999999"])
def test_frame_lists_that_break_the_grammar_are_refused(frames: str) -> None:
    assert status(f"{IN_INSTANCE}/frames/{frames}") == 404


def test_frames_belong_to_an_instance() -> None:
    assert status(f"/dicom-web/studies/{S}/frames/1") == 404


def test_an_absolute_target_for_another_host_is_misdirected() -> None:
    assert status("http://archive.example:8042/dicom-web/studies") == 421
    assert status("https://guard.example.evil/dicom-web/studies") == 421
    assert status("https://guard.example@evil/dicom-web/studies") == 421
    assert read("https://GUARD.example/dicom-web/studies").service is Service.SEARCH


@pytest.mark.parametrize(
    "text", ["*", "guard.example:443", "dicom-web/studies", "", "?a=b", "ftp://x/studies"]
)
def test_a_target_that_is_no_path_is_refused(text: str) -> None:
    assert status(text) == 400


def test_an_overlong_target_is_refused() -> None:
    assert status("/dicom-web/studies?PatientName=" + "x" * 8192) == 414


def test_a_target_with_other_characters_than_ascii_is_refused() -> None:
    assert status("/dicom-web/studies/\xe9") == 400
    assert status("/dicom-web/studies?PatientName=M\xfcller") == 400


@pytest.mark.parametrize(
    "query",
    [
        f"requestType=WADO&studyUID={S}&seriesUID={SE}",
        f"requestType=wado&studyUID={S}&seriesUID={SE}&objectUID={SOP}",
        f"studyUID={S}&seriesUID={SE}&objectUID={SOP}",
        f"requestType=WADO&studyUID=*&seriesUID={SE}&objectUID={SOP}",
        f"requestType=WADO&studyUID={S}&seriesUID={SE}&objectUID={SOP}%00",
        f"requestType=WADO&studyUID={S}/../9&seriesUID={SE}&objectUID={SOP}",
        f"requestType=WADO&studyUID={S}&studyUID=9.9&seriesUID={SE}&objectUID={SOP}",
        f"requestType=WADO&studyUID={S}&seriesUID={SE}&objectUID={SOP}&presentationUID=9.9&presentationSeriesUID=9.8",
        f"requestType=WADO&studyUID={S}&seriesUID={SE}&objectUID={SOP}&contentType=a&contentType=b",
    ],
)
def test_wado_uri_with_parts_missing_or_twice_is_refused(query: str) -> None:
    assert status(f"/wado?{query}") == 400


def test_there_is_no_wado_uri_where_none_is_configured() -> None:
    with pytest.raises(Refused) as caught:
        parse(b"GET", b"/wado?requestType=WADO", Roots("/dicom-web", None), HOSTS)

    assert caught.value.status == 404
