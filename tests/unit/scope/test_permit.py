"""Who gets a permit, and the exact reason why somebody does not."""

from __future__ import annotations

import datetime as dt
import ipaddress
import pickle
import sys
from itertools import islice

import pytest
from tests.unit.scope.building import MOMENT, at, endpoint, scope

from leadglass.errors import ScopeDenied
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.ports.conversation import Gate
from leadglass.scope.rules import Authorisation, Basis, Exclusion, Identity, Limits, Target
from leadglass.scope.scope import PERMIT_SECONDS, Scope

BODY = """\
[[targets]]
range = "192.0.2.0/28"
ports = [104, "11112-11114"]
[[targets]]
range = "2001:db8::/64"
ports = [104]
deepest = "connect"
called_ae = "ARCHIVE"
[[exclude]]
range = "192.0.2.8/30"
reason = "life support network"
"""


def reason(
    asked: Scope, address: str, port: int = 104, rung: Rung = Rung.CONNECT, moment: float = MOMENT
) -> str:
    """Why this is denied."""
    with pytest.raises(ScopeDenied) as caught:
        asked.permit(endpoint(address, port), rung, moment)
    assert caught.value.where == str(endpoint(address, port))
    return caught.value.what


def test_a_permit_names_endpoint_rung_and_end() -> None:
    gate: Gate = scope(BODY)
    asked = Endpoint("192.0.2.1", 11113, "pacs.example.org")

    assert gate.permit(asked, Rung.ASSOCIATE, MOMENT) == Permit(
        asked, Rung.ASSOCIATE, MOMENT + PERMIT_SECONDS
    )


@pytest.mark.parametrize("address", ["192.0.2.0", "192.0.2.7", "192.0.2.12", "192.0.2.15"])
@pytest.mark.parametrize("port", [104, 11112, 11114])
def test_the_edges_of_a_range_are_in_it(address: str, port: int) -> None:
    assert scope(BODY).permit(endpoint(address, port), Rung.BLANK_QUERY, MOMENT).rung is Rung.BLANK_QUERY


@pytest.mark.parametrize(
    ("address", "port", "expected"),
    [
        ("192.0.1.255", 104, "the address is not in the scope"),
        ("192.0.2.16", 104, "the address is not in the scope"),
        ("0.0.0.0", 104, "the address is not in the scope"),
        ("255.255.255.255", 104, "the address is not in the scope"),
        ("2001:db8:0:1::", 104, "the address is not in the scope"),
        ("::", 104, "the address is not in the scope"),
        ("192.0.2.8", 104, "excluded: life support network"),
        ("192.0.2.11", 9, "excluded: life support network"),
        ("64:ff9b::192.0.2.8", 104, "excluded: life support network"),
        ("64:ff9b::192.0.2.7", 104, "the address is not in the scope"),
        ("192.0.2.1", 103, "port 103 is not in the scope for this address"),
        ("192.0.2.1", 11115, "port 11115 is not in the scope for this address"),
        ("192.0.2.1", 0, "port 0 is not in the scope for this address"),
        ("192.0.2.1", -1, "port -1 is not in the scope for this address"),
        ("192.0.2.1", 65640, "port 65640 is not in the scope for this address"),
        ("2001:db8::1", 11112, "port 11112 is not in the scope for this address"),
    ],
)
def test_outside_there_is_none(address: str, port: int, expected: str) -> None:
    assert reason(scope(BODY), address, port) == expected


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.01",
        "192.0.2.1.",
        "192.0.2",
        "192.0.2.1.1",
        "3221225985",
        "0xc0000201",
        "192.0.2.1 ",
        " 192.0.2.1",
        "",
        "192.0.2.٣",
        "192.0.2.1\x00",
        "pacs.example.org",
        "2001:db8::1%eth0",
        "2001:db8::g",
        ":",
        "192.0.2.1/32",
    ],
)
def test_what_the_kernel_might_read_otherwise_is_no_address(address: str) -> None:
    assert "is no canonical address" in reason(scope(BODY), address)


def test_an_ipv4_address_in_disguise_is_never_permitted() -> None:
    everything = scope(
        '[[targets]]\nrange = "::/0"\nports = [104]\n[[targets]]\nrange = "0.0.0.0/0"\nports = [104]\n'
    )

    assert everything.depth("192.0.2.1", 104) is Rung.BLANK_QUERY
    assert reason(everything, "::ffff:192.0.2.1") == "the address is not in the scope"
    assert reason(everything, "::ffff:c000:201") == "the address is not in the scope"


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "169.254.1.1", "192.168.0.1", "224.0.0.1", "0.0.0.0", "::1"]
)
def test_the_internet_is_not_the_network_one_stands_in(address: str) -> None:
    everything = scope(
        '[[targets]]\nrange = "::/0"\nports = [104]\n[[targets]]\nrange = "0.0.0.0/0"\nports = [104]\n'
    )

    assert reason(everything, address) == "the address is not in the scope"


