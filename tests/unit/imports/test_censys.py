"""Censys' hosts, in both shapes: what is taken, and that nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.imports.files import (
    CANARY,
    CENSYS_OLDER,
    CENSYS_PLATFORM,
    DCMTK_NAME,
    DCMTK_UID,
    found,
    json_lines,
    planted,
    told,
)

from leadglass.imports.reading import Broken, Found, Kind
from leadglass.model.evidence import PassiveEvidence

HOST: dict[str, Any] = CENSYS_PLATFORM["host"]


def evidence(**service: object) -> PassiveEvidence:
    """What is taken of one service."""
    host = {"ip": "192.0.2.1", "services": [{"port": 104, "transport_protocol": "tcp", **service}]}
    (one,) = found(json_lines([host]), Kind.CENSYS)
    assert one.evidence is not None
    return one.evidence


def test_the_older_shape_is_read() -> None:
    assert told(json_lines([CENSYS_OLDER])) == [
        Found("192.0.2.1", 104, PassiveEvidence("censys", seen_at="2026-11-01T04:05:06Z", speaks="dicom")),
        Found(
            "192.0.2.1",
            443,
            PassiveEvidence(
                "censys",
                seen_at="2026-11-02T00:00:00Z",
                speaks="http",
                over_tls=True,
                product="Orthanc",
                certificate_sha256="ab" * 32,
            ),
        ),
    ]


def test_the_shape_of_the_platform_is_read() -> None:
    assert told(json_lines([CENSYS_PLATFORM])) == [
        Found(
            "192.0.2.1",
            104,
            PassiveEvidence(
                "censys",
                seen_at="2026-11-01T04:05:06Z",
                speaks="dicom",
                implementation_class_uid=DCMTK_UID,
                implementation_version_name=DCMTK_NAME,
            ),
        ),
        Found(
            "192.0.2.1",
            2762,
            PassiveEvidence("censys", speaks="tls", over_tls=True, certificate_sha256="cd" * 32),
        ),
    ]


@pytest.mark.parametrize(
    "wrapped",
    [
        HOST,
        {"host": HOST},
        {"resource": HOST},
        {"result": {"resource": HOST}},
        {"host_v1": {"resource": HOST, "matched_services": []}},
        {"result": {"hits": [{"host_v1": {"resource": HOST}}]}},
        {"result": [{"resource": HOST, "extensions": {}}]},
        {"code": 200, "status": "OK", "result": {"query": "x", "total": 1, "hits": [HOST]}},
        [HOST],
    ],
    ids=range(9),
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_is_wrapped_around_a_host_is_taken_off(wrapped: object, indent: int | None) -> None:
    data = json.dumps(wrapped, indent=indent).encode()

    assert [(one.address, one.port) for one in found(data)] == [("192.0.2.1", 104), ("192.0.2.1", 2762)]


@pytest.mark.parametrize(
    ("service", "speaks", "over_tls"),
    [
        ({"protocol": "DICOM"}, "dicom", False),
        ({"protocol": "DICOM", "tls": {}}, "dicom", True),
        ({"protocol": "UNKNOWN", "dicom": {}}, "dicom", False),
        ({"service_name": "HTTP"}, "http", False),
        ({"service_name": "HTTP", "extended_service_name": "HTTPS", "certificate": "ab" * 32}, "http", True),
        ({"protocol": "SSH"}, None, False),
        ({"protocol": 5, "tls": 5, "software": 5, "dicom": 5, "cert": 5}, None, False),
        ({}, None, False),
    ],
)
def test_what_it_speaks_is_what_their_scanner_spoke(
    service: Mapping[str, object], speaks: str | None, over_tls: bool
) -> None:
    seen = evidence(**service)

    assert (seen.speaks, seen.over_tls) == (speaks, over_tls)


@pytest.mark.parametrize(
    "service",
    [
        {"cert": {"fingerprint_sha256": "ab" * 32}},
        {"tls": {"fingerprint_sha256": "ab" * 32}},
        {"tls": {"certificates": {"leaf_fp_sha_256": "AB" * 32}}},
        {"certificate": "ab" * 32},
        {"cert": {"fingerprint_sha256": CANARY}, "certificate": "ab" * 32},
    ],
    ids=range(5),
)
def test_a_certificate_is_its_digest_wherever_it_stands(service: Mapping[str, object]) -> None:
    assert evidence(**service).certificate_sha256 == "ab" * 32


@pytest.mark.parametrize("protocol", ["udp", "UDP", "QUIC", "icmp", CANARY, 5])
def test_only_tcp_is_taken(protocol: object) -> None:
    services = [{"port": 104, "transport_protocol": protocol}]

    assert told(json_lines([{"ip": "192.0.2.1", "services": services}])) == []


@pytest.mark.parametrize("services", [[], None])
def test_a_host_without_services_tells_nothing(services: object) -> None:
    assert told(json_lines([{"ip": "192.0.2.1", "services": services}])) == []


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (5, "not a host or service of Censys"),
        ({}, "not a host or service of Censys"),
        ({"ip": "192.0.2.1", "services": {}}, "not a host or service of Censys"),
        ({"services": []}, "not a host or service of Censys"),
        ({"certificate_v1": {"resource": {}}}, "not a host or service of Censys"),
        ({"ip": "192.0.2.1", "services": [CANARY]}, "not a host or service of Censys"),
        ({"ip": CANARY, "services": [{"port": 104}]}, "no address"),
        ({"ip": "192.0.2.1", "services": [{"port": CANARY}]}, "no port"),
        ({"ip": "192.0.2.1", "services": [{}]}, "no port"),
    ],
    ids=range(9),
)
def test_a_broken_line_is_told_by_number_and_the_rest_is_used(value: object, why: str) -> None:
    assert told(json_lines([CENSYS_OLDER, value, CENSYS_OLDER])) == [
        *told(json_lines([CENSYS_OLDER])),
        Broken(2, why),
        *told(json_lines([CENSYS_OLDER])),
    ]


def test_each_service_is_broken_for_itself() -> None:
    services = [{"port": 104}, {"port": 0}, 5, {"port": 105}]

    assert [type(one) for one in told(json_lines([{"ip": "192.0.2.1", "services": services}]))] == [
        Found,
        Broken,
        Broken,
        Found,
    ]


def test_each_hit_is_broken_for_itself() -> None:
    hits = [{"host_v1": {"resource": HOST}}, {"certificate_v1": {"resource": {}}}, CANARY, HOST]

    assert [type(one) for one in told(json_lines([{"result": {"hits": hits}}]))] == [
        Found,
        Found,
        Broken,
        Broken,
        Found,
        Found,
    ]


def test_wrapping_without_end_is_no_host() -> None:
    def wrapped(times: int) -> bytes:
        host = json.dumps(HOST).encode()
        return b'{"result": {"hits": [' * times + host + b"]}}" * times

    assert told(wrapped(1)) == told(json_lines([HOST]))
    assert told(wrapped(2), Kind.CENSYS) == [Broken(1, "not a host or service of Censys")]
    assert [type(one) for one in told(wrapped(100_000), Kind.CENSYS)] == [Broken]


FULL: dict[str, Any] = {
    **CENSYS_PLATFORM,
    "dns": {"names": ["pacs.example.org"]},
    "host": {
        **HOST,
        "location": {"city": "Nowhere"},
        "services": [
            {
                **HOST["services"][0],
                "banner": "x",
                "software": [{"product": "Orthanc", "vendor": "x", "version": "1"}],
                "http": {"response": {"body": "<html>", "html_title": "Patients"}},
                "tls": {"certificates": {"leaf_fp_sha_256": "ab" * 32, "leaf_data": {"subject_dn": "CN=x"}}},
                "service_name": "DICOM",
                "labels": ["x"],
            }
        ],
    },
}
PLANTED = {
    **dict(planted(FULL)),
    **{f"older {where}": record for where, record in planted(CENSYS_OLDER)},
}


@pytest.mark.parametrize("where", PLANTED)
def test_a_patient_planted_in_any_text_is_in_nothing_that_is_told(where: str) -> None:
    said = told(json_lines([PLANTED[where]]), Kind.CENSYS)

    assert said or "transport_protocol" in where
    assert "CANARY" not in repr(said)
    assert "JANE" not in repr(said)
