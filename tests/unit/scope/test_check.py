"""The scope of a quick look: deep on loopback, shallow in a private network, nothing beyond."""

from __future__ import annotations

import pytest
from tests.unit.scope.building import MOMENT

from leadglass.errors import ScopeDenied, UsageError
from leadglass.model.endpoint import Endpoint
from leadglass.model.rung import Rung
from leadglass.model.verdict import Position
from leadglass.scope.check import scope_for_check
from leadglass.scope.ports import parse_target
from leadglass.scope.rules import Basis


@pytest.mark.parametrize(
    ("target", "alone", "authorised"),
    [
        ("127.0.0.1:104", Rung.BLANK_QUERY, Rung.BLANK_QUERY),
        ("127.255.255.254:104", Rung.BLANK_QUERY, Rung.BLANK_QUERY),
        ("[::1]:104", Rung.BLANK_QUERY, Rung.BLANK_QUERY),
        ("10.0.0.1:104", Rung.ASSOCIATE, Rung.BLANK_QUERY),
        ("172.31.255.255:104", Rung.ASSOCIATE, Rung.BLANK_QUERY),
        ("192.168.0.1:104", Rung.ASSOCIATE, Rung.BLANK_QUERY),
        ("169.254.1.1:104", Rung.ASSOCIATE, Rung.BLANK_QUERY),
        ("[fd00::1]:104", Rung.ASSOCIATE, Rung.BLANK_QUERY),
    ],
)
def test_the_address_decides_how_deep(target: str, alone: Rung, authorised: Rung) -> None:
    asked = parse_target(target)
    word = "Dr. Who, head of radiology, change 4711"
    with_word = scope_for_check([asked], {}, authorised_by=word, moment=MOMENT)

    assert scope_for_check([asked], {}, moment=MOMENT).depth(asked.host, 104, MOMENT) is alone
    assert with_word.depth(asked.host, 104, MOMENT) is authorised


@pytest.mark.parametrize(
    "target",
    [
        "8.8.8.8",
        "192.0.2.1",
        "172.32.0.1",
        "[2001:db8::1]:104",
        "[64:ff9b::8.8.8.8]",
        "100.64.0.1",
        "9.255.255.255",
    ],
)
@pytest.mark.parametrize("authorised_by", [None, "NAME, REFERENCE"])
def test_other_addresses_need_a_scope_whoever_authorised_it(target: str, authorised_by: str | None) -> None:
    with pytest.raises(UsageError, match="leadglass scope new") as caught:
        scope_for_check([parse_target(target)], {}, authorised_by=authorised_by, moment=MOMENT)

    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "target", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "[::]:104", "[ff02::1]:104", "::ffff:10.0.0.1"]
)
def test_what_is_no_host_is_an_error(target: str) -> None:
    with pytest.raises(UsageError, match="not the address of a host"):
        scope_for_check([parse_target(target)], {}, moment=MOMENT)


def test_one_public_address_among_others_stops_everything() -> None:
    targets = [parse_target("127.0.0.1"), parse_target("8.8.8.8")]

    with pytest.raises(UsageError, match=r"8\.8\.8\.8"):
        scope_for_check(targets, {}, moment=MOMENT)


def test_a_name_counts_by_its_addresses() -> None:
    targets = [parse_target("pacs.hospital.lan:104"), parse_target("localhost:4242")]
    resolved = {"pacs.hospital.lan": ("10.0.0.5", "10.0.0.6"), "localhost": ("127.0.0.1", "::1")}
    scope = scope_for_check(targets, resolved, moment=MOMENT)

    assert list(scope.targets()) == [("10.0.0.5", 104), ("10.0.0.6", 104), ("127.0.0.1", 4242), ("::1", 4242)]
    assert scope.depth("10.0.0.5", 104) is Rung.ASSOCIATE
    assert scope.depth("::1", 4242) is Rung.BLANK_QUERY
    assert scope.depth("127.0.0.1", 104) is None
    assert scope.name == "check of pacs.hospital.lan, localhost"


