"""dcm4chee-arc, as LDIF and as JSON: whom it lets in, what is retired, which passwords everybody knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from leadglass.configs.dcm4chee.readers import READERS
from leadglass.configs.json_nodes import parse_json, plain
from leadglass.configs.reading import Reading, Service
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.verdict import Access

FIXTURES = Path(__file__).parents[3] / "fixtures" / "configs" / "dcm4chee"
TREE = "dicomDeviceName=archive,cn=Devices,cn=DICOM Configuration,dc=hospital,dc=example"
CURRENT = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


def read(text: str, path: str = "file") -> Reading:
    source = Source(path, text)
    (reader,) = [reader for reader in READERS if reader.recognises(source)]
    return reader.read(source, {})


def shown(name: str) -> Reading:
    return read((FIXTURES / name).read_text(), name)


def rules(reading: Reading) -> list[str]:
    return [found.rule.removeprefix("LG-DCM4CHEE-") for found in reading.findings]


def closed(reading: Reading) -> str:
    return edited(reading.source.text, [edit for found in reading.findings for edit in found.edits])


def entry(dn: str, *lines: str) -> str:
    return "\n".join((f"dn: {dn}{',' * bool(dn)}{TREE}", *lines, ""))


def archive(
    *, connection: tuple[str, ...] = (), ae: tuple[str, ...] = (), device: tuple[str, ...] = ()
) -> str:
    """An archive with one connection, ``dicom`` on 11112, and one AE that uses it."""
    return "\n".join(
        (
            entry("", "objectClass: dicomDevice", "objectClass: dcmArchiveDevice", *device),
            entry("cn=dicom", "objectClass: dicomNetworkConnection", "dicomPort: 11112", *connection),
            entry(
                "dicomAETitle=ARCHIVE",
                *("objectClass: dicomNetworkAE", "objectClass: dcmArchiveNetworkAE"),
                f"dicomNetworkConnectionReference: cn=dicom,{TREE}",
                *ae,
            ),
        )
    )


LISTED = ("dcmAcceptedCallingAETitle: CT_ONE", "dcmValidateCallingAEHostname: TRUE")
SECURE = (f"dicomTLSCipherSuite: {CURRENT}",)


@pytest.mark.parametrize("name", ["archive.ldif", "archive.json"])
def test_an_archive_says_the_same_in_both_forms(name: str) -> None:
    reading = shown(name)

    assert [(one.name, one.service, one.port, one.exposure, one.tls) for one in reading.listeners] == [
        ("dicom", Service.DICOM, 11112, Access.ANSWERS_QUERY, False),
        ("dicom-tls", Service.DICOM, 2762, Access.ANSWERS_QUERY, True),
        ("hl7", Service.HL7, 2575, Access.NOT_DICOM, False),
    ]
    assert rules(reading)[:13] == [
        *("001", "001", "002", "006", "007", "008", "008", "009", "010", "004"),
        "005",
        *("011",) * 2,
    ]
    assert reading.facts == shown("archive.ldif").facts


@pytest.mark.parametrize("name", ["archive.ldif", "archive.json"])
def test_retired_suites_and_versions_are_replaced_and_all_else_stays(name: str) -> None:
    before = shown(name)
    fixed = closed(before)
    after = read(fixed, name)

    assert not {"004", "005"} & set(rules(after))
    assert [one for one in rules(before) if one not in {"004", "005"}] == rules(after)
    assert after.listeners == before.listeners
    assert fixed.count(CURRENT) == 1
    assert "3DES" not in fixed
    gone = [line for line in before.source.text.splitlines() if line not in fixed.splitlines()]
    assert len(gone) == 3  # two suites and a version, or the line of the versions
    assert ("# since the audit" in fixed) == (name == "archive.ldif")


def test_a_json_export_stays_json() -> None:
    before, fixed = shown("archive.json"), closed(shown("archive.json"))
    value: Any = plain(parse_json(Source("x", fixed)))

    assert json.loads(fixed) == value
    assert value["dicomNetworkConnection"][1]["dcmNetworkConnection"]["dcmTLSProtocol"] == ["TLSv1.2"]
    assert json.loads(before.source.text)["dicomNetworkAE"] == value["dicomNetworkAE"]


def test_passwords_are_told_and_never_shown() -> None:
    reading = shown("archive.ldif")

    assert rules(reading)[-1] == "012"
    for found in reading.findings:
        assert "secret" not in repr(found)
        assert "c2VjcmV0" not in repr(found)


# ---- who is let in


def test_without_a_list_any_caller_is_let_in() -> None:
    reading = read(archive())

    assert rules(reading) == ["001", "003"]
    assert reading.listeners[0].exposure is Access.ANSWERS_QUERY
    assert (reading.findings[0].place.line, reading.findings[0].listener) == (9, "dicom")
    assert reading.facts["verdict"] == "dicom-open"


def test_with_a_list_and_addresses_a_title_is_wanted() -> None:
    reading = read(archive(ae=LISTED))

    assert rules(reading) == ["003"]
    assert reading.listeners[0].exposure is Access.WANTS_TITLE
    assert reading.facts["verdict"] == "dicom-limited"


@pytest.mark.parametrize(
    ("ae", "device", "told"),
    [
        (LISTED[:1], (), True),
        ((LISTED[0], "dcmValidateCallingAEHostname: FALSE"), ("dcmValidateCallingAEHostname: TRUE",), True),
        (LISTED[:1], ("dcmValidateCallingAEHostname: TRUE",), False),
        (LISTED, (), False),
    ],
)
def test_addresses_of_callers_are_compared_only_when_it_is_said(
    ae: tuple[str, ...], device: tuple[str, ...], *, told: bool
) -> None:
    assert ("007" in rules(read(archive(ae=ae, device=device)))) == told


def test_a_certificate_is_demanded_unless_it_is_said_not_to_be() -> None:
    closed_to_strangers = read(archive(connection=SECURE))
    opened = read(archive(connection=(*SECURE, "dcmTLSNeedClientAuth: FALSE")))

    assert rules(closed_to_strangers) == []
    assert closed_to_strangers.listeners[0].exposure is Access.DEMANDS_CERTIFICATE
    assert rules(opened) == ["001", "006"]
    assert opened.listeners[0].exposure is Access.ANSWERS_QUERY


@pytest.mark.parametrize(
    "change",
    [
        {"ae": ("dicomInstalled: FALSE",)},
        {"ae": ("dicomAssociationAcceptor: FALSE",)},
    ],
)
def test_an_ae_that_takes_no_associations_lets_nobody_in(change: Mapping[str, tuple[str, ...]]) -> None:
    assert read(archive(**change)).listeners[0].exposure is Access.WANTS_TITLE


@pytest.mark.parametrize(
    "change", [{"connection": ("dicomInstalled: FALSE",)}, {"device": ("dicomInstalled: FALSE",)}]
)
def test_what_is_not_installed_does_not_listen(change: Mapping[str, tuple[str, ...]]) -> None:
    reading = read(archive(**change))

    assert reading.listeners == ()
    assert rules(reading) == []


def test_identity_that_is_optional_is_told_and_required_is_not() -> None:
    assert "009" in rules(read(archive(ae=("dcmUserIdentityNegotiation: SUPPORTS",))))
    assert "009" not in rules(read(archive(ae=("dcmUserIdentityNegotiation: REQUIRED",))))


@pytest.mark.parametrize(
    ("ae", "device", "count"),
    [
        (("dcmAccessControlID: A",), (), 1),
        (("dcmAccessControlID: A", "dcmStoreAccessControlID: A"), (), 0),
        (("dcmAccessControlID: A",), ("dcmStoreAccessControlID: A",), 0),
        ((), (), 0),
    ],
)
def test_access_control_ids_that_nothing_gives_fail_open(
    ae: tuple[str, ...], device: tuple[str, ...], count: int
) -> None:
    assert rules(read(archive(ae=ae, device=device))).count("008") == count


def test_a_rule_below_the_device_gives_studies_their_id_too() -> None:
    rule = entry("cn=rule", "objectClass: dcmStoreAccessControlIDRule", "dcmStoreAccessControlID: A")

    assert "008" not in rules(read(f"{archive(ae=('dcmAccessControlID: A',))}\n{rule}"))


def test_other_devices_open_nothing_and_their_suites_count() -> None:
    text = archive(ae=LISTED, connection=SECURE).replace("dcmArchive", "other")
    weak = text.replace(CURRENT, "TLS_RSA_WITH_AES_128_CBC_SHA")

    assert (read(text).listeners, rules(read(text))) == ((), [])
    assert rules(read(weak)) == ["004"]


# ---- TLS and secrets


@pytest.mark.parametrize(
    ("suite", "retired"),
    [
        ("SSL_RSA_WITH_3DES_EDE_CBC_SHA", True),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", True),
        ("TLS_RSA_WITH_AES_256_GCM_SHA384", True),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", True),
        ("TLS_DH_anon_WITH_AES_128_CBC_SHA256", True),
        ("TLS_RSA_WITH_NULL_SHA256", True),
        (CURRENT, False),
        ("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", False),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", False),
        ("TLS_AES_128_GCM_SHA256", False),
        ("TLS_CHACHA20_POLY1305_SHA256", False),
    ],
)
def test_suites_without_forward_secrecy_or_with_old_ciphers_are_retired(suite: str, *, retired: bool) -> None:
    reading = read(archive(connection=(f"dicomTLSCipherSuite: {suite}", f"dicomTLSCipherSuite: {CURRENT}")))

    assert ("004" in rules(reading)) == retired
    if retired:
        assert closed(reading) == reading.source.text.replace(f"dicomTLSCipherSuite: {suite}\n", "")


def test_a_connection_never_loses_its_last_suite_which_would_make_it_plain() -> None:
    folded = archive(connection=("dicomTLSCipherSuite: TLS_RSA_WITH_AES_\n 128_CBC_SHA",))
    after = read(closed(read(folded)))

    assert after.listeners[0].tls
    assert "004" not in rules(after)


def test_versions_that_are_all_retired_are_replaced() -> None:
    fixed = closed(read(archive(connection=(*SECURE, "dcmTLSProtocol: SSLv3", "dcmTLSProtocol: TLSv1.1"))))

    assert "dcmTLSProtocol: TLSv1.2\ndcmTLSProtocol: TLSv1.3\n" in fixed


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("userPassword: secret", "012"),
        ("userPassword:: c2VjcmV0", "012"),
        ("userPassword: {CLEARTEXT}secret", "012"),
        ("userPassword: {SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ5en6G", None),
        ("userPassword: k3!vWq-09pLmX_zz", "013"),
        ("userPassword: ${LDAP_ROOTPASS}", None),
    ],
)
def test_passwords_of_the_directory_are_judged(line: str, rule: str | None) -> None:
    reading = read(f"dn: cn=admin,dc=dcm4che,dc=org\n{line}\n")

    assert rules(reading) == ([rule] if rule else [])


@pytest.mark.parametrize(("pin", "told"), [("secret", True), ("changeit", True), ("k3!vWq-09pLmX_zz", False)])
def test_key_stores_with_known_passwords_are_told(pin: str, *, told: bool) -> None:
    assert ("011" in rules(read(archive(ae=LISTED, device=(f"dcmKeyStorePin: {pin}",))))) == told


# ---- files


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("dn: dicomDeviceName=x\n", "dcm4chee-ldif"),
        ("# x\n\nversion: 1\n\n# y\n folded\n\nDN:: ZGljb20=\nx: dicomDeviceName\n", "dcm4chee-ldif"),
        ("How to:\n\ndn: dicomDeviceName=x\n", None),
        ("dn: cn=x,dc=org\ncn: x\n", None),
        ('{"dicomDeviceName": "x", "dicomNetworkAE": []}', "dcm4chee-json"),
        ('[{"dicomDeviceName": "x", "dcmDevice": {}}]', "dcm4chee-json"),
        ('{"dicomDeviceName": "x"}', None),
        ('{"Name": "Orthanc", "DicomAet": "X"}', None),
        ("dicomDeviceName: x\n", None),
    ],
)
def test_files_are_told_by_what_they_hold(text: str, kind: str | None) -> None:
    source = Source("file", text)

    assert next((reader.kind for reader in READERS if reader.recognises(source)), None) == kind


@pytest.mark.parametrize(
    "text",
    [
        '{"dicomDeviceName": "x", "dcmDevice": }',
        '{"dicomDeviceName": "x", "dcmDevice": ' + "[" * 5000,
        "dn: dicomDeviceName=x\nwhat\n",
    ],
)
def test_a_broken_file_is_one_error(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)


@pytest.mark.parametrize(
    "value", ["1", '"x"', "[1, null, {}]", "null", "[[]]", "{}", '{"dcmDevice": {"dcmDevice": {}}}', "true"]
)
@pytest.mark.parametrize(
    "name", ["dicomNetworkConnection", "dicomNetworkAE", "dcmDevice", "dicomInstalled", "dicomTLSCipherSuite"]
)
def test_values_of_another_kind_than_expected_are_no_trouble(name: str, value: str) -> None:
    inner = f'"dicomNetworkConnection": [{{"{name}": {value}}}], "dicomNetworkAE": [{{"{name}": {value}}}]'

    assert read(f'{{"dicomDeviceName": "x", {inner}}}').kind == "dcm4chee-json"
    assert read(f'{{"dicomDeviceName": "x", "dcmDevice": {{}}, "{name}": {value}}}').kind == "dcm4chee-json"
