"""Names stand for addresses that were looked up once, and for nothing that DNS slips in."""

from __future__ import annotations

import pytest
from tests.unit.scope.building import MOMENT, endpoint, scope

from leadglass.errors import ScopeDenied, ScopeError
from leadglass.model.rung import Rung
from leadglass.scope.rules import Refusal
from leadglass.scope.scope import Scope

NAMED = '[[targets]]\nrange = "pacs.example.org"\nports = [104]\n'
SECOND = '[[targets]]\nrange = "WEB.example.org."\nports = [443]\ndeepest = "connect"\n'
RANGE = '[[targets]]\nrange = "10.0.0.0/24"\nports = [11112]\n'
LITERAL = '[[targets]]\nrange = "198.51.100.9"\nports = [104]\n'


def denied(asked: Scope, address: str, port: int = 104) -> str:
    """Why there is no permit."""
    with pytest.raises(ScopeDenied) as caught:
        asked.permit(endpoint(address, port), Rung.CONNECT, MOMENT)
    return caught.value.what


def test_a_name_stands_for_nothing_before_it_is_pinned() -> None:
    asked = scope(NAMED)

    assert asked.names() == ("pacs.example.org",)
    assert list(asked.targets()) == []
    assert denied(asked, "192.0.2.1") == "the address is not in the scope"


def test_a_pinned_name_stands_for_its_addresses() -> None:
    pinned = scope(NAMED + SECOND).with_names(
        {"pacs.example.org": ("192.0.2.1", "2001:db8::1"), "web.example.org": ("192.0.2.1",)}
    )

    assert list(pinned.targets()) == [("192.0.2.1", 104), ("192.0.2.1", 443), ("2001:db8::1", 104)]
    assert pinned.permit(endpoint("2001:db8::1"), Rung.BLANK_QUERY, MOMENT).rung is Rung.BLANK_QUERY
    assert pinned.depth("192.0.2.1", 443) is Rung.CONNECT
    assert pinned.name_of("192.0.2.1") == "pacs.example.org"
    assert pinned.name_of("192.0.2.2") is None
    assert pinned.refused == ()


def test_names_are_asked_for_once_and_excluded_ones_too() -> None:
    body = NAMED + NAMED.replace("104", "105") + '[[exclude]]\nrange = "heart.example.org"\nreason = "x"\n'

    assert scope(body).names() == ("pacs.example.org", "heart.example.org")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("10.0.1.1", "private"),
        ("192.168.1.1", "private"),
        ("fd00::1", "private"),
        ("100.64.0.1", "shared by a provider's customers"),
        ("224.0.0.1", "not a host"),
        ("0.0.0.0", "not a host"),
        ("255.255.255.255", "not a host"),
        ("::ffff:192.0.2.1", "not a host"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::127.0.0.1", "loopback"),
    ],
)
def test_a_name_cannot_lead_into_the_network_one_stands_in(answer: str, why: str) -> None:
    pinned = scope(NAMED).with_names({"pacs.example.org": (answer, "192.0.2.1")})

    assert [pair for pair in pinned.targets() if pair[0] != "192.0.2.1"] == []
    assert denied(pinned, answer) == "the address is not in the scope"
    assert pinned.refused == (
        Refusal(
            "pacs.example.org",
            answer,
            f"a name may not lead to an address that is {why}, unless a range of the scope covers it",
        ),
    )


def test_a_private_answer_is_pinned_where_a_range_covers_it() -> None:
    pinned = scope(NAMED + RANGE).with_names({"pacs.example.org": ("10.0.0.7", "10.0.1.7")})

    assert pinned.depth("10.0.0.7", 104) is Rung.BLANK_QUERY
    assert pinned.depth("10.0.0.8", 104) is None
    assert [refusal.address for refusal in pinned.refused] == ["10.0.1.7"]


@pytest.mark.parametrize(("position", "reached"), [("inside", True), ("outside", False), ("unknown", False)])
def test_a_private_answer_is_pinned_when_seen_from_inside(position: str, reached: bool) -> None:
    pinned = scope(NAMED + LITERAL, position=position).with_names(
        {"pacs.example.org": ("10.0.0.7", "127.0.0.1")}
    )

    assert (pinned.depth("10.0.0.7", 104) is not None) is reached
    assert pinned.depth("127.0.0.1", 104) is None


