"""Who is let in, who is not, and what each learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import pytest

from leadglass.access.admission import Peer, Refusal, admit, admit_web, at_device, principal_of
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll, User

CT, PACS, REVOKED, OLD, STRANGER = "c1" * 32, "a2" * 32, "dd" * 32, "e4" * 32, "55" * 32
NOW = 1_800_000_000.0

ENROLLED = (
    Enrolled(
        "ct-1",
        Kind.DEVICE,
        titles=("CT1", "CT1 WORKLIST"),
        networks=("192.0.2.0/28", "2001:db8:1::/64"),
        roles=("modality",),
        institutions=("North",),
        modalities=("CT", "SR"),
        labels=("trial-7",),
        certificates=frozenset({CT, OLD}),
    ),
    Enrolled(
        "pacs", Kind.SERVICE, titles=("PACS",), networks=("198.51.100.9/32",), certificates=frozenset({PACS})
    ),
    Enrolled("old-us", Kind.DEVICE, titles=("US1",), networks=("192.0.2.32/28",), plain=True),
    Enrolled(
        "engineer",
        Kind.PERSON,
        titles=("SERVICE",),
        networks=("0.0.0.0/0",),
        plain=True,
        certificates=frozenset({"7e" * 32}),
        until=NOW,
    ),
)
ROLL = Roll(
    version=3,
    enrolled={each.name: each for each in ENROLLED},
    users={"ada": User("ada", "")},
    revoked=frozenset({REVOKED}),
)
TITLES = frozenset({"ARCHIVE", "ARCHIVE2"})

BY_TLS = Peer("192.0.2.7", CT, tls=True)
PLAIN = Peer("192.0.2.40", None, tls=False)


def asked(
    calling: str = "CT1", called: str = "ARCHIVE", peer: Peer = BY_TLS, now: float = NOW - 1
) -> Enrolled | Refusal:
    return admit(calling, called, peer, ROLL, TITLES, now)


def name_of(answer: Enrolled | Refusal) -> str:
    return answer.rule if isinstance(answer, Refusal) else answer.name


# ---- let in


@pytest.mark.parametrize(
    ("calling", "peer", "name"),
    [
        ("CT1", BY_TLS, "ct-1"),
        ("CT1             ", BY_TLS, "ct-1"),
        ("  CT1", BY_TLS, "ct-1"),
        ("CT1 WORKLIST", BY_TLS, "ct-1"),
        ("CT1", replace(BY_TLS, certificate=OLD), "ct-1"),
        ("CT1", replace(BY_TLS, address="::ffff:192.0.2.7"), "ct-1"),
        ("CT1", replace(BY_TLS, address="2001:db8:1::7"), "ct-1"),
        ("US1", PLAIN, "old-us"),
        ("SERVICE", Peer("203.0.113.5", "7e" * 32, tls=True), "engineer"),
    ],
)
def test_whoever_is_enrolled_is_let_in(calling: str, peer: Peer, name: str) -> None:
    assert name_of(asked(calling, peer=peer)) == name


@pytest.mark.parametrize("called", ["ARCHIVE", " ARCHIVE2 "])
def test_each_title_of_the_archive_is_known(called: str) -> None:
    assert name_of(asked(called=called)) == "ct-1"


# ---- turned away

CALLING, CALLED, NO_REASON = (1, 1, 3), (1, 1, 7), (1, 2, 1)
HOMOGLYPH, FULLWIDTH = "\u0421T1", "\uff23T1"

WRONG: Mapping[str, tuple[str, str, Peer, float, str, tuple[int, int, int]]] = {
    "another's title": ("PACS", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "another case": ("ct1", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "an unknown title": ("NOBODY", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "a longer title": ("CT12", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "a space within": ("CT 1", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "two spaces within": ("CT1  WORKLIST", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "a blank title": (" " * 16, "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "no title": ("", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a NUL behind": ("CT1\0\0\0", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a NUL within": ("CT1\0PACS", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a tab": ("CT1\t", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a line break": ("CT1\n", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a backslash": ("CT1\\PACS", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a delete": ("CT1\x7f", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a no-break space": ("CT1\xa0", "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a Cyrillic letter": (HOMOGLYPH, "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "a full-width letter": (FULLWIDTH, "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "seventeen characters": ("CT1" + "X" * 14, "ARCHIVE", BY_TLS, 0, "calling-title-malformed", CALLING),
    "an unknown archive": ("CT1", "OTHER", BY_TLS, 0, "called-title-unknown", CALLED),
    "an archive in another case": ("CT1", "archive", BY_TLS, 0, "called-title-unknown", CALLED),
    "any archive": ("CT1", "ANY-SCP", BY_TLS, 0, "called-title-unknown", CALLED),
    "a blank archive": ("CT1", " ", BY_TLS, 0, "called-title-malformed", CALLED),
    "an archive that is a path": ("CT1", "../../etc", BY_TLS, 0, "called-title-unknown", CALLED),
    "a stolen title without certificate": (
        "CT1",
        "ARCHIVE",
        Peer("192.0.2.7", None, tls=False),
        0,
        "title-unknown",
        CALLING,
    ),
    "TLS without certificate": (
        "US1",
        "ARCHIVE",
        Peer("192.0.2.40", None, tls=True),
        0,
        "certificate-missing",
        NO_REASON,
    ),
    "a certificate without TLS": (
        "CT1",
        "ARCHIVE",
        replace(BY_TLS, tls=False),
        0,
        "certificate-without-tls",
        NO_REASON,
    ),
    "a stranger's certificate": (
        "CT1",
        "ARCHIVE",
        replace(BY_TLS, certificate=STRANGER),
        0,
        "certificate-unknown",
        NO_REASON,
    ),
    "a revoked certificate": (
        "CT1",
        "ARCHIVE",
        replace(BY_TLS, certificate=REVOKED),
        0,
        "certificate-revoked",
        NO_REASON,
    ),
    "a certificate carried elsewhere": (
        "CT1",
        "ARCHIVE",
        replace(BY_TLS, address="203.0.113.5"),
        0,
        "network-of-another",
        NO_REASON,
    ),
    "no address": ("CT1", "ARCHIVE", replace(BY_TLS, address="?"), 0, "network-of-another", NO_REASON),
    "another's certificate with one's own title": (
        "CT1",
        "ARCHIVE",
        Peer("198.51.100.9", PACS, tls=True),
        0,
        "title-of-another",
        CALLING,
    ),
    "a plain title through TLS": ("US1", "ARCHIVE", BY_TLS, 0, "title-of-another", CALLING),
    "a plain title from elsewhere": (
        "US1",
        "ARCHIVE",
        replace(PLAIN, address="203.0.113.5"),
        0,
        "network-of-another",
        CALLING,
    ),
    "an unknown plain title": ("US2", "ARCHIVE", PLAIN, 0, "title-unknown", CALLING),
    "at the end of its time": (
        "SERVICE",
        "ARCHIVE",
        Peer("203.0.113.5", "7e" * 32, tls=True),
        NOW,
        "enrolment-ended",
        NO_REASON,
    ),
    "after its time": (
        "SERVICE",
        "ARCHIVE",
        Peer("203.0.113.5", None, tls=False),
        NOW + 1,
        "enrolment-ended",
        NO_REASON,
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_this_is_turned_away_by_its_own_rule(what: str) -> None:
    calling, called, peer, now, rule, triple = WRONG[what]
    answer = asked(calling, called, peer, now)

    assert isinstance(answer, Refusal)
    assert answer.rule == rule
    assert (answer.result, answer.source, answer.diagnostic) == triple
    assert answer.reason.isprintable()
    assert answer.reason.isascii()


def test_a_stranger_on_the_plain_listener_cannot_find_out_titles() -> None:
    elsewhere = Peer("203.0.113.5", None, tls=False)
    answers = [asked(title, "ARCHIVE", elsewhere) for title in ("US1", "CT1", "NOBODY", "")]

    assert len({(a.result, a.source, a.diagnostic) for a in answers if isinstance(a, Refusal)}) == 1
    assert all(isinstance(answer, Refusal) for answer in answers)


def test_who_is_not_let_in_does_not_learn_what_the_archive_is_called() -> None:
    stranger = replace(BY_TLS, certificate=STRANGER)

    assert asked("CT1", "ARCHIVE", stranger) == asked("CT1", "OTHER", stranger)


def test_revocation_counts_even_where_the_certificate_is_still_on_the_roll() -> None:
    both = replace(ROLL, revoked=frozenset({CT}))

    assert name_of(admit("CT1", "ARCHIVE", BY_TLS, both, TITLES, 0)) == "certificate-revoked"


# ---- more than one could be meant


def roll_of(*enrolled: Enrolled) -> Roll:
    return Roll(1, {each.name: each for each in enrolled}, {})


def test_a_shared_certificate_means_whoever_has_the_title_there() -> None:
    one, two = (replace(ENROLLED[0], name=name, titles=(name.upper(),)) for name in ("a", "b"))

    assert name_of(admit("B", "ARCHIVE", BY_TLS, roll_of(one, two), TITLES, 0)) == "b"


def test_where_it_cannot_be_told_who_it_is_nobody_is_let_in() -> None:
    one, two = (replace(ENROLLED[0], name=name) for name in ("a", "b"))
    plain = [replace(each, plain=True) for each in (one, two)]

    assert name_of(admit("CT1", "ARCHIVE", BY_TLS, roll_of(one, two), TITLES, 0)) == "ambiguous"
    assert name_of(admit_web(BY_TLS, roll_of(one, two), 0)) == "ambiguous"
    unsigned = Peer("192.0.2.7", None, tls=False)
    assert name_of(admit("CT1", "ARCHIVE", unsigned, roll_of(*plain), TITLES, 0)) == "ambiguous"


def test_an_enrolment_that_has_ended_makes_nothing_ambiguous() -> None:
    old, new = replace(ENROLLED[0], name="old", until=5.0), replace(ENROLLED[0], name="new")

    assert name_of(admit("CT1", "ARCHIVE", BY_TLS, roll_of(old, new), TITLES, 9.0)) == "new"


# ---- the web


@pytest.mark.parametrize(
    ("peer", "now", "name"),
    [
        (BY_TLS, 0, "ct-1"),
        (Peer("203.0.113.5", "7e" * 32, tls=True), NOW - 1, "engineer"),
        (Peer("203.0.113.5", "7e" * 32, tls=True), NOW, "enrolment-ended"),
        (replace(BY_TLS, address="203.0.113.5"), 0, "network-of-another"),
        (replace(BY_TLS, certificate=REVOKED), 0, "certificate-revoked"),
        (replace(BY_TLS, certificate=STRANGER), 0, "certificate-unknown"),
        (replace(BY_TLS, certificate=None), 0, "certificate-missing"),
        (replace(BY_TLS, tls=False), 0, "certificate-missing"),
        (PLAIN, 0, "certificate-missing"),
    ],
)
def test_the_web_is_entered_by_certificate_alone(peer: Peer, now: float, name: str) -> None:
    assert name_of(admit_web(peer, ROLL, now)) == name


# ---- principals


def test_a_principal_has_all_that_its_enrolment_grants() -> None:
    principal = principal_of(ENROLLED[0])

    assert principal == Principal(
        Kind.DEVICE,
        "ct-1",
        roles=frozenset({"modality"}),
        titles=frozenset({"CT1", "CT1 WORKLIST"}),
        institutions=frozenset({"North"}),
        modalities=frozenset({"CT", "SR"}),
        labels=frozenset({"trial-7"}),
    )


def test_a_person_at_a_device_has_its_modalities_and_titles_and_nothing_else_of_it() -> None:
    ada = Principal(Kind.PERSON, "ada", roles=frozenset({"technologist"}), institutions=frozenset({"South"}))
    there = at_device(ada, ENROLLED[0])
    changed = {f.name for f in fields(Principal) if getattr(there, f.name) != getattr(ada, f.name)}

    assert changed == {"titles", "modalities"}
    assert (there.titles, there.modalities) == (frozenset({"CT1", "CT1 WORKLIST"}), frozenset({"CT", "SR"}))
