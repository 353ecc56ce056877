"""TLS of real servers, asked without a client certificate: what each shows, and how each refuses.

Two CAs are trusted by every server. The rows are measured behaviour; a new version of a server
that behaves otherwise must fail here.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from tests.interop.tls_servers import (
    PORT,
    V12,
    Get,
    Start,
    World,
    ancient,
    associate,
    drive,
    handshake,
    haproxy,
    hello,
    python,
    s_server,
    storescp,
    stream,
    stunnel,
)
from tests.peers import dcmtk, netns, nginx, orthanc, strangers
from tests.peers.certificates import Certificates, certificates

from leadglass.model.evidence import Reply, TlsEvidence, TlsHelloEvidence, TlsOutcome
from leadglass.probe.tls import HelloConversation, SecureConversation
from leadglass.wire.tls.suites import SUITES, Standing, standing

pytestmark = pytest.mark.root

FIRST_CA = "OU=Imaging CA,O=Example Hospital"
SECOND_CA = "OU=Device CA,O=Second Vendor"
V13 = "TLSv1.3"
BOTH = pytest.mark.parametrize("version", [V12, V13])


@pytest.fixture(scope="module")
def both_authorities(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of one hospital, and a second CA that servers trust as well."""
    papers = certificates(tmp_path_factory.mktemp("tls"), netns.SERVER)
    second = trustme.CA(organization_name="Second Vendor", organization_unit_name="Device CA")
    both = papers.authority.with_name("both.pem")
    both.write_bytes(papers.authority.read_bytes() + second.cert_pem.bytes())
    return replace(papers, authority=both)


@pytest.fixture
def world(pair: netns.Pair, tmp_path: Path, both_authorities: Certificates) -> Iterator[World]:
    with dcmtk.storescp(pair.server, tmp_path / "behind") as behind:
        yield World(pair.server, pair.scanner, tmp_path, both_authorities, behind)


def both_named(names: tuple[str, ...]) -> bool:
    return set(names) == {FIRST_CA, SECOND_CA}


# ---- a certificate is required


@pytest.mark.parametrize(
    ("start", "names_cas"),
    [
        pytest.param(storescp(dcmtk.REQUIRED), False, id="storescp"),
        pytest.param(haproxy("required"), True, id="haproxy", marks=pytest.mark.peer("haproxy")),
        pytest.param(stunnel, True, id="stunnel", marks=pytest.mark.peer("stunnel4")),
    ],
)
@pytest.mark.peer("dcmtk")
@BOTH
def test_a_required_certificate_shows_as_an_alert(
    world: World, start: Start, names_cas: bool, version: str
) -> None:
    with start(world, version):
        seen, reply = associate(world)

    assert (seen.version, seen.certificate_requested, seen.application_data) == (version, True, False)
    assert both_named(seen.acceptable_cas) if names_cas else not seen.acceptable_cas
    assert seen.certificate is not None
    assert seen.certificate.subject.startswith("CN=archive.example")
    assert seen.ended == "alert"
    if version == V12:
        assert (seen.outcome, seen.alert, reply) == (TlsOutcome.ALERT, "handshake_failure(40)", None)
    else:
        assert (seen.outcome, seen.alert) == (TlsOutcome.ESTABLISHED, "certificate_required(116)")
        assert reply is None


@pytest.mark.peer("dcmtk", "nginx")
@BOTH
def test_nginx_stream_requires_without_an_alert(world: World, version: str) -> None:
    with stream("on")(world, version):
        seen, reply = associate(world)

    assert (seen.outcome, seen.version, seen.certificate_requested) == (TlsOutcome.ESTABLISHED, version, True)
    assert both_named(seen.acceptable_cas)
    assert (seen.alert, seen.application_data) == (None, False)
    assert seen.ended in ("close-notify", "reset") if version == V12 else seen.ended == "close-notify"
    assert reply in (Reply.CLOSED, Reply.RESET) if version == V12 else reply is None