def test_an_excluded_address_stays_excluded_whatever_its_name() -> None:
    body = NAMED + '[[exclude]]\nrange = "192.0.2.0/24"\nreason = "life support"\n'
    pinned = scope(body).with_names({"pacs.example.org": ("192.0.2.1", "198.51.100.1")})

    assert list(pinned.targets()) == [("198.51.100.1", 104)]
    assert denied(pinned, "192.0.2.1") == "excluded: life support"
    assert pinned.refused == (Refusal("pacs.example.org", "192.0.2.1", "excluded: life support"),)


def test_nothing_may_be_touched_before_an_excluded_name_is_known() -> None:
    asked = scope(LITERAL + '[[exclude]]\nrange = "heart.example.org"\nreason = "life support"\n')

    assert denied(asked, "198.51.100.9") == "the excluded name heart.example.org is not resolved yet"
    assert asked.depth("198.51.100.9", 104) is None
    with pytest.raises(ScopeDenied, match="not resolved yet"):
        list(asked.targets())

    pinned = asked.with_names({"heart.example.org": ("198.51.100.8",)})
    assert list(pinned.targets()) == [("198.51.100.9", 104)]
    assert denied(pinned, "198.51.100.8") == "excluded: life support"


@pytest.mark.parametrize("resolved", [{}, {"heart.example.org": ()}, {"heart.example.org": ("x",)}])
def test_an_excluded_name_that_leads_nowhere_stops_everything(resolved: dict[str, tuple[str, ...]]) -> None:
    asked = scope(LITERAL + '[[exclude]]\nrange = "heart.example.org"\nreason = "life support"\n')

    with pytest.raises(ScopeError, match=r"line 16: the excluded name heart.example.org has no address"):
        asked.with_names(resolved)


def test_a_name_that_is_excluded_takes_its_target_with_it() -> None:
    body = NAMED + LITERAL + '[[exclude]]\nrange = "pacs.example.org"\nreason = "life support"\n'
    pinned = scope(body).with_names({"pacs.example.org": ("192.0.2.1",)})

    assert list(pinned.targets()) == [("198.51.100.9", 104)]
    assert str(pinned.refused[0]) == "pacs.example.org = 192.0.2.1: excluded: life support"


@pytest.mark.parametrize("answers", [(), ("127.0.0.1",)])
def test_a_scope_that_leaves_nothing_to_ask_is_an_error(answers: tuple[str, ...]) -> None:
    with pytest.raises(ScopeError, match="nothing to ask") as caught:
        scope(NAMED).with_names({"pacs.example.org": answers})

    assert "pacs.example.org" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_without_an_address_is_listed_beside_what_can_be_asked() -> None:
    pinned = scope(NAMED + LITERAL).with_names({})

    assert [str(refusal) for refusal in pinned.refused] == ["pacs.example.org: it has no address"]
    assert pinned.count() == 1


@pytest.mark.parametrize("answer", ["nonsense", "192.0.2.01", "fe80::1%eth0"])
def test_an_answer_that_is_no_address_is_refused(answer: str) -> None:
    pinned = scope(NAMED + LITERAL).with_names({"pacs.example.org": (answer,)})

    assert len(pinned.refused) == 1
    assert pinned.count() == 1


def test_two_names_of_one_server_may_not_give_it_two_titles() -> None:
    body = NAMED + 'called_ae = "ONE"\n' + NAMED.replace("pacs", "web") + 'called_ae = "TWO"\n'
    asked = scope(body)

    with pytest.raises(ScopeError, match=r"line 17: .*'ONE'.*'TWO'"):
        asked.with_names({"pacs.example.org": ("192.0.2.1",), "web.example.org": ("192.0.2.1",)})


def test_a_name_that_is_pinned_answers_for_good() -> None:
    pinned = scope(NAMED).with_names({"pacs.example.org": ("192.0.2.1",)})

    assert pinned.pins == (("pacs.example.org", ("192.0.2.1",)),)
    assert denied(pinned, "192.0.2.2") == "the address is not in the scope"
