"""Attacks on the way in: whoever is not who they say to be is turned away, told so little, and written down.

In each of them the archive hears nothing at all.
"""

from __future__ import annotations

import contextlib
import ssl
import time
import warnings
from pathlib import Path

import pytest
from tests.interop.attacks.conftest import Attacked, Watch, rejection
from tests.peers import forged
from tests.peers.caller import Caller, contexts, request
from tests.peers.forged import FORGED
from tests.peers.guarded import entry
from tests.peers.guarded_clinic import TITLE, eventually

from leadglass.wire import association as ul
from leadglass.wire import pdu, uids
from leadglass.wire.pdu import UserIdentityRQ

ECHO = contexts(uids.VERIFICATION)

NO_CALLING, NO_CALLED, NO_REASON = (1, 1, 3), (1, 1, 7), (1, 2, 1)


def titled(calling: bytes, called: bytes = TITLE.encode()) -> bytes:
    """An A-ASSOCIATE-RQ with titles as they stand, which no encoder of ours would write."""
    encoded = bytearray(pdu.encode(request("X", "X", ECHO)))
    encoded[10:26] = called.ljust(16)
    encoded[26:42] = calling.ljust(16)
    return bytes(encoded)


def answered(attacked: Attacked, who: str | None, sent: bytes) -> Caller:
    """What comes back for these bytes."""
    with attacked.caller(who) as caller:
        caller.association.associate(request("X", "X", ECHO), time.monotonic())
        caller.association.connection_opened(time.monotonic())
        caller.association.data_to_send()
        caller.raw(sent)
        while caller.accepted is None and caller.ended is None:
            caller._read()
        return caller


TITLES = [
    pytest.param(None, b"WORK", TITLE.encode(), NO_CALLING, "title-unknown", id="stolen title, no TLS"),
    pytest.param(None, b"NOBODY", TITLE.encode(), NO_CALLING, "title-unknown", id="invented title, no TLS"),
    pytest.param(
        None,
        b"OLDFAR",
        TITLE.encode(),
        NO_CALLING,
        "network-of-another",
        id="stolen plain title, other network",
    ),
    pytest.param(
        "lab", b"WORK", TITLE.encode(), NO_CALLING, "title-of-another", id="title of another certificate"
    ),
    pytest.param(
        "lab", b"OLDWORK", TITLE.encode(), NO_CALLING, "title-of-another", id="plain title over TLS"
    ),
    pytest.param("work", b"work", TITLE.encode(), NO_CALLING, "title-of-another", id="lower case"),
    pytest.param("work", b"Work", TITLE.encode(), NO_CALLING, "title-of-another", id="mixed case"),
    pytest.param("work", b"WO RK", TITLE.encode(), NO_CALLING, "title-of-another", id="inner space"),
    pytest.param("lab", b"LAB\0WORK", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="inner NUL"),
    pytest.param(
        "lab", b"WORK\0LAB", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="NUL, then the own"
    ),
    pytest.param(
        "lab", b"WORK\x1b[2K", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="terminal control"
    ),
    pytest.param(
        "lab", b"LAB\r\nWORK", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="line break"
    ),
    pytest.param("lab", b"LAB\\WORK", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="two values"),
    pytest.param(
        "lab",
        "W\u041eRK".encode(),
        TITLE.encode(),
        NO_CALLING,
        "calling-title-malformed",
        id="Cyrillic letter",
    ),
    pytest.param("lab", b"W\xd6RK", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="umlaut"),
    pytest.param(
        "lab", b"WORK\xa0", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="no-break space"
    ),
    pytest.param("work", b"", TITLE.encode(), NO_CALLING, "calling-title-malformed", id="blank title"),
    pytest.param("work", b"WORK", b"OTHER", NO_CALLED, "called-title-unknown", id="unknown called title"),
    pytest.param(
        "work", b"WORK", b"archive", NO_CALLED, "called-title-unknown", id="called title in lower case"
    ),
    pytest.param(
        "work", b"WORK", b"ARCHIVE\0X", NO_CALLED, "called-title-malformed", id="NUL in the called title"
    ),
    pytest.param("work", b"WORK", b"WORK", NO_CALLED, "called-title-unknown", id="itself as the archive"),
    pytest.param(
        "far", b"FAR", TITLE.encode(), NO_REASON, "network-of-another", id="right certificate, other network"
    ),
    pytest.param(
        None, b"OLDLATE", TITLE.encode(), NO_REASON, "enrolment-ended", id="enrolment that has ended"
    ),
]


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize(("who", "calling", "called", "answer", "rule"), TITLES)
def test_title(
    attacked: Attacked,
    watch: Watch,
    who: str | None,
    calling: bytes,
    called: bytes,
    answer: tuple[int, int, int],
    rule: str,
) -> None:
    caller = answered(attacked, who, titled(calling, called))
    assert rejection(caller) == answer
    assert watch.tells(rule)
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize(
    "calling", [b"WORK", b"  WORK", b"WORK\0\0"], ids=["as enrolled", "spaces", "NUL padding"]
)
def test_padding_of_the_own_title_is_no_attack(attacked: Attacked, calling: bytes) -> None:
    assert answered(attacked, "work", titled(calling)).accepted is not None


