"""One host: its worst endpoint."""

from __future__ import annotations

import pytest
from tests.unit.judge.test_tls import MEASURED
from tests.unit.judge.vectors import SERVERS, accepted, page, rejected, verdict, web

from leadglass.judge.judge import host
from leadglass.model.evidence import TcpEvidence, TcpOutcome
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access

MUTUAL_TLS = verdict(*MEASURED[0][3])
CLOSED = verdict(TcpEvidence(TcpOutcome.REFUSED))


def test_mutual_tls_beside_a_plain_port_protects_nothing() -> None:
    both = host({2762: MUTUAL_TLS, 11112: verdict(*SERVERS["orthanc-find-allowed"])})

    assert (both.port, both.verdict.access) == (11112, Access.ANSWERS_QUERY)
    assert "2762 (demands-certificate)" in both.reasons[1].text
    assert both.reasons[1].rule == "host.beside-open"


def test_mutual_tls_alone_is_the_verdict() -> None:
    alone = host({2762: MUTUAL_TLS, 11112: CLOSED})

    assert (alone.port, alone.verdict.access) == (2762, Access.DEMANDS_CERTIFICATE)
    assert [reason.rule for reason in alone.reasons] == ["host.worst-endpoint"]


def test_a_title_and_a_login_do_not_help_beside_an_open_port_either() -> None:
    ports = {
        104: verdict(rejected(1, 1, 7)),
        8042: verdict(web(page("/", 401, "orthanc-realm", login="basic"))),
        4242: verdict(accepted(), rung=Rung.ASSOCIATE),
    }

    text = host(ports).reasons[1].text

    assert "104 (wants-title)" in text
    assert "8042 (demands-login)" in text


def test_the_web_interface_names_what_stands_behind_the_dicom_port() -> None:
    dicom = verdict(*SERVERS["orthanc"], rung=Rung.ASSOCIATE)
    realm = verdict(web(page("/", 401, "orthanc-realm", login="basic")))

    both = host({4242: dicom, 8042: realm})

    assert (dicom.software.product, both.verdict.software.product) == ("DCMTK-based", "Orthanc")
    assert both.port == 4242


def test_the_order_of_the_ports_does_not_matter() -> None:
    ports = {4242: verdict(*SERVERS["orthanc"]), 104: verdict(*SERVERS["storescp"]), 22: CLOSED}

    assert host(ports) == host(dict(reversed(ports.items())))


def test_a_host_without_endpoints_has_no_verdict() -> None:
    with pytest.raises(ValueError, match="empty"):
        host({})
