"""Imaging products in HTTP answers: what each shows, what nobody should be taken for, and what is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from leadglass.judge.knowledge import table
from leadglass.judge.web import BODY_LIMIT, fingerprints, known, paths, qido_paths

SYSTEM = json.dumps(
    {
        "ApiVersion": 18,
        "DatabaseVersion": 6,
        "DicomAet": "ORTHANC",
        "DicomPort": 4242,
        "HttpPort": 8042,
        "IsHttpServerSecure": True,
        "Name": "Orthanc",
        "PluginsEnabled": True,
        "Version": "1.10.1",
    }
).encode()
JSON = {"content-type": "application/json; charset=utf-8"}
REALM = {"www-authenticate": 'Basic realm="Orthanc Secure Area"'}


def titled(title: str) -> bytes:
    """A page with this title."""
    return f"<!DOCTYPE html>\n<html><head><meta charset=utf-8><title>{title}</title></head></html>".encode()


SHOWN: list[tuple[str, str, int, Mapping[str, str], bytes]] = [
    ("orthanc-system", "/system", 200, JSON, SYSTEM),
    ("orthanc-realm", "/system", 401, REALM, b""),
    ("orthanc-realm", "/", 401, REALM, b""),
    ("orthanc-explorer-redirect", "/", 301, {"location": "app/explorer.html"}, b""),
    ("orthanc-explorer", "/app/explorer.html", 200, {}, titled("Orthanc Explorer")),
    ("orthanc-explorer-2-redirect", "/", 301, {"location": "ui/app/"}, b""),
    ("orthanc-explorer-2", "/ui/app/", 200, {}, titled("Orthanc Explorer 2")),
    ("dcm4chee-aets", "/dcm4chee-arc/aets", 200, JSON, b'[{"dicomAETitle":"DCM4CHEE"},{"dicomAETitle":"B"}]'),
    ("dcm4chee-aets", "/dcm4chee-arc/aets", 200, JSON, b'[{"title":"DCM4CHEE","description":"x"}]'),
    ("dcm4chee-ui2", "/dcm4chee-arc/ui2/", 200, {}, titled("dcm4chee-arc-ui")),
    ("ohif", "/", 200, {}, titled("OHIF Viewer")),
    ("conquest-web", "/", 200, {}, titled("Conquest DICOM server - version 1.5.0")),
    ("conquest-web", "/", 200, {}, titled("Conquest DICOM control - Version 1.4")),
    ("dicoogle", "/", 200, {}, titled("Dicoogle Web Interface")),
    ("oviyam-login", "/", 200, {}, titled("Oviyam login")),
    ("oviyam", "/", 200, {}, titled("Oviyam ")),
    ("oviyam", "/", 200, {}, titled("Oviyam - DICOM Web Browser")),
    (
        "meddream-login",
        "/pacs/login.php",
        200,
        {},
        b"<div id=loginSplash>Not authorized to access this URL</div>",
    ),
    ("synapse-sign-on", "/", 200, {}, titled("Synapse Sign-On")),
    ("dicomhawk-synapse", "/", 200, {"x-backendserver": "SYNWEB01"}, b""),
]


@pytest.mark.parametrize(
    ("fingerprint", "path", "status", "headers", "body"),
    SHOWN,
    ids=[f"{shown[0]}-{i}" for i, shown in enumerate(SHOWN)],
)
def test_a_product_is_recognised(
    fingerprint: str, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> None:
    assert fingerprints(path, status, headers, body) == (fingerprint,)


def test_every_fingerprint_has_its_test() -> None:
    assert {row["id"] for row in table("web")["fingerprint"]} == {shown[0] for shown in SHOWN}


PAGES = [
    titled("Welcome to nginx!"),
    titled("Orthanc Explorer 3"),
    titled("How to install Orthanc Explorer 2"),
    titled("Oviyam login page of somebody"),
    titled(""),
    b"<html><body>Orthanc Explorer 2, OHIF Viewer, dcm4chee-arc-ui, loginSplash</body></html>",
    b"<html><body>&lt;title>Orthanc Explorer&lt;/title></body></html>",
    b"",
    b"<title>Orthanc Explorer",
    b"<title><title><title></title>",
    b'{"Version": "1"}',
    b'{"DatabaseVersion": 1, "DicomAet": "x", "Version": "1"}',
    b'["DatabaseVersion", "DicomAet", "DicomPort", "Version"]',
    b"[]",
    b"[1, 2]",
    b'[{"dicomAETitle": "A"}, {"other": 1}]',
    b"[" * BODY_LIMIT,
    b"{" * BODY_LIMIT,
    b'{"DatabaseVersion": 1, "DicomAet": "x", "DicomPort": 1, "Version": "1"',
    b"\xff\xfe{\x00}\x00",
    b"\x00" * 100,
]


@pytest.mark.parametrize("body", PAGES, ids=range(len(PAGES)))
@pytest.mark.parametrize("path", [*paths(), "/dicom-web/studies", "/anything"])
def test_a_web_application_that_answers_a_page_to_everything_is_no_imaging_product(
    path: str, body: bytes
) -> None:
    assert fingerprints(path, 200, {"content-type": "text/html"}, body) == ()


@pytest.mark.parametrize("status", [204, 206, 404, 500])
@pytest.mark.parametrize("shown", [shown for shown in SHOWN if shown[4]], ids=range(15))
def test_a_body_counts_only_with_its_status(
    status: int, shown: tuple[str, str, int, Mapping[str, str], bytes]
) -> None:
    assert fingerprints(shown[1], status, {}, shown[4]) == ()


@pytest.mark.parametrize(
    "realm", ['Basic realm="Secure Area"', 'Basic realm="orthanc secure area"', "Basic", 'realm="Orthanc']
)
def test_another_realm_is_another_product(realm: str) -> None:
    assert fingerprints("/", 401, {"www-authenticate": realm}, b"") == ()


def test_open_json_elsewhere_is_not_orthancs_system() -> None:
    assert fingerprints("/api/system", 200, JSON, SYSTEM) == ()


def test_only_the_beginning_of_a_body_is_looked_at() -> None:
    assert fingerprints("/", 200, {}, b" " * BODY_LIMIT + titled("OHIF Viewer")) == ()


# ---- what is asked


def test_few_paths_are_asked_and_the_root_first() -> None:
    assert paths()[0] == "/"
    assert len(paths()) == len(set(paths())) <= 5


@pytest.mark.parametrize("path", paths())
def test_no_path_that_lists_patients_is_asked_below_the_blank_query(path: str) -> None:
    words = {"studies", "patients", "instances", "series", "changes", "dicom-web", "rs", "wado", "statistics"}

    assert words.isdisjoint(path.strip("/").split("/"))


def test_a_known_product_is_asked_at_its_own_root_only() -> None:
    assert qido_paths(("orthanc-realm",)) == ("/dicom-web/studies",)
    assert qido_paths(("dcm4chee-ui2",)) == ("/dcm4chee-arc/aets/DCM4CHEE/rs/studies",)


@pytest.mark.parametrize("seen", [(), ("ohif",), ("no-longer-known",)])
def test_an_unknown_product_is_asked_at_the_common_roots(seen: tuple[str, ...]) -> None:
    assert qido_paths(seen)[0] == "/dicom-web/studies"
    assert 1 < len(qido_paths(seen)) <= 4


@pytest.mark.parametrize("fingerprint", [None, *sorted({shown[0] for shown in SHOWN})])
def test_the_bare_studies_list_is_never_asked(fingerprint: str | None) -> None:
    asked = qido_paths((fingerprint,) if fingerprint else ())

    assert "/studies" not in asked
    assert all(path.endswith("/studies") for path in asked)


def test_a_fingerprint_that_is_no_longer_known_is_nothing() -> None:
    assert known("no-longer-known") is None