def test_a_name_that_leads_to_the_internet_needs_a_scope() -> None:
    with pytest.raises(UsageError, match=r"pacs\.example\.org \(192\.0\.2\.1\): .*scope"):
        scope_for_check(
            [parse_target("pacs.example.org")],
            {"pacs.example.org": ("10.0.0.1", "192.0.2.1")},
            moment=MOMENT,
        )


@pytest.mark.parametrize("resolved", [{}, {"pacs.hospital.lan": ()}])
def test_a_name_that_leads_nowhere_is_an_error(resolved: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(UsageError, match=r"pacs.hospital.lan: the name has no address"):
        scope_for_check([parse_target("pacs.hospital.lan")], resolved, moment=MOMENT)


def test_whose_word_it_was_is_recorded() -> None:
    scope = scope_for_check(
        [parse_target("10.0.0.1")], {}, authorised_by="Dr. Who, head of radiology, change 4711", moment=MOMENT
    )

    assert scope.authorisation.granted_by == "Dr. Who, head of radiology"
    assert scope.authorisation.reference == "change 4711"
    assert scope.authorisation.basis is Basis.OWNER
    assert "Who" not in scope.user_agent("1.0"), "a person's name is not told to servers"
    assert scope.position is Position.UNKNOWN


@pytest.mark.parametrize(
    "authorised_by", ["", "Dr. Who", "Dr. Who,", ", change 4711", " , ", "Dr.\nWho, 4711"]
)
def test_a_word_without_name_or_reference_is_no_word(authorised_by: str) -> None:
    with pytest.raises(UsageError, match="NAME, REFERENCE") as caught:
        scope_for_check([parse_target("127.0.0.1")], {}, authorised_by=authorised_by, moment=MOMENT)

    assert "\n" not in str(caught.value)


def test_titles_are_passed_on_and_never_blank() -> None:
    targets = [parse_target("127.0.0.1:104")]
    scope = scope_for_check(targets, {}, called_ae="ARCHIVE", calling_ae="WARD7", moment=MOMENT)

    assert scope.called_ae("127.0.0.1", 104) == "ARCHIVE"
    assert scope.identity.calling_ae == "WARD7"
    with pytest.raises(UsageError, match=r"--called-ae: .*blank"):
        scope_for_check(targets, {}, called_ae="  ", moment=MOMENT)
    with pytest.raises(UsageError, match=r"--calling-ae: .*16 are allowed"):
        scope_for_check(targets, {}, calling_ae="SEVENTEEN_LETTERS", moment=MOMENT)


def test_a_look_stands_for_two_days_at_most() -> None:
    scope = scope_for_check([parse_target("127.0.0.1:104")], {}, moment=MOMENT)

    assert 0 < scope.expires - MOMENT <= 48 * 3600
    with pytest.raises(ScopeDenied, match="ended"):
        scope.permit(Endpoint("127.0.0.1", 104), Rung.CONNECT, MOMENT + 48 * 3600)


def test_the_same_address_twice_is_one_target() -> None:
    targets = [parse_target("127.0.0.1:104"), parse_target("127.0.0.1:104,105")]

    assert list(scope_for_check(targets, {}, moment=MOMENT).targets()) == [
        ("127.0.0.1", 104),
        ("127.0.0.1", 105),
    ]


def test_a_name_is_remembered_for_sni_and_the_host_header() -> None:
    scope = scope_for_check(
        [parse_target("pacs.local:104"), parse_target("10.0.0.8:104")],
        {"pacs.local": ("10.0.0.7", "fd00::7")},
        moment=MOMENT,
    )

    assert (scope.name_of("10.0.0.7"), scope.name_of("fd00::7")) == ("pacs.local", "pacs.local")
    assert scope.name_of("10.0.0.8") is None
    assert sorted(scope.targets()) == [("10.0.0.7", 104), ("10.0.0.8", 104), ("fd00::7", 104)]
    assert scope.refused == ()
