"""The syslog header, to the octet."""

from __future__ import annotations

import re

import pytest
from tests.unit.guard.audit.samples import EVENTS, GUARD

from leadglass.guard.audit.framing import framed, severity
from leadglass.guard.audit.messages import LONGEST_MESSAGE, to_xml

AT = "2026-11-21T05:00:00.000120Z"


def test_a_message_has_exactly_this_header() -> None:
    made = framed(b"<A/>", level=5, at=AT, host="guard1.example.org", process="worker-0")

    header = b"<85>1 2026-11-21T05:00:00.000120Z guard1.example.org leadglass worker-0 DICOM+RFC3881 - "
    message = header + b"\xef\xbb\xbf<A/>"
    assert made == b"%d %s" % (len(message), message)


def test_the_length_counts_octets() -> None:
    length, _, message = framed("<Å/>".encode(), level=4, at=AT, host="h", process="p").partition(b" ")

    assert int(length) == len(message)
    assert message.startswith(b"<84>1 ")


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("query", 5),
        ("association", 5),
        ("stranger", 4),
        ("refused", 4),
        ("budget", 4),
        ("login failed", 4),
        ("emergency", 4),
        ("emergency over", 4),
        ("policy", 4),
        ("repaired", 4),
        ("started", 5),
    ],
)
def test_what_somebody_should_look_at_is_a_warning(name: str, level: int) -> None:
    assert severity(EVENTS[name]) == level


@pytest.mark.parametrize("word", ["a b", "a\nb", "", "\x00", "ü", "x" * 300])
def test_no_word_breaks_the_header(word: str) -> None:
    made = framed(b"<A/>", level=5, at=AT, host=word, process=word)

    header = made.partition(b" ")[2].partition(b"\xef\xbb\xbf")[0].decode("ascii")
    assert re.fullmatch(r"<85>1 \S+ [!-~]{1,255} leadglass [!-~]{1,128} DICOM\+RFC3881 - ", header)


def test_the_longest_message_with_the_longest_header_is_what_a_collector_must_take() -> None:
    made = framed(b"x" * LONGEST_MESSAGE, level=5, at=AT, host="h" * 300, process="p" * 300)

    assert len(made.partition(b" ")[2]) <= 32_768


def test_the_same_entry_makes_the_same_octets() -> None:
    (first,) = to_xml(EVENTS["query"], GUARD)
    (again,) = to_xml(EVENTS["query"], GUARD)

    assert first == again
