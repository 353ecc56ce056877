"""What a new guard's files, its clients and its firewall are told."""

from __future__ import annotations

import json
import re
import shlex

import pytest

from leadglass.access import policy
from leadglass.access.statements import statements
from leadglass.errors import ConfigError
from leadglass.guard.enrol.firewall import archive_ports, nftables
from leadglass.guard.enrol.ready import Handout, handout_text
from leadglass.guard.enrol.template import POLICY, Draft, guard_text
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled
from leadglass.settings.guard import Address, ArchiveSettings, GuardSettings
from leadglass.settings.guard_file import GuardFile, read_guard

DRAFT = Draft(
    name="Example Radiology guard",
    archive=Address("127.0.0.1", 4242),
    title="ORTHANC",
    hosts=("guard.example.org", "192.0.2.1"),
)
FULL = Draft(
    name="Example Radiology guard",
    archive=Address("192.0.2.7", 104),
    title="ARCHIVE",
    hosts=("guard.example.org",),
    web="http://192.0.2.7:8042/dicom-web",
    sends_from=("192.0.2.7",),
    database="postgresql://guard@db.example.org/guard",
)


def made(draft: Draft) -> GuardSettings:
    return read_guard(guard_text(draft), filename="guard.toml", folder="guard")


# ---- guard.toml


def test_a_new_file_says_what_it_was_made_from() -> None:
    least, full = made(DRAFT), made(FULL)

    assert (least.name, least.archive.titles, least.archive.address) == (
        DRAFT.name,
        ("ORTHANC",),
        DRAFT.archive,
    )
    assert least.listen.names == DRAFT.hosts
    assert (least.archive.web, least.listen.web, least.listen.from_archive) == (None, None, None)
    assert full.archive.web == FULL.web
    assert full.listen.web == Address("0.0.0.0", 8443)
    assert full.archive.sends_from == ("192.0.2.7/32",)
    assert full.listen.from_archive == Address("0.0.0.0", 11113)
    assert full.database == FULL.database


def test_an_archive_on_the_same_machine_sends_over_loopback() -> None:
    draft = Draft("x", Address("::1", 104), "A", ("a",), sends_from=("::1",))

    assert made(draft).listen.from_archive == Address("127.0.0.1", 11113)


@pytest.mark.parametrize(
    "text", ['a "quoted" name', "back\\slash", "ümläut", "x # no comment", "'''", "{name}", "%s"]
)
def test_any_text_survives_being_written_and_read(text: str) -> None:
    draft = Draft(
        text, DRAFT.archive, "A" if "\\" in text else text[:16].encode().decode("ascii", "ignore"), ("a",)
    )

    assert made(draft).name == text
    assert made(draft).archive.titles == (draft.title.strip(),)


def test_the_examples_in_comments_are_valid_when_they_are_taken_in() -> None:
    taken_in = re.sub(r"(?m)^# (?=(\w+ = |\[))", "", guard_text(DRAFT))
    taken_in = taken_in.replace("tls = true\n", "").replace("tls = true  #", "#")
    settings = read_guard(taken_in, filename="guard.toml", folder="guard")

    assert settings.identity is not None
    assert settings.budgets is not None
    assert settings.audit.syslog == Address("collector.example.org", 6514)
    assert settings.listen.plain == Address("0.0.0.0", 11112)
    assert settings.archive.query is False


def test_every_table_is_there_to_be_found() -> None:
    tables = {name for name in GuardFile.model_fields if name != "name"}

    assert set(re.findall(r"(?m)^(?:# )?\[(\w+)\]", guard_text(DRAFT))) == tables


def test_the_new_policy_says_nothing_until_its_example_is_taken_in() -> None:
    assert list(statements("site.cedar", POLICY)) == []

    example = re.sub(r"(?m)^// (?=@id|forbid|  |\)|when|unless)", "", POLICY)
    assert policy.load({"site.cedar": example}, 1).version == 1


# ---- the firewall


def archive(address: Address, web: str | None = None) -> ArchiveSettings:
    return made(Draft("x", address, "A", ("a",), web=web)).archive


@pytest.mark.parametrize(
    ("web", "ports"),
    [
        (None, (4242,)),
        ("http://127.0.0.1:8042/dicom-web", (4242, 8042)),
        ("http://127.0.0.1/dicom-web", (80, 4242)),
        ("https://127.0.0.1/dicom-web", (443, 4242)),
        ("http://[::1]:4242/dicom-web", (4242,)),
    ],
)
def test_the_ports_are_those_of_dicom_and_of_the_web(web: str | None, ports: tuple[int, ...]) -> None:
    assert archive_ports(archive(Address("127.0.0.1", 4242), web)) == ports


def test_an_archive_on_the_guards_machine_answers_that_machine_only() -> None:
    rules = nftables(archive(Address("127.0.0.1", 4242)), [])

    assert rules.count("accept\n") == 1
    assert 'iif "lo" accept' in rules
    assert "tcp dport { 4242 } counter reject with tcp reset" in rules


