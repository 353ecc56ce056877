"""Shodan's banners: what is taken, and that nothing else is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.imports.files import CANARY, DCMTK_NAME, DCMTK_UID, SHODAN, found, json_lines, planted, told

from leadglass.imports.reading import Broken, Found, Kind
from leadglass.model.evidence import PassiveEvidence, facts_of


def banner(**changes: object) -> dict[str, Any]:
    """A banner like ``SHODAN``, with other values; None takes a key out."""
    return {key: value for key, value in {**SHODAN, **changes}.items() if value is not None}


def evidence(**changes: object) -> PassiveEvidence:
    """What is taken of such a banner."""
    (one,) = found(json_lines([banner(**changes)]), Kind.SHODAN)
    assert one.evidence is not None
    return one.evidence


def pdu(uid: str, name: str) -> str:
    """The end of an A-ASSOCIATE-AC with both identities, a character for each byte."""
    return (
        "\2\0\0\0\0\xba\0\1\0\0ANY-SCP         ECHOSCU         "
        f"Q\0\0\4\0\0@\0R\0\0{chr(len(uid))}{uid}U\0\0{chr(len(name))}{name}"
    )


def test_a_dicom_banner_says_what_was_seen_when_and_who_announced_itself() -> None:
    assert told(json_lines([SHODAN])) == [
        Found(
            "192.0.2.1",
            104,
            PassiveEvidence(
                "shodan",
                seen_at="2026-11-01T04:05:06Z",
                speaks="dicom",
                implementation_class_uid=DCMTK_UID,
                implementation_version_name=DCMTK_NAME,
            ),
        )
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"data": pdu(DCMTK_UID, DCMTK_NAME)},
        {"data": "DICOM Server Response\n" + pdu(DCMTK_UID, DCMTK_NAME)},
        {"data": "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in pdu(DCMTK_UID, DCMTK_NAME))},
        {"data": f"Implementation Class UID: {DCMTK_UID}\r\nImplementation Version Name: {DCMTK_NAME}\r\n"},
        {"data": f"implementation_uid={DCMTK_UID}\nimplementation_version={DCMTK_NAME}"},
        {
            "data": "",
            "dicom": {
                "implementation_class_uid": DCMTK_UID,
                "implementation_version_name": DCMTK_NAME,
            },
        },
        {"data": "", "dicom": {"implementation_uid": DCMTK_UID, "implementation_version": DCMTK_NAME}},
    ],
    ids=range(7),
)
def test_an_identity_is_found_wherever_it_is_written(changes: Mapping[str, object]) -> None:
    seen = evidence(**changes, _shodan=None)

    assert seen.speaks == "dicom"
    assert (seen.implementation_class_uid, seen.implementation_version_name) == (DCMTK_UID, DCMTK_NAME)


@pytest.mark.parametrize(
    ("changes", "speaks", "over_tls"),
    [
        ({}, "dicom", False),
        ({"ssl": {}}, "dicom", True),
        ({"data": "x", "_shodan": {"module": "dicom-tls"}}, "dicom", False),
        ({"data": "x", "_shodan": {"module": "http"}}, "http", False),
        ({"data": "x", "_shodan": {"module": "https-simple-new"}, "ssl": {"versions": []}}, "http", True),
        ({"data": "x", "_shodan": None, "http": {"status": 200}}, "http", False),
        ({"data": "x", "_shodan": {"module": "auto"}, "ssl": {"versions": []}}, "tls", True),
        ({"data": "x", "_shodan": {"module": "ssh"}}, None, False),
        ({"data": None, "_shodan": {"module": 5}}, None, False),
        ({"data": 5, "_shodan": 5, "ssl": 5}, None, False),
    ],
)
def test_what_it_speaks_is_what_their_crawler_spoke(
    changes: Mapping[str, object], speaks: str | None, over_tls: bool
) -> None:
    seen = evidence(**changes)

    assert (seen.speaks, seen.over_tls) == (speaks, over_tls)


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("2026-11-01T04:05:06.123456", "2026-11-01T04:05:06Z"),
        ("2026-11-01T04:05:06", "2026-11-01T04:05:06Z"),
        ("2026-11-01 04:05:06 UTC", None),
        ("2026-11-01T04:05:06UTC", "2026-11-01T04:05:06Z"),
        ("2026-11-01T04:05:06.123456789Z", "2026-11-01T04:05:06Z"),
        ("2026-11-01T04:05:06+02:00", "2026-11-01T02:05:06Z"),
        ("0001-01-01T00:00:00+02:00", None),
        ("2026-13-01T04:05:06", None),
        ("2026-11-01T04:05:06 CANARY^JANE", None),
        ("٢٠٢٦-11-01T04:05:06", None),
        (1795262905, None),
        (None, None),
    ],
)
def test_a_moment_is_utc_in_whole_seconds_or_not_told(written: object, taken: str | None) -> None:
    assert evidence(timestamp=written).seen_at == taken


def test_a_certificate_is_its_digest() -> None:
    def digest(value: object) -> str | None:
        return evidence(ssl={"cert": {"fingerprint": {"sha256": value}}}).certificate_sha256

    assert digest("AB" * 32) == "ab" * 32
    assert [digest(value) for value in ("ab" * 31, "xy" * 32, 5, ["ab" * 32])] == [None] * 4


@pytest.mark.parametrize(
    ("word", "product"),
    [("Orthanc", "Orthanc"), ("orthanc", "Orthanc"), ("nginx", None), (CANARY, None), (5, None)],
)
def test_a_product_is_one_that_is_known_or_none(word: object, product: str | None) -> None:
    assert evidence(product=word).product == product


@pytest.mark.parametrize(
    ("uid", "name", "taken"),
    [
        (DCMTK_UID, "OFFIS_DCMTK_367", "OFFIS_DCMTK_367"),
        ("1.2.3.4", "MINE_1", "MINE_1"),
        ("1.3.6.1.4.1.30071.8", "fo-dicom 5.0.3", "fo-dicom 5.0.3"),
        ("1.3.6.1.4.1.30071.8", "fo-dicom 5 JANE", "fo-dicom 5"),
        ("1.2.3.4", "fo-dicom 5.0.3", None),
        ("1.2.3.4", "JANE DOE", None),
        ("1.2.3.4", "DOE^JANE", None),
        ("1.2.3.4", "JANE", None),
        ("1.2.3.4", "19610101", None),
        ("1.2.3.4", "A_" + "x" * 15, None),
        ("1.2.276.0.7238010.5.0.3.5.4", "OSIRIX", "OSIRIX"),
        ("1.2.840.113619.6.96", "JANE DOE", None),
        (None, "JANE DOE", None),
        (None, "MINE_1", "MINE_1"),
    ],
)
def test_a_version_name_is_one_word_like_one_or_what_the_tables_know(
    uid: str | None, name: str, taken: str | None
) -> None:
    fields = {"implementation_class_uid": uid, "implementation_version_name": name}

    assert evidence(data="", dicom=fields).implementation_version_name == taken


@pytest.mark.parametrize("uid", ["1.2.3x", "1", "", "1..2", "1.02", "1." + "2" * 64, CANARY, 5])
def test_an_identifier_that_is_none_is_not_taken(uid: object) -> None:
    assert evidence(data="", dicom={"implementation_class_uid": uid}).implementation_class_uid is None


# ---- which records


def test_only_tcp_is_taken() -> None:
    assert told(json_lines([banner(transport="udp")])) == []
    assert len(found(json_lines([banner(transport=None)]))) == 1


def test_ipv6_is_taken_from_either_field() -> None:
    rows = [banner(ip_str="2001:DB8::1"), banner(ip_str=None, ipv6="2001:db8::2")]

    assert [one.address for one in found(json_lines(rows))] == ["2001:db8::1", "2001:db8::2"]


def test_an_address_within_ipv6_is_the_ipv4_one() -> None:
    assert found(json_lines([banner(ip_str="::ffff:192.0.2.1")]))[0].address == "192.0.2.1"


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: {"total": 2, "matches": rows},
        lambda rows: {"ip_str": "192.0.2.1", "ports": [104], "data": rows},
        lambda rows: rows,
    ],
    ids=["search", "host", "array"],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_what_the_api_returns_is_taken_apart(wrap: Any, indent: int | None) -> None:
    rows = [banner(), banner(ip_str="192.0.2.2")]

    assert [one.address for one in found(json.dumps(wrap(rows), indent=indent).encode())] == [
        "192.0.2.1",
        "192.0.2.2",
    ]


def test_a_banner_of_a_host_may_leave_out_its_address() -> None:
    host = {"ip_str": "192.0.2.1", "data": [banner(ip_str=None), banner(ip_str="192.0.2.2"), CANARY]}

    assert [one.address for one in found(json.dumps(host).encode())] == ["192.0.2.1", "192.0.2.2"]


def test_each_banner_is_broken_for_itself() -> None:
    rows = [banner(), CANARY, banner(port=0), banner()]

    assert [type(one) for one in told(json_lines([{"matches": rows}]))] == [Found, Broken, Broken, Found]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "the file ends within this record"),
        (b"not json", "not JSON"),
        (b'"text"', "not a record of Shodan"),
        (b"{}", "no address"),
        (b'{"ip_str": "CANARY^JANE", "port": 104}', "no address"),
        (b'{"ip_str": ["192.0.2.1"], "port": 104}', "no address"),
        (b'{"ip_str": "192.0.2.1"}', "no port"),
        (b'{"ip_str": "192.0.2.1", "port": "CANARY"}', "no port"),
        (b'{"ip_str": "192.0.2.1", "port": 104.0}', "no port"),
        (b'{"ip_str": "192.0.2.1", "port": 1e999}', "no port"),
    ],
)
def test_a_broken_line_is_told_by_number_and_the_rest_is_used(line: bytes, why: str) -> None:
    good = json_lines([SHODAN])

    *before, last = told(good + good + line)

    assert before == told(good) * 2
    assert last == Broken(3, why)


# ---- nobody's data


FULL = banner(
    product="Orthanc",
    version="1.12",
    title="Patients",
    org="Example",
    os="Linux",
    http={"title": "Patients", "html": "<html>", "server": "Orthanc", "headers": {"a": "b"}},
    ssl={
        "cert": {"subject": {"CN": "x"}, "fingerprint": {"sha256": "ab" * 32}},
        "versions": ["TLSv1.2"],
    },
    dicom={
        "implementation_class_uid": DCMTK_UID,
        "implementation_version_name": DCMTK_NAME,
        "called_ae": "ANY-SCP",
        "patients": ["x"],
    },
)


PLANTED = dict(planted(FULL))


@pytest.mark.parametrize("where", PLANTED)
def test_a_patient_planted_in_any_text_is_in_nothing_that_is_told(where: str) -> None:
    said = told(json_lines([PLANTED[where]]), Kind.SHODAN)

    assert said or where.startswith("transport")
    assert "CANARY" not in repr(said)
    assert "JANE" not in repr(said)
    for one in said:
        if isinstance(one, Found) and one.evidence is not None:
            assert "CANARY" not in repr(list(facts_of(one.evidence)))


def test_a_banner_is_not_kept() -> None:
    text = "PatientName: Doe^Jane PatientID 4711 Implementation Version Name: Doe^Jane"

    assert "Jane" not in repr(told(json_lines([banner(data=text)])))
