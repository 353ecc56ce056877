from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.unit.wire.tls.captured import FLIGHTS, captured, events, record

from leadglass.wire.tls.flight import MAX_MESSAGE, Event
from leadglass.wire.tls.messages import (
    Alert,
    CertificateRequest,
    Certificates,
    ServerHello,
    ServerHelloDone,
    Skipped,
)
from leadglass.wire.tls.records import NotTls

RANDOM = "22" * 32
HELLO = f"02 000026 0303 {RANDOM} 00 c02f 00"
DONE = "0e 000000"

# What each captured server said: the events, a ServerHello shortened to its version and suite.
HEARD: dict[str, Sequence[object]] = {
    "nginx-on": [(0x0303, 0xC02B), "certificate", "key", 2, "done"],
    "nginx-optional": [(0x0303, 0xC02B), "certificate", "key", 2, "done"],
    "nginx-plain-http": [NotTls(b"H")],
    "openssl-anon": [(0x0303, 0xC015), "key", "done"],
    "openssl-dhe": [(0x0303, 0x009F), "certificate", "key", "done"],
    "openssl-no-old-version": [Alert(2, 70)],
    "openssl-no-retired-suite": [Alert(2, 40)],
    "openssl-null": [(0x0303, 0x0001), "certificate", "done"],
    "openssl-rsa-cbc": [(0x0303, 0x002F), "certificate", "done"],
    "openssl-tls10": [(0x0301, 0xC013), "certificate", "key", "done"],
    "openssl-tls11": [(0x0302, 0xC009), "certificate", "key", "done"],
    "openssl-tls11-request": [(0x0302, 0xC009), "certificate", "key", 2, "done"],
    "openssl-tls12": [(0x0303, 0xC02B), "certificate", "key", "done"],
    "openssl-tls13-only": [Alert(2, 70)],
    "storescp-rc": [(0x0303, 0x009F), "certificate", "key", 0, "done"],
}


def brief(event: Event) -> object:
    match event:
        case ServerHello():
            return event.version, event.suite
        case Certificates(ders=ders):
            assert all(der[:2] == b"\x30\x82" and len(der) == 4 + int.from_bytes(der[2:4]) for der in ders)
            return "certificate"
        case Skipped(kind=12):
            return "key"
        case CertificateRequest():
            return len(event.authorities)
        case ServerHelloDone():
            return "done"
        case _:
            return event


def bytewise(data: bytes) -> list[bytes]:
    return [bytes((byte,)) for byte in data]


def test_every_captured_flight_is_expected() -> None:
    assert sorted(HEARD) == FLIGHTS


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_captured_flight_is_understood(name: str) -> None:
    heard, broken, finished = events([captured(name)])

    assert [brief(event) for event in heard] == HEARD[name]
    assert broken is None
    assert finished


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_captured_flight_is_the_same_byte_by_byte(name: str) -> None:
    assert events(bytewise(captured(name))) == events([captured(name)])


@pytest.mark.parametrize("name", FLIGHTS)
def test_what_follows_a_flight_is_ignored(name: str) -> None:
    trailing = captured(name) + b"\x00\xff and whatever else"

    assert events([trailing]) == events(bytewise(trailing)) == events([captured(name)])


@pytest.mark.parametrize("name", FLIGHTS)
def test_a_flight_truncated_at_any_length_is_a_beginning_of_it(name: str) -> None:
    data = captured(name)
    whole, _, _ = events([data])

    for size in range(len(data)):
        heard, broken, finished = events([data[:size]])
        assert broken is None
        assert heard == whole[: len(heard)]
        assert not finished or len(heard) == len(whole)


def test_messages_may_share_records_and_be_split_over_them() -> None:
    stream = bytes.fromhex(HELLO + DONE)
    together = events([record(stream)])
    split = events([b"".join(record(stream[at : at + 3]) for at in range(0, len(stream), 3))])

    assert together == split == ([ServerHello(0x0303, 0xC02F), ServerHelloDone()], None, True)


def test_a_warning_and_a_hello_request_do_not_end_the_flight() -> None:
    warning = record("01 70", kind=21)  # unrecognized_name, as a warning: RFC 6066 3

    heard, broken, finished = events([warning + record("00 000000" + HELLO + DONE)])

    assert [brief(event) for event in heard] == [Alert(1, 112), Skipped(0, 0), (0x0303, 0xC02F), "done"]
    assert (broken, finished) == (None, True)


def test_an_alert_in_the_middle_ends_the_flight() -> None:
    heard, broken, finished = events([record(HELLO) + record("02 50", kind=21) + record(DONE)])

    assert heard[1:] == [Alert(2, 80)]
    assert (broken, finished) == (None, True)


def test_close_notify_ends_the_flight() -> None:
    assert events([record("01 00", kind=21)]) == ([Alert(1, 0)], None, True)


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("no ServerHello first", record(DONE)),
        ("ServerHello twice", record(HELLO + HELLO)),
        (
            "Certificate after CertificateRequest",
            record(HELLO + "0d 000007 00 0000 0002 0000" + "0b 000003 000000"),
        ),
        ("ClientHello", record("01 000000")),
        ("an unknown message", record(HELLO + "63 000000")),
        ("Finished in plain", record(HELLO + "14 000000")),
        ("ServerHelloDone with a body", record(HELLO + "0e 000001 00")),
        ("a message beyond the limit", record(HELLO + f"0b {MAX_MESSAGE + 1:06x} 00")),
        ("ChangeCipherSpec", record(HELLO) + record("01", kind=20)),
        ("application data", record(HELLO) + record("00", kind=23)),
        ("nine warnings", record("01 70", kind=21) * 9),
        ("nine HelloRequests", record("00 000000" * 9)),
        ("a field too short inside a message", record("02 000003 030300")),
        ("TLS 1.3, which was not offered", record(f"02 00002e 0303 {RANDOM} 00 1301 00 0006 002b 0002 0304")),
        ("SSL 2.0 in a record", record(f"02 000026 0200 {RANDOM} 00 c02f 00")),
    ],
)
def test_a_flight_that_breaks_the_standard_is_malformed(name: str, stream: bytes) -> None:
    whole, broken, finished = events([stream])

    assert broken
    assert not finished
    assert events(bytewise(stream)) == (whole, broken, finished)


def test_what_came_before_the_break_is_still_told() -> None:
    heard, broken, _ = events([record(HELLO) + b"\x16\x03\x03\x00\x00"])

    assert [brief(event) for event in heard] == [(0x0303, 0xC02F)]
    assert broken


def test_a_version_above_the_offer_is_malformed() -> None:
    _, broken, _ = events([record(HELLO)], highest=0x0302)

    assert broken == "ServerHello chose version 0x0303, which was not offered"


def test_an_endless_certificate_is_cut_off() -> None:
    pieces = [record(HELLO), record(f"0b {MAX_MESSAGE:06x}"), *[record(bytes(16384))] * 32]

    _, broken, _ = events(pieces)

    assert broken
