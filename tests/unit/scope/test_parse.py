"""Scope files: what is read, and every way in which one is refused, with its line."""

from __future__ import annotations

import datetime as dt
import ipaddress

import pytest
from tests.unit.scope.building import MOMENT, scope

from leadglass.errors import ScopeError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.parse import parse
from leadglass.scope.rules import Authorisation, Basis, Exclusion, Identity, Target

FULL = """\
name = "Example Radiology, external addresses"
[authorisation]
basis = "owner"
granted_by = "the head of IT"
contact = "security@example.org"
reference = "change 4711"
valid_until = 2027-01-31
[limits]
deepest = "blank-query"
rate = 500
connections_per_endpoint = 6
concurrent_per_host = 8
hours = "20:00-05:00"
timezone = "Europe/Berlin"
[vantage]
position = "outside"
[identity]
calling_ae = "LEADGLASS"
url = "https://example.org/scanning"
[[targets]]
range = "192.0.2.0/28"
ports = [104, 2761, "20000-20002,11112"]
deepest = "associate"
called_ae = "ARCHIVE"
[[targets]]
range = "pacs.example.org"
ports = "104,11112"
[[exclude]]
range = "192.0.2.9"
reason = "life support network"
"""


def test_a_full_file_is_read_as_it_is_written() -> None:
    read = parse(FULL, filename="scope.toml", moment=MOMENT)

    assert read.name == "Example Radiology, external addresses"
    assert read.authorisation == Authorisation(
        Basis.OWNER, "the head of IT", "security@example.org", "change 4711", dt.date(2027, 1, 31)
    )
    assert read.position is Position.OUTSIDE
    assert read.identity == Identity("LEADGLASS", "https://example.org/scanning")
    assert (read.limits.deepest, read.limits.rate) == (Rung.BLANK_QUERY, 500.0)
    assert (read.limits.connections_per_endpoint, read.limits.concurrent_per_host) == (6, 8)
    assert read.limits.hours_text == "20:00-05:00 Europe/Berlin"
    assert read.rules == (
        Target(
            ipaddress.ip_network("192.0.2.0/28"),
            (104, 2761, 11112, 20000, 20001, 20002),
            Rung.ASSOCIATE,
            "ARCHIVE",
            "scope.toml, line 20",
        ),
        Target("pacs.example.org", (104, 11112), Rung.BLANK_QUERY, None, "scope.toml, line 25"),
    )
    assert read.exclusions == (
        Exclusion(ipaddress.ip_network("192.0.2.9"), "life support network", "scope.toml, line 28"),
    )


def test_what_is_left_out_is_gentle_and_shallow() -> None:
    read = scope('[[targets]]\nrange = "192.0.2.1"\nports = [104]\n', deepest="associate")

    assert (read.limits.rate, read.limits.connections_per_endpoint, read.limits.concurrent_per_host) == (
        500,
        6,
        8,
    )
    assert (read.identity, read.exclusions, read.limits.hours) == (Identity("LEADGLASS", None), (), None)
    assert parse(
        FULL.replace('deepest = "blank-query"\n', ""), filename="x", moment=MOMENT
    ).limits.deepest is (Rung.ASSOCIATE)


