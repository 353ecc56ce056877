"""What to do and what would settle the rest: real options, no overclaiming, nothing that is no lock."""

from __future__ import annotations

import re

import pytest
from tests.unit.judge.test_access import VECTORS
from tests.unit.judge.test_tls import MEASURED
from tests.unit.judge.vectors import OPEN, SERVERS, accepted, page, rejected, verdict, web

from leadglass.judge import advice
from leadglass.judge.advice import LIMIT
from leadglass.model.evidence import Evidence, TcpEvidence, TcpOutcome
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Position

ORTHANC_OPTIONS = {
    "AuthenticationEnabled",
    "DicomAlwaysAllowEcho",
    "DicomAlwaysAllowFind",
    "DicomAlwaysAllowFindWorklist",
    "DicomAlwaysAllowGet",
    "DicomAlwaysAllowMove",
    "DicomAlwaysAllowStore",
    "DicomCheckCalledAet",
    "DicomCheckModalityHost",
    "DicomModalities",
    "DicomPort",
    "DicomServerEnabled",
    "DicomTlsEnabled",
    "DicomTlsRemoteCertificateRequired",
    "RegisteredUsers",
    "RemoteAccessAllowed",
    "SslEnabled",
}
"""Options that Orthanc has; its users have been seen to set others that it has not."""


def said(*evidence: Evidence, rung: Rung = Rung.BLANK_QUERY, position: Position = Position.OUTSIDE) -> str:
    """All advice for this evidence."""
    return "\n".join(verdict(*evidence, rung=rung, position=position).advice)


def test_advice_on_orthanc_names_only_options_that_orthanc_has() -> None:
    texts = [row.text for row in advice.sayings("advice") if "Orthanc" in row.product]
    named = {word for text in texts for word in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", text)}

    assert named <= ORTHANC_OPTIONS
    assert {"DicomAlwaysAllowStore", "AuthenticationEnabled", "RegisteredUsers", "DicomTlsEnabled"} <= named


def test_orthancs_dicom_port_is_said_to_listen_whatever_remote_access_says() -> None:
    assert "listens on all interfaces whatever RemoteAccessAllowed says" in said(*SERVERS["orthanc"])


def test_an_open_orthanc_web_interface_gets_a_login_first() -> None:
    first = verdict(web(page("/system", 200, "orthanc-system"))).advice[0]

    assert "AuthenticationEnabled" in first
    assert "RegisteredUsers" in first


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("orthanc-find-allowed", "DicomAlwaysAllowFind"),
        ("dcmqrscp-any", "AETable"),
        ("storescp", "--require-peer-cert"),
        ("pynetdicom-qrscp", "require_calling_aet"),
    ],
)
def test_a_known_product_gets_its_own_options(server: str, words: str) -> None:
    assert words in said(*SERVERS[server])


def test_a_toolkit_gets_advice_under_a_condition() -> None:
    assert "If this is Orthanc" in said(*SERVERS["orthanc"], rung=Rung.ASSOCIATE)


def test_an_exposed_server_of_an_unknown_product_gets_advice_too() -> None:
    unknown = accepted(implementation_class_uid="1.2.3.4", implementation_version_name="X")

    text = said(unknown)

    assert "firewall" in text
    assert "client certificates" in text


@pytest.mark.parametrize("vector", VECTORS, ids=[vector[0] for vector in VECTORS])
def test_an_exposure_gets_advice_and_nobody_gets_too_much(
    vector: tuple[str, Access, str, tuple[Evidence, ...]],
) -> None:
    seen = verdict(*vector[3], position=Position.OUTSIDE)

    assert len(seen.advice) <= LIMIT
    assert bool(seen.advice) or seen.access.rank >= Access.DEMANDS_CERTIFICATE.rank


def test_a_title_is_called_what_it_is() -> None:
    assert "not a proof of identity" in said(rejected(1, 1, 7))


def test_a_silent_port_gets_no_advice() -> None:
    assert verdict(TcpEvidence(TcpOutcome.REFUSED)).advice == ()


def test_a_likely_honeypot_is_said_before_an_owner_is_written_to() -> None:
    assert "honeypot" in said(*SERVERS["dicompot"])


# ---- what would settle what is open


def settles(*evidence: Evidence, rung: Rung = Rung.BLANK_QUERY, position: Position = Position.OUTSIDE) -> str:
    """All that would settle the rest."""
    return "\n".join(verdict(*evidence, rung=rung, position=position).settles)


@pytest.mark.parametrize(
    ("evidence", "rung", "words"),
    [
        ([OPEN], Rung.CONNECT, "rung associate"),
        ([accepted()], Rung.ASSOCIATE, "rung negotiate"),
        (SERVERS["orthanc"], Rung.NEGOTIATE, "A blank query"),
        ([rejected(1, 1, 7)], Rung.BLANK_QUERY, "called_ae"),
        ([rejected(2, 3, 1)], Rung.BLANK_QUERY, "less busy"),
        ([rejected(1, 1, 1)], Rung.BLANK_QUERY, "why it rejected"),
        (MEASURED[0][3], Rung.BLANK_QUERY, "client certificate that the server accepts"),
        ([TcpEvidence(TcpOutcome.UNANSWERED)], Rung.BLANK_QUERY, "another place"),
        (SERVERS["storescp"], Rung.BLANK_QUERY, "test image"),
        (SERVERS["orthanc"], Rung.BLANK_QUERY, "lets strangers retrieve"),
        ([web(page("/", 401, "orthanc-realm"))], Rung.ASSOCIATE, "blank DICOMweb query"),
        ([web(page())], Rung.ASSOCIATE, "shows itself only to a search"),
        ([web(page("/", 200, "ohif"))], Rung.BLANK_QUERY, "keeps its archive"),
    ],
)
def test_what_is_open_comes_with_what_would_settle_it(
    evidence: list[Evidence], rung: Rung, words: str
) -> None:
    assert words in settles(*evidence, rung=rung)


def test_what_was_reached_is_not_asked_for_again() -> None:
    assert "rung negotiate" not in settles(*SERVERS["orthanc"])
    assert "blank query" not in settles(*SERVERS["orthanc-find-allowed"])


@pytest.mark.parametrize("position", [Position.INSIDE, Position.UNKNOWN])
def test_from_inside_a_look_from_outside_is_asked_for_and_nothing_said_of_it(position: Position) -> None:
    seen = verdict(*SERVERS["orthanc"], position=position)

    assert any("from outside" in text for text in seen.settles)
    assert "from outside" not in settles(*SERVERS["orthanc"], position=Position.OUTSIDE)


@pytest.mark.parametrize("position", Position)
@pytest.mark.parametrize("server", SERVERS)
def test_no_text_says_that_a_server_is_safe_or_not_on_the_internet(server: str, position: Position) -> None:
    seen = verdict(*SERVERS[server], position=position)
    texts = "\n".join((*seen.advice, *seen.settles, *(reason.text for reason in seen.reasons))).lower()

    assert not re.search(r"\b(internet|is safe|secure server|protected against)\b", texts)


def test_a_processed_query_is_not_called_a_leak_of_records() -> None:
    seen = verdict(*SERVERS["pynetdicom-qrscp"])
    text = next(reason.text for reason in seen.reasons if reason.rule == "query.processed")

    assert "whether records lie behind it is not proved" in text