def test_an_archive_elsewhere_answers_the_guards_only() -> None:
    rules = nftables(archive(Address("192.0.2.7", 104)), ["192.0.2.1", "192.0.2.2", "2001:db8::1"])

    assert "elements = { 192.0.2.1, 192.0.2.2 }" in rules
    assert "elements = { 2001:db8::1 }" in rules
    assert rules.count("ip saddr @p1_v4 counter accept") == 1
    assert rules.count("ip6 saddr @p1_v6 counter accept") == 1


def test_without_the_guards_address_there_are_no_rules_for_an_archive_elsewhere() -> None:
    with pytest.raises(ConfigError, match="say so with --guard ADDRESS"):
        nftables(archive(Address("pacs.example.org", 104)), [])


# ---- ready configuration

CT = Enrolled("ct-1", Kind.DEVICE, ("CT 1",), ("192.0.2.5/32",))


def handout(entry: Enrolled = CT, *, web: str | None = None, rsa: bool = False) -> Handout:
    here = Address("guard.example.org", 11113)
    return Handout(entry, "ORTHANC", Address("guard.example.org", 2762), web, rsa, here)


def typed(text: str, program: str) -> list[str]:
    """The words of the line that calls ``program``."""
    (line,) = [line for line in text.splitlines() if line.startswith(f"{program} ")]
    return shlex.split(line)


def test_dcmtk_gets_both_titles_the_papers_and_the_place() -> None:
    assert typed(handout_text(handout()), "echoscu") == [
        *["echoscu", "+tls", "ct-1.key", "ct-1.pem", "+cf", "ca.pem"],
        *["-aet", "CT 1", "-aec", "ORTHANC", "guard.example.org", "2762"],
    ]


@pytest.mark.parametrize(
    ("rsa", "suite"),
    [(False, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), (True, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256")],
)
def test_dcm4che_gets_a_suite_that_fits_the_guards_key(rsa: bool, suite: str) -> None:
    text = handout_text(handout(rsa=rsa))
    words = next(shlex.split(line) for line in text.splitlines() if line.startswith("storescu -b"))

    assert words[words.index("--tls-cipher") + 1] == suite
    assert words[words.index("-c") + 1] == "ORTHANC@guard.example.org:2762"
    assert words[words.index("-b") + 1] == "CT 1"


def test_orthanc_gets_an_object_for_its_configuration() -> None:
    text = handout_text(handout())
    options = json.loads(text[text.index("{\n") : text.index("\n}\n") + 2])

    assert options["DicomModalities"]["guard"] == {
        "AET": "ORTHANC",
        "Host": "guard.example.org",
        "Port": 2762,
        "UseDicomTls": True,
        "LocalAet": "CT 1",
    }
    assert options["DicomTlsEnabled"] is False


def test_what_listens_is_told_how_and_the_archive_where_it_is() -> None:
    listening = Enrolled("ws-3", Kind.SERVICE, ("WS3",), ("192.0.2.5/32",), address="ws3.example.org:2763")
    text = handout_text(handout(listening))

    assert typed(text, "storescp")[-4:] == ["-rc", "-aet", "WS3", "2763"]
    assert '{"DicomModalities": {"WS3": ["WS3", "guard.example.org", 11113]}}' in text
    assert "WS3 = (WS3, guard.example.org, 11113)" in text
    assert '"DicomTlsEnabled": true' in text
    assert "leadglass guard edge" not in text


def test_what_knows_no_tls_gets_an_edge_or_the_plain_door() -> None:
    assert typed(handout_text(handout()), "leadglass")[:5] == [
        *["leadglass", "guard", "edge", "--guard", "guard.example.org:2762"]
    ]

    plain = Enrolled("us-1", Kind.DEVICE, ("US1",), ("192.0.2.5/32",), plain=True)
    text = handout_text(handout(plain))
    assert typed(text, "echoscu") == [
        "echoscu",
        "-aet",
        "US1",
        "-aec",
        "ORTHANC",
        "guard.example.org",
        "2762",
    ]
    assert "+tls" not in text
    assert "us-1.key" not in text


def test_a_closed_plain_door_is_told() -> None:
    plain = Enrolled("us-1", Kind.DEVICE, ("US1",), ("192.0.2.5/32",), plain=True)
    closed = Handout(plain, "ORTHANC", None, None, rsa=False, from_archive=None)

    assert "opens no [listen] plain" in handout_text(closed)


def test_a_person_without_a_title_gets_the_web_only() -> None:
    person = Enrolled("ada", Kind.PERSON, (), ("192.0.2.0/28",))
    text = handout_text(handout(person, web="https://guard.example.org:8443/dicom-web"))

    assert typed(text, "curl") == [
        *["curl", "--cert", "ada.pem", "--key", "ada.key", "--cacert", "ca.pem"],
        "https://guard.example.org:8443/dicom-web/studies?limit=1",
    ]
    assert "echoscu" not in text