# ---- certificates


def alert_of(attacked: Attacked, context: ssl.SSLContext) -> str:
    """How TLS refuses a connection: OpenSSL's name of the alert."""
    raw = attacked.raw()
    try:
        with context.wrap_socket(raw, server_hostname=attacked.guard.host) as wrapped:
            wrapped.sendall(titled(b"WORK"))
            # TLS 1.3 lets a client finish before its certificate is looked at (RFC 8446 2).
            return f"no alert, but {wrapped.recv(1)!r}"
    except ssl.SSLError as refused:
        return str(refused.reason)
    finally:
        raw.close()


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_certificate_gets_an_alert(
    attacked: Attacked, watch: Watch, tmp_path: Path, name: str
) -> None:
    context = forged.context(attacked.guard, tmp_path, *FORGED[name](attacked.guard))
    expected = "CERTIFICATE_EXPIRED" if name == "whose time is over" else "UNKNOWN_CA"
    assert expected in alert_of(attacked, context)
    assert watch.tells("TLS: certificate verify failed")
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
def test_a_stolen_title_without_a_certificate_gets_an_alert(attacked: Attacked, watch: Watch) -> None:
    assert "CERTIFICATE_REQUIRED" in alert_of(attacked, attacked.guard.context(None))
    assert watch.tells("TLS: peer did not return a certificate")
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
def test_the_certificate_of_an_enrolment_ends_with_it(attacked: Attacked, watch: Watch) -> None:
    assert "CERTIFICATE_EXPIRED" in alert_of(attacked, attacked.guard.context("late"))
    assert watch.tells("certificate has expired")


@pytest.mark.peer("orthanc")
def test_a_genuine_certificate_that_is_on_no_roll_is_rejected(
    attacked: Attacked, watch: Watch, tmp_path: Path
) -> None:
    context = forged.context(attacked.guard, tmp_path, *forged.never_enrolled(attacked.guard))
    with contextlib.closing(
        Caller(context.wrap_socket(attacked.raw(), server_hostname="127.0.0.1"))
    ) as caller:
        assert caller.associate(request("WORK", TITLE, ECHO)) is None
        assert rejection(caller) == NO_REASON
    assert watch.tells("certificate-unknown")
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
def test_an_old_version_of_tls_gets_an_alert(attacked: Attacked, watch: Watch) -> None:
    context = attacked.guard.context("work")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    assert "PROTOCOL_VERSION" in alert_of(attacked, context)
    assert watch.tells("TLS: unsupported protocol")


@pytest.mark.peer("orthanc")
def test_a_revoked_certificate_ends_what_runs_within_two_seconds_and_begins_nothing(
    attacked: Attacked, watch: Watch
) -> None:
    guard = attacked.guard
    guard.enrol(entry("gone", "GONE", "service-engineer"))
    context = guard.context("gone")
    rq = request("GONE", TITLE, ECHO)

    def enters() -> bool:
        with attacked.shown(context) as caller:
            return caller.associate(rq) is not None

    assert eventually(enters)
    with attacked.shown(context) as running:
        assert running.associate(rq) is not None
        guard.revoke("gone")
        began = time.monotonic()
        assert isinstance(running.until_end(), ul.Aborted)
        assert time.monotonic() - began < 3.0
    with attacked.shown(context) as later:
        assert later.associate(rq) is None
        assert rejection(later) == NO_REASON
    assert watch.tells("certificate-revoked")


# ---- persons


def identity(kind: int, first: bytes, second: bytes = b"") -> UserIdentityRQ:
    return UserIdentityRQ(kind, positive_response_requested=True, primary_field=first, secondary_field=second)


UNSIGNED = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEiLCJleHAiOjk5OTk5OTk5OTl9."