@pytest.mark.peer("dcmtk")
@BOTH
def test_python_requires_without_a_word(world: World, version: str) -> None:
    with python(world, version):
        seen, reply = associate(world)

    expected = TlsOutcome.CLOSED if version == V12 else TlsOutcome.ESTABLISHED
    assert (seen.outcome, seen.version, seen.certificate_requested) == (expected, version, True)
    assert (seen.acceptable_cas, seen.alert, seen.ended) == ((), None, "eof")
    assert reply is None


@pytest.mark.peer("orthanc")
def test_orthanc_requires_with_an_alert(
    pair: netns.Pair, tmp_path: Path, both_authorities: Certificates
) -> None:
    settings = {**orthanc.mutual_tls(both_authorities), **orthanc.WITHOUT_PLUGINS}
    with orthanc.orthanc(pair.server, tmp_path / "o", settings, dicom=PORT) as peer:
        world = World(pair.server, pair.scanner, tmp_path, both_authorities, peer)
        seen, reply = associate(world)
        plain = hello(world, "tls12")

    assert (seen.outcome, seen.version, seen.certificate_requested) == (TlsOutcome.ESTABLISHED, V13, True)
    assert (seen.alert, seen.ended, reply) == ("certificate_required(116)", "alert", None)
    assert (plain.outcome, plain.version, plain.certificate_requested) == (TlsOutcome.SERVER_HELLO, V12, True)
    assert seen.acceptable_cas == plain.acceptable_cas == ()


# ---- a certificate is asked for, or not even that


@pytest.mark.parametrize(
    ("start", "requested", "names_cas"),
    [
        pytest.param(storescp(dcmtk.VERIFIED), True, False, id="storescp-vc"),
        pytest.param(storescp(dcmtk.IGNORED), False, False, id="storescp-ic"),
        pytest.param(stream("optional"), True, True, id="nginx-optional", marks=pytest.mark.peer("nginx")),
        pytest.param(stream("optional_no_ca"), True, True, id="nginx-no-ca", marks=pytest.mark.peer("nginx")),
        pytest.param(stream("off"), False, False, id="nginx-off", marks=pytest.mark.peer("nginx")),
        pytest.param(haproxy("optional"), True, True, id="haproxy", marks=pytest.mark.peer("haproxy")),
    ],
)
@pytest.mark.peer("dcmtk")
@BOTH
def test_a_stranger_without_a_certificate_associates(
    world: World, start: Start, requested: bool, names_cas: bool, version: str
) -> None:
    with start(world, version):
        seen, reply = associate(world)

    assert (seen.outcome, seen.version) == (TlsOutcome.ESTABLISHED, version)
    assert seen.certificate_requested is requested
    assert both_named(seen.acceptable_cas) if names_cas else not seen.acceptable_cas
    assert (seen.application_data, seen.alert) == (True, None)
    assert reply is Reply.ACCEPTED


@pytest.mark.parametrize(("verify", "status"), [("on", b"400"), ("optional", b"200"), ("off", b"200")])
@pytest.mark.peer("nginx", "dcmtk")
def test_a_web_server_that_requires_says_so_in_its_own_protocol(
    world: World, verify: str, status: bytes
) -> None:
    inner = Get()
    with nginx.web_tls(world.server, world.home / "w", world.papers, verify, port=PORT):
        seen = handshake(world, inner)

    assert (seen.outcome, seen.application_data) == (TlsOutcome.ESTABLISHED, True)
    assert seen.certificate_requested is (verify != "off")
    assert inner.status.split(b" ")[1] == status


# ---- hellos made by hand


