"""What proves control of a target: which token, where, and what does not count."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from tests.unit.scope.building import MOMENT, scope, text

from leadglass.errors import ScopeDenied, TransportError
from leadglass.model.endpoint import Endpoint
from leadglass.scope.parse import parse
from leadglass.scope.scope import Scope
from leadglass.scope.verify import Outcome, Page, claims, prove, proves, token

NAMED = '[[targets]]\nrange = "pacs.example.org"\nports = [104, 80, 8443]\n'
SINGLE = '[[targets]]\nrange = "198.51.100.9"\nports = "80,104,443"\n'
RANGE = '[[targets]]\nrange = "192.0.2.0/28"\nports = "80,104"\n'


def outcome(
    asked: Scope, texts: Mapping[str, tuple[str, ...]], pages: Mapping[str, str], index: int = 0
) -> Outcome:
    """What is proved of one target, when only these texts and pages exist."""

    def fetch(page: Page) -> str:
        if str(page) not in pages:
            raise TransportError("no connection (refused)")
        return pages[str(page)]

    return list(prove(asked, lambda name: texts.get(name, ()), fetch))[index]


def test_the_token_is_a_word_and_32_digits() -> None:
    assert re.fullmatch(r"leadglass-scope=[0-9a-f]{32}", token(scope(RANGE)))


def test_the_token_is_the_same_on_every_machine_and_in_every_year() -> None:
    assert token(scope(RANGE + SINGLE)) == "leadglass-scope=5c0321afe95a0009e6af12ed0dc5dbbf"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('basis = "owner"', 'basis = "mandate"'),
        ("the head of IT", "the janitor"),
        ("security@example.org", "security@example.net"),
        ("change 4711", "change 4712"),
        ("2027-01-31", "2027-02-01"),
        ('deepest = "blank-query"', 'deepest = "negotiate"'),
        ("[vantage]", "rate = 501\n[vantage]"),
        ("[vantage]", "concurrent_per_host = 7\n[vantage]"),
        ("[vantage]", 'hours = "00:00-24:00"\ntimezone = "UTC"\n[vantage]'),
        ("192.0.2.0/28", "192.0.2.0/27"),
        ('"80,104"', '"80,104,105"'),
        ('"80,104"', '"80,104"\ndeepest = "connect"'),
        ('"80,104"', '"80,104"\ncalled_ae = "ARCHIVE"'),
        ("[[targets]]", '[[exclude]]\nrange = "192.0.2.1"\nreason = "x"\n[[targets]]'),
    ],
)
def test_whatever_widens_the_scope_changes_the_token(old: str, new: str) -> None:
    before = text(RANGE)
    assert old in before
    after = parse(before.replace(old, new, 1), filename="x", moment=MOMENT)

    assert token(after) != token(scope(RANGE))


def test_spelling_and_order_do_not_change_the_token() -> None:
    respelt = RANGE.replace('"80,104"', "[104, 80, 80] # the same") + "\n\n"

    assert token(scope(SINGLE + RANGE)) == token(scope(respelt + SINGLE))


@pytest.mark.parametrize(
    ("texts", "counts"),
    [
        (["leadglass-scope=00"], True),
        (["v=spf1 -all", " leadglass-scope=00 "], True),
        (["# proof\r\nleadglass-scope=00\r\n"], True),
        ([], False),
        (["leadglass-scope=0"], False),
        (["leadglass-scope=001"], False),
        (["x leadglass-scope=00"], False),
        (["LEADGLASS-SCOPE=00"], False),
        (["<html>leadglass-scope=00</html>"], False),
    ],
)
def test_the_token_must_stand_alone_on_its_line(texts: list[str], counts: bool) -> None:
    assert proves(texts, "leadglass-scope=00") is counts


@pytest.mark.parametrize(
    ("range_", "dns_name"),
    [
        ("pacs.example.org", "_leadglass.pacs.example.org"),
        ("192.0.2.9", "_leadglass.9.2.0.192.in-addr.arpa"),
        ("192.0.2.0/28", "_leadglass.2.0.192.in-addr.arpa"),
        ("192.0.2.0/24", "_leadglass.2.0.192.in-addr.arpa"),
        ("192.0.0.0/20", "_leadglass.0.192.in-addr.arpa"),
        ("11.0.0.0/8", "_leadglass.11.in-addr.arpa"),
        ("2001:db8::/32", "_leadglass.8.b.d.0.1.0.0.2.ip6.arpa"),
        ("2001:db8::/33", "_leadglass.8.b.d.0.1.0.0.2.ip6.arpa"),
        ("2001:db8::1", "_leadglass.1." + "0." * 23 + "8.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_a_range_is_proved_in_the_reverse_zone_around_it(range_: str, dns_name: str) -> None:
    asked = scope(f'[[targets]]\nrange = "{range_}"\nports = [104]\n')

    assert [claim.dns_name for claim in claims(asked)] == [dns_name]


def test_a_record_proves_a_name() -> None:
    asked = scope(NAMED)
    proved = outcome(asked, {"_leadglass.pacs.example.org": (token(asked),)}, {})

    assert proved.proof == "TXT at _leadglass.pacs.example.org"


def test_a_record_somewhere_else_proves_nothing() -> None:
    asked = scope(NAMED)
    texts = {"pacs.example.org": (token(asked),), "_leadglass.example.org": (token(asked),)}

    assert outcome(asked, texts, {}).proof is None
    assert outcome(asked, texts, {}).tried == ("TXT at _leadglass.pacs.example.org: no such record",)


def test_the_record_of_a_narrower_scope_proves_nothing() -> None:
    narrow, wide = scope(NAMED), scope(NAMED.replace("104", "104, 105"))
    texts = {"_leadglass.pacs.example.org": (token(narrow),)}

    assert outcome(narrow, texts, {}).proof
    assert outcome(wide, texts, {}).proof is None
    assert outcome(wide, texts, {}).tried == ("TXT at _leadglass.pacs.example.org: another text",)


@pytest.mark.parametrize(
    "url",
    [
        "http://198.51.100.9:80/.well-known/leadglass.txt",
        "https://198.51.100.9:443/.well-known/leadglass.txt",
    ],
)
def test_a_file_proves_a_single_address(url: str) -> None:
    asked = scope(SINGLE)

    assert outcome(asked, {}, {url: token(asked) + "\n"}).proof == url


def test_a_file_on_one_server_proves_nothing_about_its_neighbours() -> None:
    asked = scope(RANGE)
    pages = {f"http://192.0.2.{last}:80/.well-known/leadglass.txt": token(asked) for last in range(16)}

    assert outcome(asked, {}, pages).proof is None


def test_a_name_is_proved_by_files_on_all_its_addresses() -> None:
    answers = {"pacs.example.org": ("192.0.2.1", "192.0.2.2")}
    asked = scope(NAMED).with_names(answers)
    first, second = (claim for claim in claims(asked)[0].pages)
    shown: list[Endpoint] = []

    def fetch(page: Page) -> str:
        shown.append(page.endpoint)
        if page.endpoint.address in reachable and page.endpoint.port == 8443:
            return token(asked)
        raise ScopeDenied("outside the hours")

    reachable = {"192.0.2.1"}
    assert next(prove(asked, lambda _: (), fetch)).proof is None
    reachable.add("192.0.2.2")
    assert (
        next(prove(asked, lambda _: (), fetch)).proof
        == "https://pacs.example.org:8443/.well-known/leadglass.txt"
    )
    assert [page.endpoint.port for page in (*first, *second)] == [80, 8443, 80, 8443]
    assert {(endpoint.address, endpoint.name) for endpoint in shown} == {
        ("192.0.2.1", "pacs.example.org"),
        ("192.0.2.2", "pacs.example.org"),
    }


def test_only_the_web_ports_of_the_scope_are_asked() -> None:
    asked = scope('[[targets]]\nrange = "198.51.100.9"\nports = [104, 8080, 11112]\n')

    assert [str(page) for pages in claims(asked)[0].pages for page in pages] == [
        "http://198.51.100.9:8080/.well-known/leadglass.txt"
    ]


def test_an_excluded_address_is_not_asked() -> None:
    asked = scope(NAMED + SINGLE + '[[exclude]]\nrange = "192.0.2.0/24"\nreason = "x"\n').with_names(
        {"pacs.example.org": ("192.0.2.1", "203.0.113.1")}
    )

    assert {page.endpoint.address for claim in claims(asked) for pages in claim.pages for page in pages} == {
        "198.51.100.9",
        "203.0.113.1",
    }


def test_what_fails_is_a_reason_and_not_the_end() -> None:
    asked = scope(SINGLE + RANGE)

    def broken(name: str) -> tuple[str, ...]:
        raise TransportError("cannot be looked up", where=name)

    def fetch(page: Page) -> str:
        raise ScopeDenied("outside the hours", where=str(page.endpoint))

    found = list(prove(asked, broken, fetch))
    assert [each.proof for each in found] == [None, None]
    assert found[0].tried == (
        "TXT at _leadglass.9.100.51.198.in-addr.arpa: cannot be looked up",
        "http://198.51.100.9:80/.well-known/leadglass.txt: outside the hours",
        "https://198.51.100.9:443/.well-known/leadglass.txt: outside the hours",
    )


def test_a_range_named_twice_is_proved_once() -> None:
    asked = scope(SINGLE.replace("80,104,443", "104") + SINGLE + SINGLE.replace("80,104,443", "11112"))

    assert [claim.range for claim in claims(asked)] == ["198.51.100.9"]
    assert len(claims(asked)[0].pages[0]) == 2


def test_a_page_of_an_ipv6_address_is_written_with_brackets() -> None:
    page = Page(Endpoint("2001:db8::1", 8443), tls=True)

    assert str(page) == "https://[2001:db8::1]:8443/.well-known/leadglass.txt"
