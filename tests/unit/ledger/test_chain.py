"""Entries: their exact form, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from hashlib import sha256

import pytest

from leadglass.errors import LocalProtocolError
from leadglass.ledger.canonical import Json, canonical
from leadglass.ledger.chain import GENESIS, LONGEST_LINE, Chain, Head, read_entry, stamp

AT = dt.datetime(2026, 11, 21, 5, 0, 0, 120, dt.UTC)


def test_an_entry_has_exactly_this_form() -> None:
    line = Chain().append({"b": 1, "a": ["é", None, True, "\n"]}, AT)

    hashed = (
        b'{"at":"2026-11-21T05:00:00.000120Z","body":{"a":["\xc3\xa9",null,true,"\\n"],"b":1},'
        b'"n":1,"previous":"' + b"0" * 64 + b'"}'
    )
    digest = sha256(hashed).hexdigest().encode()
    assert line == hashed.replace(b'"n":1', b'"digest":"' + digest + b'","n":1') + b"\n"


def test_anybody_can_check_a_digest_with_json_and_sha256_alone() -> None:
    entry = json.loads(Chain(Head(41, "ab" * 32)).append({"z": {"y": [1, {"x": "\u2028"}]}, "a": "0"}, AT))

    digest = entry.pop("digest")
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert sha256(text.encode()).hexdigest() == digest


def test_each_entry_holds_the_digest_of_the_one_before() -> None:
    chain = Chain()
    first, second = (read_entry(chain.append({"i": i}, AT)) for i in range(2))

    assert first is not None
    assert second is not None
    assert first.follows(GENESIS)
    assert second.follows(first.head)
    assert not second.follows(GENESIS)
    assert chain.head == second.head == Head(2, second.digest)


def test_an_entry_is_read_back() -> None:
    body: dict[str, Json] = {"text": 'a "quote" and },"digest":"' + "0" * 64 + '","n":9', "n": 3}

    entry = read_entry(Chain(Head(16, "cd" * 32)).append(body, AT))

    assert entry is not None
    assert (entry.n, entry.at, entry.previous) == (17, stamp(AT), "cd" * 32)
    assert entry.body == body


def test_what_a_body_says_is_absent_from_the_repr_of_its_entry() -> None:
    assert "Doe" not in repr(read_entry(Chain().append({"patient": "Doe^Jane"}, AT)))


def test_a_moment_is_written_in_utc_whatever_its_zone() -> None:
    east = dt.timezone(dt.timedelta(hours=9))

    assert stamp(dt.datetime(2026, 11, 21, 14, 0, tzinfo=east)) == "2026-11-21T05:00:00.000000Z"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}\n",
        b'{"at":"x","body":{},"digest":"0","n":1,"previous":"0"}\n',
        b"\0" * 100,
        b"\xff\xfe\n",
    ],
)
def test_a_line_that_is_no_entry_is_none(line: bytes) -> None:
    assert read_entry(line) is None


@pytest.mark.parametrize(
    "change", [(b"Weber", b"Weger"), (b'"n":1', b'"n":2'), (b"05:00", b"06:00"), (b"\n", b"")]
)
def test_an_altered_entry_is_none(change: tuple[bytes, bytes]) -> None:
    line = Chain().append({"who": "Weber"}, AT)

    assert read_entry(line)
    assert read_entry(line.replace(*change)) is None


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"x", {1: "x"}, {"é": 1}, [{"a": object()}], 2**53, "\ud800", {"a": {1, 2}}],
    ids=["1.0", "nan", "bytes", "number as key", "key beyond ASCII", "object", "2**53", "surrogate", "set"],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(LocalProtocolError):
        canonical(value)  # type: ignore[arg-type]


def test_a_body_that_is_nested_without_end_is_refused() -> None:
    body: dict[str, object] = {}
    body["again"] = body

    with pytest.raises(LocalProtocolError):
        canonical(body)  # type: ignore[arg-type]


def test_an_entry_that_is_too_long_is_refused_and_the_chain_stays_where_it_was() -> None:
    chain = Chain()

    with pytest.raises(LocalProtocolError):
        chain.append({"a": "x" * LONGEST_LINE}, AT)

    assert chain.head == GENESIS