def test_depth_is_the_shallower_of_limit_and_target() -> None:
    asked = scope(BODY)

    assert reason(asked, "2001:db8::1", rung=Rung.ASSOCIATE) == (
        "associate is deeper than the scope permits here, which is connect"
    )
    assert reason(asked, "192.0.2.1", rung=Rung.SAMPLE) == (
        "sample is deeper than the scope permits here, which is blank-query"
    )
    assert asked.depth("2001:db8::1", 104) is Rung.CONNECT
    assert asked.depth("192.0.2.1", 104) is Rung.BLANK_QUERY
    assert asked.depth("192.0.2.1", 105) is None


def test_an_address_has_the_ports_at_which_it_may_be_asked() -> None:
    asked = scope(BODY)

    assert list(asked.ports("192.0.2.1")) == [104, 11112, 11113, 11114]
    assert list(asked.ports("2001:db8::1")) == [104]
    for elsewhere in ("192.0.2.9", "198.51.100.1", "no address"):
        assert list(asked.ports(elsewhere)) == []


def test_where_targets_overlap_the_shallower_holds() -> None:
    wide = '[[targets]]\nrange = "192.0.2.0/24"\nports = [104, 105]\ndeepest = "connect"\n'
    narrow = '[[targets]]\nrange = "192.0.2.1"\nports = [104, 106]\n'
    for body in (wide + narrow, narrow + wide):
        depths = [scope(body).depth("192.0.2.1", port) for port in (104, 105, 106)]

        assert depths == [Rung.CONNECT, Rung.CONNECT, Rung.BLANK_QUERY]


def test_the_passive_rung_opens_no_connection() -> None:
    passive = scope('[[targets]]\nrange = "192.0.2.1"\nports = [104]\ndeepest = "passive"\n')

    assert reason(scope(BODY), "192.0.2.1", rung=Rung.PASSIVE) == "passive opens no connection"
    assert "deeper than the scope permits" in reason(passive, "192.0.2.1")
    assert list(passive.targets()) == [("192.0.2.1", 104)]


HOURS = 'hours = "20:00-05:00"\ntimezone = "Europe/Berlin"'
NIGHT = at("2026-11-21T22:00:00+01:00")


def test_outside_the_hours_it_says_when_it_opens() -> None:
    asked = scope(BODY, limits=HOURS)

    assert reason(asked, "192.0.2.1", moment=at("2026-11-21T12:00:00+01:00")) == (
        "outside the hours 20:00-05:00 Europe/Berlin; it opens 2026-11-21 20:00 (CET)"
    )
    assert asked.permit(endpoint("192.0.2.1"), Rung.CONNECT, NIGHT).valid_until == NIGHT + PERMIT_SECONDS
    assert asked.depth("192.0.2.1", 104, NIGHT) is Rung.BLANK_QUERY
    assert asked.depth("192.0.2.1", 104, NIGHT + 12 * 3600) is None


def test_a_permit_ends_with_the_hours() -> None:
    closes = at("2026-11-22T05:00:00+01:00")
    asked = scope(BODY, limits=HOURS)

    assert asked.permit(endpoint("192.0.2.1"), Rung.CONNECT, closes - 1).valid_until == closes
    assert "outside the hours" in reason(asked, "192.0.2.1", moment=closes)


def test_a_permit_ends_with_the_authorisation() -> None:
    asked = scope(BODY, valid_until="2026-11-21")
    ends = at("2026-11-22T00:00:00+00:00")

    assert asked.expires == ends
    assert asked.permit(endpoint("192.0.2.1"), Rung.CONNECT, ends - 1).valid_until == ends
    assert reason(asked, "192.0.2.1", moment=ends) == "the authorisation ended with 2026-11-21"
    assert reason(asked, "192.0.2.1", moment=ends + 1e9) == "the authorisation ended with 2026-11-21"


def test_a_scope_that_expires_before_it_opens_says_never_again() -> None:
    asked = scope(BODY, limits=HOURS, valid_until="2026-11-21")

    # In the zone of the hours the last day ends at midnight, an hour before UTC's.
    assert asked.permit(endpoint("192.0.2.1"), Rung.CONNECT, NIGHT).valid_until == NIGHT + PERMIT_SECONDS
    assert "ended" in reason(asked, "192.0.2.1", moment=at("2026-11-22T00:30:00+01:00"))
    daytime = scope(BODY, limits='hours = "00:00-01:00"\ntimezone = "UTC"', valid_until="2026-11-21")
    assert reason(daytime, "192.0.2.1", moment=at("2026-11-21T12:00:00+00:00")).endswith(
        "it opens never again"
    )


def built(basis: Basis, deepest: Rung, target: Rung, until: dt.date | None = dt.date(2027, 1, 1)) -> Scope:
    """A scope that no file could say, put together by hand."""
    return Scope(
        name="by hand",
        authorisation=Authorisation(basis, "a", "b", "c", until),
        limits=Limits(deepest=deepest),
        position=Position.OUTSIDE,
        identity=Identity(),
        rules=(Target(ipaddress.ip_network("192.0.2.1"), (104,), target),),
    )


