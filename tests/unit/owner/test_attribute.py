"""What the sources say together, and that nothing is said more surely than they say it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.owner.attribute import attribute
from leadglass.owner.clues import Clue, Source, domain_of, in_certificate
from leadglass.owner.contacts import Contact, Way, csirts, in_order, security_txt
from leadglass.owner.gather import registered, whom

REGISTERED = Clue(Source.REGISTRY, "Röntgenpraxis Waldsee GmbH", "DE", "2026-01-01")
CERTIFIED = Clue(Source.CERTIFICATE, "pacs.waldsee.example")
PROVIDER = Clue(Source.NETWORK, "Contabo Hosting", "DE")


def test_sources_that_name_the_same_agree_and_are_believed_more_than_each() -> None:
    told = attribute([CERTIFIED, REGISTERED, Clue(Source.CONFIRMED_NAME, "mail.waldsee.example")])

    assert len(told.candidates) == 1
    assert math.isclose(told.candidates[0].agreement, 1 - 0.4 * 0.5 * 0.5)
    assert told.country == "DE"
    assert "agree" in told.says
    assert "geography (DE)" in told.says


@pytest.mark.parametrize(
    ("subject", "sans", "names"),
    [
        ("CN=*.waldsee.example", ("*.waldsee.example", "192.0.2.7"), {"waldsee.example"}),
        ("CN=pacs01,O=Klinik Waldsee,C=DE", (), {"Klinik Waldsee"}),
        (
            r"O=Waldsee\, Radiology \+ Partner,CN=PACS.waldsee.example",
            (),
            {"Waldsee, Radiology + Partner", CERTIFIED.name},
        ),
        ("CN=localhost,O=Internet Widgits Pty Ltd,ST=Some-State", ("localhost",), set()),
    ],
)
def test_a_certificate_names_hosts_and_an_organisation(
    subject: str, sans: tuple[str, ...], names: set[str]
) -> None:
    found = set(in_certificate(subject, sans))

    assert {clue.name for clue in found} == names
    assert {clue.source for clue in found} <= {Source.CERTIFICATE}


def test_who_is_named_as_surely_is_not_said_to_be_named_less_surely() -> None:
    told = attribute(in_certificate("CN=archive.example,O=Klinik Waldsee", ()))

    assert told.says.endswith("by certificate alone, 1 more named, and as surely")


def test_a_provider_is_not_the_tenant() -> None:
    told = attribute([PROVIDER, Clue(Source.NAME, "vps-12.contabo-hosting.example")])

    assert told.says == "Contabo Hosting provides hosting or access; the tenant is unknown"


def test_a_tenant_stands_before_its_provider() -> None:
    told = attribute([PROVIDER, CERTIFIED])

    assert [one.name for one in told.candidates] == ["waldsee.example", "Contabo Hosting"]
    assert told.says.startswith("waldsee.example, by certificate alone")


def test_countries_that_differ_are_said_and_none_is_chosen() -> None:
    told = attribute([REGISTERED, Clue(Source.NETWORK, "Some Network", "FR")])

    assert told.country is None
    assert "geography does not agree (DE, FR)" in told.says


def test_the_owners_word_overrules() -> None:
    told = attribute([CERTIFIED, Clue(Source.STATEMENT, "Waldsee Radiology")])

    assert told.candidates[0].agreement == 1
    assert told.says == "Waldsee Radiology, by its own word"


def test_words_that_many_names_share_are_no_agreement() -> None:
    told = attribute(
        [Clue(Source.REGISTRY, "Hospital Clinic Group"), Clue(Source.CERTIFICATE, "hospital.example")]
    )

    assert len(told.candidates) == 2


def test_nothing_known_is_said() -> None:
    assert attribute([]).says == "nothing that was asked names anybody"


@given(
    st.lists(
        st.builds(Clue, st.sampled_from(Source), st.text(max_size=40), st.sampled_from([None, "DE", "BR"]))
    )
)
def test_whatever_sources_say_every_clue_is_in_one_candidate_and_agreement_is_a_share(
    clues: list[Clue],
) -> None:
    told = attribute(clues)

    assert sorted(map(repr, (clue for one in told.candidates for clue in one.clues))) == sorted(
        map(repr, set(clues))
    )
    assert all(0 < one.agreement <= 1 for one in told.candidates)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("pacs.hospital.org.br", "hospital.org.br"),
        ("mri.hospital.example", "hospital.example"),
        ("HOSPITAL.EXAMPLE.", "hospital.example"),
        ("uni.ac.uk", "uni.ac.uk"),
        ("ac.uk", "ac.uk"),
        ("localhost", None),
        ("192.0.2.1", None),
        ("Hospital Sur", None),
        ("a..b", None),
        ("", None),
    ],
)
def test_the_domain_under_which_a_name_is_registered(name: str, domain: str | None) -> None:
    assert domain_of(name) == domain


# ---- contacts


def test_contacts_come_in_the_order_that_works_each_once() -> None:
    found = in_order(
        [
            Contact(Way.CSIRT, "https://cert.example", "CERT"),
            Contact(Way.ABUSE, "Abuse@provider.example", "provider"),
            Contact(Way.OWN, "it@waldsee.example", "IT"),
            Contact(Way.REGISTRY, "abuse@provider.example", "provider"),
        ]
    )

    assert [contact.way for contact in found] == [Way.OWN, Way.ABUSE, Way.CSIRT]


def test_the_csirt_of_the_country_stands_last() -> None:
    assert whom([Contact(Way.ABUSE, "abuse@provider.example", "provider")], "DE")[-1].of == "CERT-Bund"
    assert whom([], None) == ()
    assert all(len(country) == 2 and row.page.startswith("https://") for country, row in csirts().items())


def test_of_a_security_txt_only_contacts_that_are_some_are_taken() -> None:
    text = "# hello\nContact: mailto:psirt@waldsee.example\ncontact: https://waldsee.example/report\nContact: javascript:alert(1)\nContact: tel:+49\nExpires: 2027-01-01T00:00:00Z\n"

    assert [contact.address for contact in security_txt(text, "waldsee.example")] == [
        "psirt@waldsee.example",
        "https://waldsee.example/report",
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.text() | st.integers(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["country", "entities", "abuse", "registrant", "name", "email"]), inner
            )
        ),
    )
)
def test_whatever_a_registry_answers_only_clues_and_contacts_come_out(answer: object) -> None:
    if isinstance(answer, dict):
        assert all(isinstance(one, Clue | Contact) for one in registered(answer))