PERSONS = [
    pytest.param(
        "desk", identity(1, b"ada"), "identity-not-vouched", id="a name that may not be vouched for"
    ),
    pytest.param(
        "work", identity(1, b"ben"), "identity-not-vouched", id="a name from a device without users"
    ),
    pytest.param("desk", identity(1, b"ghost"), "identity-unknown", id="a name of nobody"),
    pytest.param("desk", identity(1, b"Ben"), "identity-not-vouched", id="a name in another case"),
    pytest.param("desk", identity(1, b"ben\0"), "identity-malformed", id="a name with a NUL"),
    pytest.param("desk", identity(1, b""), "identity-malformed", id="an empty name"),
    pytest.param("desk", identity(1, b"\xff\xfe"), "identity-malformed", id="a name that is no UTF-8"),
    pytest.param("desk", identity(1, b"ben", b"x"), "identity-malformed", id="a name with a second field"),
    pytest.param("desk", identity(2, b"ada", b"wrong"), "passcode-wrong", id="a wrong passcode"),
    pytest.param("desk", identity(2, b"nobody", b"ada's own"), "passcode-wrong", id="a passcode of nobody"),
    pytest.param("desk", identity(2, b"ada"), "identity-malformed", id="an empty passcode"),
    pytest.param("desk", identity(3, b"ticket"), "identity-type", id="Kerberos"),
    pytest.param("desk", identity(4, b"<Assertion/>"), "identity-type", id="SAML"),
    pytest.param("desk", identity(5, UNSIGNED), "token-no-provider", id="an unsigned token"),
    pytest.param("desk", identity(9, b"ada"), "identity-type", id="a type that is not defined"),
    pytest.param(
        "oldwork", identity(2, b"ada", b"ada's own"), "identity-needs-tls", id="a passcode in the clear"
    ),
    pytest.param("oldwork", identity(1, b"ben"), "identity-needs-tls", id="a name in the clear"),
]


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize(("who", "item", "rule"), PERSONS)
def test_person(attacked: Attacked, watch: Watch, who: str, item: UserIdentityRQ, rule: str) -> None:
    with attacked.caller(None if who == "oldwork" else who) as caller:
        assert caller.associate(request(who.upper(), TITLE, ECHO, identity=item)) is None
        assert rejection(caller) == NO_REASON
    assert watch.tells(rule)
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
def test_an_identity_that_is_given_twice_is_no_identity(attacked: Attacked, watch: Watch) -> None:
    plain = pdu.encode(request("DESK", TITLE, ECHO, identity=identity(1, b"ben")))
    start = plain.index(b"\x58\0")
    item = plain[start : start + 4 + int.from_bytes(plain[start + 2 : start + 4], "big")]
    twice = bytearray(plain + item.replace(b"ben", b"ada"))
    twice[2:6] = (len(twice) - 6).to_bytes(4, "big")
    information = twice.index(b"\x50\0", 74)
    size = int.from_bytes(twice[information + 2 : information + 4], "big") + len(item)
    twice[information + 2 : information + 4] = size.to_bytes(2, "big")
    caller = answered(attacked, "desk", bytes(twice))
    assert isinstance(caller.ended, ul.Aborted)
    assert watch.tells("58H")
    assert (watch.associated, watch.reached) == (0, [])


@pytest.mark.peer("orthanc")
def test_who_guesses_passcodes_is_locked_out_with_the_right_one_too(attacked: Attacked, watch: Watch) -> None:
    def enters(passcode: bytes, source: str) -> bool:
        item = identity(2, b"ada", passcode)
        with contextlib.closing(Caller(attacked.connection("desk", source))) as caller:
            return caller.associate(request("DESK", TITLE, ECHO, identity=item)) is not None

    assert not any(enters(b"guess %d" % n, "127.0.0.77") for n in range(5))
    assert not enters(b"ada's own", "127.0.0.77")
    assert watch.tells("passcode-locked-out")
    assert "ada's own" not in attacked.guard.log.read_text()
    spools = (attacked.guard.home / "audit").glob("spool-*.jsonl")
    assert not any(b"ada's own" in file.read_bytes() or b"guess 3" in file.read_bytes() for file in spools)


# ---- other protocols


@pytest.mark.peer("orthanc")
@pytest.mark.parametrize("who", [None, "work"], ids=["plain", "TLS"])
def test_a_web_request_at_the_dicom_door_is_aborted_at_once(
    attacked: Attacked, watch: Watch, who: str | None
) -> None:
    with contextlib.closing(attacked.connection(who)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(100) == pdu.encode(pdu.AAbort(0, 0))  # AA-1, PS3.8 table 9-6
    assert watch.associated == 0


@pytest.mark.peer("orthanc")
def test_plain_dicom_at_the_tls_door_is_not_understood(attacked: Attacked, watch: Watch) -> None:
    with contextlib.closing(attacked.raw()) as sock:
        sock.sendall(titled(b"OLDWORK"))
        said = sock.recv(100)
    assert said[:1] in {b"", b"\x15"}  # a TLS alert (RFC 8446 5.1), or nothing
    assert watch.tells("TLS:")
    assert watch.associated == 0


@pytest.mark.peer("orthanc")
def test_a_version_of_the_protocol_that_there_is_not_is_rejected(attacked: Attacked, watch: Watch) -> None:
    encoded = bytearray(titled(b"WORK"))
    encoded[6:8] = b"\0\2"
    assert rejection(answered(attacked, "work", bytes(encoded))) == (1, 2, 2)
    assert watch.associated == 0