@pytest.mark.parametrize("deepest", list(Rung))
@pytest.mark.parametrize("target", list(Rung))
@pytest.mark.parametrize("basis", list(Basis))
def test_no_scope_goes_deeper_than_its_basis_even_if_put_together_by_hand(
    deepest: Rung, target: Rung, basis: Basis
) -> None:
    ceiling = {Basis.OWNER: Rung.SAMPLE, Basis.MANDATE: Rung.BLANK_QUERY, Basis.RESEARCH: Rung.NEGOTIATE}[
        basis
    ]
    asked = built(basis, deepest, target)

    assert asked.depth("192.0.2.1", 104) is min(deepest, target, ceiling)
    for rung in Rung:
        if rung is not Rung.PASSIVE and rung <= min(deepest, target, ceiling):
            assert asked.permit(endpoint("192.0.2.1"), rung, MOMENT).rung is rung
        else:
            assert reason(asked, "192.0.2.1", rung=rung)


def test_a_sample_without_an_end_is_a_blank_query_at_most() -> None:
    assert built(Basis.OWNER, Rung.SAMPLE, Rung.SAMPLE, None).depth("192.0.2.1", 104) is Rung.BLANK_QUERY


def test_called_titles_are_per_endpoint() -> None:
    asked = scope(BODY)

    assert asked.called_ae("2001:db8::1", 104) == "ARCHIVE"
    assert asked.called_ae("192.0.2.1", 104) is None
    assert asked.called_ae("198.51.100.1", 104) is None


def test_targets_come_lazily_each_once_without_the_excluded() -> None:
    asked = scope(
        '[[targets]]\nrange = "192.0.2.0/30"\nports = "104,106"\n'
        '[[targets]]\nrange = "192.0.2.2/31"\nports = "104-105"\n'
        '[[exclude]]\nrange = "192.0.2.1"\nreason = "x"\n'
    )

    assert list(asked.targets()) == [
        ("192.0.2.0", 104),
        ("192.0.2.0", 106),
        ("192.0.2.2", 104),
        ("192.0.2.2", 105),
        ("192.0.2.2", 106),
        ("192.0.2.3", 104),
        ("192.0.2.3", 105),
        ("192.0.2.3", 106),
    ]
    assert asked.count() == 8
    assert asked.counts() == {Rung.BLANK_QUERY: 8}


@pytest.mark.parametrize(
    ("range_", "count", "first"),
    [("11.0.0.0/8", 2**24 * 3, "11.0.0.0"), ("2001:db8::/32", 2**96 * 3, "2001:db8::")],
)
def test_a_huge_range_is_never_listed(range_: str, count: int, first: str) -> None:
    asked = scope(f'[[targets]]\nrange = "{range_}"\nports = "104-106"\n')

    assert asked.count() == count
    assert [port for address, port in islice(asked.targets(), 3) if address == first] == [104, 105, 106]
    assert sys.getsizeof(asked.targets()) < 1000


def test_a_scope_of_ten_thousand_ranges_permits_each_and_nothing_between() -> None:
    body = "".join(
        f'[[targets]]\nrange = "11.{i >> 8}.{i & 255}.16/28"\nports = [104]\n' for i in range(10_000)
    )
    asked = scope(body)

    assert asked.count() == 160_000
    for i in range(0, 10_000, 97):
        prefix = f"11.{i >> 8}.{i & 255}"
        for last in (16, 31):
            asked.permit(endpoint(f"{prefix}.{last}"), Rung.CONNECT, MOMENT)
        assert asked.depth(f"{prefix}.15", 104) is asked.depth(f"{prefix}.32", 104) is None


def test_a_scope_can_be_sent_to_another_process() -> None:
    asked = scope(BODY, limits=HOURS)
    there = pickle.loads(pickle.dumps(asked))

    assert there == asked
    assert there.permit(endpoint("192.0.2.1"), Rung.CONNECT, NIGHT) == asked.permit(
        endpoint("192.0.2.1"), Rung.CONNECT, NIGHT
    )


def test_who_asks_is_said_in_the_user_agent() -> None:
    asked = scope(BODY + '[identity]\nurl = "https://example.org/scanning"\n')

    assert asked.user_agent("1.2") == "Leadglass/1.2 (+https://example.org/scanning; security@example.org)"
    assert scope(BODY).user_agent("1.2") == "Leadglass/1.2 (security@example.org)"


def test_an_exclusion_in_a_scope_by_hand_wins_over_everything() -> None:
    network = ipaddress.ip_network("192.0.2.1")
    asked = built(Basis.OWNER, Rung.SAMPLE, Rung.SAMPLE)
    shut = Scope(
        name=asked.name,
        authorisation=asked.authorisation,
        limits=asked.limits,
        position=asked.position,
        identity=asked.identity,
        rules=asked.rules,
        exclusions=(Exclusion(network, "x"),),
    )

    assert reason(shut, "192.0.2.1") == "excluded: x"
    assert list(shut.targets()) == []