@pytest.mark.parametrize(
    ("start", "requested", "names_cas"),
    [
        pytest.param(storescp(dcmtk.REQUIRED), True, False, id="storescp-rc"),
        pytest.param(storescp(dcmtk.IGNORED), False, False, id="storescp-ic"),
        pytest.param(stream("on"), True, True, id="nginx-on", marks=pytest.mark.peer("nginx")),
        pytest.param(haproxy("required"), True, True, id="haproxy", marks=pytest.mark.peer("haproxy")),
        pytest.param(stunnel, True, True, id="stunnel", marks=pytest.mark.peer("stunnel4")),
        pytest.param(python, True, False, id="python"),
    ],
)
@pytest.mark.peer("dcmtk")
def test_the_plain_flight_shows_what_is_asked_for(
    world: World, start: Start, requested: bool, names_cas: bool
) -> None:
    with start(world, V12):
        seen = hello(world, "tls12")
        retired = hello(world, "retired-suites")

    assert (seen.outcome, seen.version, seen.certificate_requested) == (
        TlsOutcome.SERVER_HELLO,
        V12,
        requested,
    )
    assert both_named(seen.acceptable_cas) if names_cas else not seen.acceptable_cas
    assert seen.certificate is not None
    assert seen.certificate.issuer == FIRST_CA
    silently = start is python  # asyncio hangs up without flushing its alert.
    refusal = (TlsOutcome.CLOSED, None) if silently else (TlsOutcome.ALERT, "handshake_failure(40)")
    assert (retired.outcome, retired.alert) == refusal


@pytest.mark.peer("dcmtk", "nginx")
def test_a_server_of_tls_13_alone_refuses_every_plain_hello(world: World) -> None:
    with stream("on")(world, V13):
        seen = [hello(world, offer) for offer in ("tls12", "retired-suites", "old-versions")]

    assert {(s.outcome, s.alert) for s in seen} == {(TlsOutcome.ALERT, "protocol_version(70)")}