REFUSED = [
    # replaced, by, line, words of the message
    ('name = "Ex', "name = Ex", 1, "not TOML"),
    ("[[exclude]]", "[[exclude]", 28, "not TOML"),
    ('reason = "life support network"\n', 'reason = "', 30, "not TOML"),
    ("rate = 500", "rate = 500\nrate = 5", 11, "not TOML"),
    ('name = "Example Radiology, external addresses"', "", 1, "name is missing"),
    (
        '[authorisation]\nbasis = "owner"',
        '[authorization]\nbasis = "owner"',
        2,
        "did you mean 'authorisation'",
    ),
    ('contact = "security@example.org"\n', "", 2, "contact is missing in [authorisation]"),
    ('range = "192.0.2.0/28"', 'rnage = "192.0.2.0/28"', 21, "unknown key 'rnage'; did you mean 'range'"),
    ('reason = "life', 'reasons = "life', 30, "did you mean 'reason'"),
    ("[[exclude]]", "[[excludes]]", 28, "did you mean 'exclude'"),
    (
        'range = "192.0.2.9"\nreason = "life support network"',
        'range = "192.0.2.9"',
        28,
        "reason is missing in [[exclude]]",
    ),
    ("[limits]", "[limits]\ncalling_ae = 'X'", 9, "it belongs under [identity]"),
    ("[limits]", "[limits]\nname = 'X'", 9, "it belongs at the top"),
    ("[limits]", "[limits]\nzzz = 'X'", 9, "the keys here are deepest, rate,"),
    ('name = "Example Radiology, external addresses"', "name = 5", 1, "must be text in quotes"),
    ('name = "Example Radiology, external addresses"', 'name = " "', 1, "may not be empty"),
    ('"change 4711"', '"""change\n4711"""', 6, "line breaks"),
    ('"the head of IT"', '"\\u001b[2J"', 4, "control characters"),
    ('basis = "owner"', 'basis = "friend"', 3, "'owner', 'mandate' or 'research'"),
    ("valid_until = 2027-01-31", 'valid_until = "2027-01-31"', 7, "a date without quotes"),
    ("valid_until = 2027-01-31", "valid_until = 2027-01-31T00:00:00Z", 7, "a date without quotes"),
    ("valid_until = 2027-01-31", "valid_until = 2026-11-20", 7, "ended with 2026-11-20"),
    ('deepest = "blank-query"', 'deepest = "blank_query"', 9, "no rung is called 'blank_query'"),
    ('deepest = "blank-query"', 'deepest = "Associate"', 9, "no rung is called 'Associate'"),
    ("rate = 500", "rate = 0", 10, "above zero"),
    ("rate = 500", "rate = -1", 10, "above zero"),
    ("rate = 500", "rate = inf", 10, "above zero"),
    ("rate = 500", "rate = nan", 10, "above zero"),
    ("rate = 500", "rate = true", 10, "must be a number"),
    ("rate = 500", 'rate = "500"', 10, "must be a number"),
    ("connections_per_endpoint = 6", "connections_per_endpoint = 7", 11, "at most 6"),
    ("connections_per_endpoint = 6", "connections_per_endpoint = 0", 11, "above zero"),
    ("connections_per_endpoint = 6", "connections_per_endpoint = 2.0", 11, "whole number"),
    ("concurrent_per_host = 8", "concurrent_per_host = 9", 12, "at most 8"),
    ("concurrent_per_host = 8", "concurrent_per_host = -8", 12, "above zero"),
    ('hours = "20:00-05:00"', 'hours = "8pm to 5am"', 13, "is no window"),
    ('hours = "20:00-05:00"', 'hours = "05:00-05:00"', 13, "is empty"),
    ('timezone = "Europe/Berlin"', "", 13, "hours without a time zone"),
    ('timezone = "Europe/Berlin"', 'timezone = "Mars/Olympus"', 14, "no time zone is called 'Mars/Olympus'"),
    ('position = "outside"', 'position = "roof"', 16, "'outside', 'inside' or 'unknown'"),
    ('calling_ae = "LEADGLASS"', 'calling_ae = ""', 18, "may not be blank"),
    ('calling_ae = "LEADGLASS"', 'calling_ae = "SEVENTEEN_LETTERS"', 18, "17 characters, 16 are allowed"),
    ('url = "https://example.org/scanning"', 'url = "example.org"', 19, "http:// or https://"),
    ('url = "https://example.org/scanning"', 'url = "https://example.org/a b"', 19, "without spaces"),
    ('called_ae = "ARCHIVE"', 'called_ae = "   "', 24, "may not be blank"),
    ('called_ae = "ARCHIVE"', "called_ae = 'A\\B'", 24, "may not hold"),
    ('called_ae = "ARCHIVE"', 'called_ae = "ARCHÍV"', 24, "may not hold"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2.5/28"', 21, "host bits set; write 192.0.2.0/28"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2.0/33"', 21, "no range of addresses"),
    ('range = "192.0.2.0/28"', 'range = "pacs.example.org/28"', 21, "no range of addresses"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2.256"', 21, "not an address"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2"', 21, "not an address"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2.01"', 21, "not an address"),
    ('range = "192.0.2.0/28"', 'range = "192.0.2.1-192.0.2.9"', 21, "is not an address"),
    ('range = "192.0.2.0/28"', 'range = "https://pacs.example.org"', 21, "no range of addresses"),
    ('range = "192.0.2.0/28"', 'range = "krankenhäuser.example"', 21, "xn--"),
    ('range = "192.0.2.0/28"', 'range = "2001:db8::1/64"', 21, "host bits set; write 2001:db8::/64"),
    ('range = "192.0.2.0/28"', 'range = "fe80::1%eth0"', 21, "zone"),
    ('range = "192.0.2.0/28"', 'range = "224.0.0.0/8"', 21, "holds no hosts: multicast"),
    ('range = "192.0.2.0/28"', 'range = "0.0.0.0"', 21, "holds no hosts: unspecified"),
    ('range = "192.0.2.0/28"', 'range = "::ffff:192.0.2.1"', 21, "write it as IPv4"),
    ('range = "192.0.2.9"', 'range = "192.0.2.9/24"', 29, "host bits set"),
    ('ports = [104, 2761, "20000-20002,11112"]', "", 20, "ports is missing in [[targets]]"),
    ('ports = [104, 2761, "20000-20002,11112"]', "ports = []", 22, "there are no ports"),
    ("ports = [104, 2761,", "ports = [104, 0,", 22, "port 0"),
    ("ports = [104, 2761,", "ports = [104,\n65536,", 23, "port 65536"),
    ("ports = [104, 2761,", "ports = [104,\n# here\n-1,", 24, "'-1' is no port"),
    ('"20000-20002,11112"', '"20002-20000"', 22, "backwards"),
    ('"20000-20002,11112"', "1.5", 22, "list of ports"),
    ('"20000-20002,11112"', "true", 22, "list of ports"),
    ('"20000-20002,11112"', "[1]", 22, "list of ports"),
    ('deepest = "associate"', 'deepest = "sample"', 23, "a target may only lower the limit"),
    ('basis = "owner"', 'basis = "research"', 9, "contradicts the basis research, which reaches negotiate"),
    ('[[targets]]\nrange = "192', '[targets]\nrange = "192', 25, "not TOML"),
    ('range = "192.0.2.9"', 'range = "bad name"', 29, "neither an address nor a host name"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), REFUSED)
def test_each_mistake_is_refused_with_its_line(old: str, new: str, line: int, words: str) -> None:
    assert old in FULL
    with pytest.raises(ScopeError) as caught:
        parse(FULL.replace(old, new, 1), filename="scope.toml", moment=MOMENT)

    assert caught.value.where == f"scope.toml, line {line}"
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("line", range(1, FULL.count("\n") + 1))
def test_a_line_that_is_no_toml_is_named(line: int) -> None:
    broken = FULL.splitlines()
    broken[line - 1] = "this is not TOML"
    with pytest.raises(ScopeError, match=rf"scope.toml, line {line}: this is not TOML"):
        parse("\n".join(broken), filename="scope.toml", moment=MOMENT)


TARGET = '[[targets]]\nrange = "192.0.2.0/30"\nports = [104]\n'


@pytest.mark.parametrize("basis", ["mandate", "research"])
def test_a_sample_needs_the_owner(basis: str) -> None:
    with pytest.raises(ScopeError, match=rf"line 9: sample contradicts the basis {basis}"):
        scope(TARGET, basis=basis, deepest="sample")


@pytest.mark.parametrize("missing", ['reference = "change 4711"\n', "valid_until = 2027-01-31\n"])
def test_a_sample_needs_a_reference_and_an_end(missing: str) -> None:
    sample = FULL.replace('"blank-query"', '"sample"')
    assert parse(sample, filename="x", moment=MOMENT).limits.deepest is Rung.SAMPLE

    with pytest.raises(ScopeError, match="line 8: sample needs the owner's written authorisation"):
        parse(sample.replace(missing, ""), filename="x", moment=MOMENT)


@pytest.mark.parametrize("deepest", ["blank-query", "sample"])
def test_research_never_reaches_a_query(deepest: str) -> None:
    with pytest.raises(ScopeError, match="contradicts the basis research"):
        scope(TARGET, basis="research", deepest=deepest)


def test_a_target_of_research_cannot_say_otherwise() -> None:
    with pytest.raises(ScopeError, match="may only lower"):
        scope(TARGET + 'deepest = "blank-query"\n', basis="research", deepest="negotiate")


@pytest.mark.parametrize(
    ("body", "line", "words"),
    [
        ("", 1, "has no [[targets]]"),
        (TARGET + '[[exclude]]\nrange = "192.0.2.0/24"\nreason = "all"\n', 13, "every target is excluded"),
        (
            TARGET
            + '[[exclude]]\nrange = "192.0.2.0/31"\nreason = "a"\n[[exclude]]\nrange = "192.0.2.2/31"\nreason = "b"\n',
            13,
            "every target is excluded",
        ),
    ],
)
def test_an_empty_scope_is_refused(body: str, line: int, words: str) -> None:
    with pytest.raises(ScopeError) as caught:
        scope(body)

    assert caught.value.where == f"scope.toml, line {line}"
    assert words in str(caught.value)


def test_the_last_day_is_included_in_the_zone_of_the_scope() -> None:
    berlin = 'timezone = "Europe/Berlin"'
    last_minute = MOMENT - MOMENT % 86400 + 86399
    scope(TARGET, valid_until="2026-11-21", moment=last_minute)

    with pytest.raises(ScopeError, match="line 7: the authorisation ended"):
        scope(TARGET, valid_until="2026-11-21", moment=last_minute + 1)
    with pytest.raises(ScopeError, match="line 7: the authorisation ended"):
        scope(TARGET, valid_until="2026-11-21", moment=last_minute, limits=berlin)


def test_two_titles_for_one_endpoint_contradict_each_other() -> None:
    first = '[[targets]]\nrange = "192.0.2.0/28"\nports = "104,11112"\ncalled_ae = "ONE"\n'
    second = '[[targets]]\nrange = "192.0.2.8/29"\nports = [104]\ncalled_ae = "TWO"\n'
    with pytest.raises(ScopeError, match=r"line 17: the same endpoint is called 'ONE' .* 'TWO'"):
        scope(first + second)

    assert scope(first + second.replace("[104]", "[105]")).called_ae("192.0.2.9", 105) == "TWO"


@pytest.mark.parametrize(
    "hostile",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "9" * 5000,
        "a." * 5000 + "b = 1",
        "[" * 10000,
        '"' * 9999,
        "\x00",
        "\r",
        "[[targets]]\n" * 1000,
        "name = 'x'\ntargets = 5",
        "targets = [5]",
        "limits = []",
        "authorisation = 'x'",
    ],
)
def test_a_hostile_file_is_one_error_of_one_line(hostile: str) -> None:
    with pytest.raises(ScopeError) as caught:
        parse(hostile, filename="scope.toml", moment=MOMENT)

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("scope.toml")


def test_a_number_too_large_to_be_a_rate_is_refused() -> None:
    with pytest.raises(ScopeError):
        scope(TARGET, limits="rate = 1" + "0" * 400)