@pytest.mark.parametrize(
    ("options", "offer", "version", "suite"),
    [
        (
            ["-tls1_2", "-cipher", "NULL-SHA256:@SECLEVEL=0"],
            "retired-suites",
            V12,
            "TLS_RSA_WITH_NULL_SHA256",
        ),
        (
            ["-tls1_2", "-cipher", "ADH-AES128-SHA:@SECLEVEL=0"],
            "retired-suites",
            V12,
            "TLS_DH_anon_WITH_AES_128_CBC_SHA",
        ),
        (
            ["-tls1_1", "-cipher", "AES128-SHA:@SECLEVEL=0"],
            "old-versions",
            "TLSv1.1",
            "TLS_RSA_WITH_AES_128_CBC_SHA",
        ),
        (["-tls1", "-cipher", "NULL-MD5:@SECLEVEL=0"], "old-versions", "TLSv1", "TLS_RSA_WITH_NULL_MD5"),
        (
            ["-tls1", "-cipher", "ECDHE-RSA-AES256-SHA:@SECLEVEL=0"],
            "old-versions",
            "TLSv1",
            "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        ),
    ],
)
@pytest.mark.peer("openssl", "dcmtk")
def test_openssl_of_an_earlier_age_is_seen(
    world: World, options: list[str], offer: str, version: str, suite: str
) -> None:
    with s_server(world, *options):
        plain = hello(world, offer)
        whole = handshake(world, None)

    assert (plain.outcome, plain.version, plain.cipher) == (TlsOutcome.SERVER_HELLO, version, suite)
    if "anon" not in suite:
        assert (whole.outcome, whole.version, whole.cipher) == (TlsOutcome.ESTABLISHED, version, suite)


@pytest.mark.peer("openssl", "dcmtk")
def test_openssl_of_today_takes_nothing_retired(world: World) -> None:
    with s_server(world):
        assert hello(world, "retired-suites").alert == "handshake_failure(40)"
        assert hello(world, "old-versions").outcome is TlsOutcome.ALERT
        assert handshake(world, None).version == V13


# ---- suites and versions that nothing here can serve any more


@pytest.mark.parametrize(
    ("version", "suite", "offer", "told"),
    [
        (0x0303, 0x000A, "retired-suites", (V12, "TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
        (0x0303, 0xC011, "retired-suites", (V12, "TLS_ECDHE_RSA_WITH_RC4_128_SHA")),
        (0x0301, 0x0008, "retired-suites", ("TLSv1", "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA")),
        (0x0301, 0x0005, "old-versions", ("TLSv1", "TLS_RSA_WITH_RC4_128_SHA")),
        (0x0300, 0x000A, "old-versions", ("SSLv3", "TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
        (0x0300, 0x0009, "retired-suites", ("SSLv3", "TLS_RSA_WITH_DES_CBC_SHA")),
    ],
)
@pytest.mark.peer("openssl")
def test_what_openssl_can_no_longer_choose_is_seen(
    pair: netns.Pair,
    tmp_path: Path,
    both_authorities: Certificates,
    version: int,
    suite: int,
    offer: str,
    told: tuple[str, str],
) -> None:
    with ancient(pair.server, version, suite, both_authorities) as server:
        probe = HelloConversation(offer, server_name=None, random=os.urandom(32), patience=5.0)
        drive(probe, pair.scanner, server.port)

    seen = probe.evidence
    assert (seen.outcome, (seen.version, seen.cipher)) == (TlsOutcome.SERVER_HELLO, told)
    assert standing(told[1])[0] is Standing.RETIRED
    assert seen.certificate is not None
    assert seen.certificate.key == "RSA 2048"
    # user_canceled, close_notify: it was left in peace.
    assert server.goodbyes[0][5:7] + server.goodbyes[0][-2:] == b"\x01\x5a\x01\x00"


@pytest.mark.peer("openssl")
def test_a_real_handshake_tells_what_it_could_not_go_on_with(
    pair: netns.Pair, tmp_path: Path, both_authorities: Certificates
) -> None:
    with ancient(pair.server, 0x0300, 0x002F, both_authorities) as server:
        probe = SecureConversation(None, server_name=None, patience=5.0)
        drive(probe, pair.scanner, server.port)

    assert (probe.evidence.outcome, probe.evidence.version) == (TlsOutcome.SERVER_HELLO, "SSLv3")


# ---- ports without TLS


@pytest.mark.peer("dcmtk")
def test_a_plain_dicom_port_resets(world: World) -> None:
    port = world.behind.port

    assert handshake(world, None, port) == TlsEvidence(TlsOutcome.RESET, ended="reset")
    assert hello(world, "tls12", port) == TlsHelloEvidence("tls12", TlsOutcome.RESET)


@pytest.mark.peer("dcmtk", "nginx")
def test_a_plain_web_port_is_no_tls(world: World) -> None:
    with nginx.web(world.server, world.home / "w", port=PORT):
        assert handshake(world, None) == TlsEvidence(TlsOutcome.NOT_TLS)
        assert hello(world, "tls12") == TlsHelloEvidence("tls12", TlsOutcome.NOT_TLS)


@pytest.mark.peer("dcmtk", "sshd")
def test_an_ssh_server_is_no_tls(world: World) -> None:
    with strangers.sshd(world.server, world.home / "ssh", port=PORT):
        assert handshake(world, None) == TlsEvidence(TlsOutcome.NOT_TLS)
        assert hello(world, "old-versions") == TlsHelloEvidence("old-versions", TlsOutcome.NOT_TLS)


# ---- the table of suites


@pytest.mark.peer("openssl")
def test_openssl_knows_our_suites_by_the_same_names() -> None:
    listed = subprocess.run(
        ["openssl", "ciphers", "-V", "-stdname", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    theirs = {}
    for line in listed.splitlines():
        number, _, name, *_ = line.split()
        theirs[int(number.replace("0x", "").replace(",", ""), 16)] = name
    without_shared_secrets = {
        n: name for n, name in theirs.items() if "PSK" not in name and "SRP" not in name
    }

    assert len(without_shared_secrets) > 80
    assert without_shared_secrets.items() <= SUITES.items()
