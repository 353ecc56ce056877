"""Signs of what stands behind a server: each seen and said, none counted twice, guesses drawn to the mean."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
from tests.unit.judge.vectors import (
    CERTIFICATE,
    OPEN,
    PYNETDICOM,
    SERVERS,
    STORAGE_GRANTS,
    accepted,
    handshake,
)

from leadglass.judge.judge import judge
from leadglass.judge.knowledge import table
from leadglass.judge.nature import prior
from leadglass.judge.settling import information, open_bits, questions
from leadglass.judge.signs import Shown, Surroundings, rates, signs, strongest
from leadglass.model.evidence import Evidence, FeatureCount, Reply, SampleEvidence
from leadglass.model.rung import Rung
from leadglass.model.verdict import Kind, Position, Verdict

look = partial(judge, rung=Rung.SAMPLE, position=Position.UNKNOWN, port=11112)


def named(subject: str) -> Evidence:
    """A handshake with a certificate for this name."""
    return handshake(certificate=replace(CERTIFICATE, subject=subject, sans=()))


def sample(studies: int, **features: int) -> SampleEvidence:
    """A sample with so many studies that show each feature."""
    counts = tuple(FeatureCount(name.replace("_", "-"), count) for name, count in features.items())
    return SampleEvidence(Reply.ANSWERED, windows=10, studies=studies, patients=studies, features=counts)


SHOWN: list[tuple[str, list[Evidence], Surroundings]] = [
    ("certificate-hospital", [named("CN=pacs.klinikum-nord.example")], Surroundings()),
    ("certificate-veterinary", [named("CN=Tierklinik am See")], Surroundings()),
    ("certificate-university", [named("O=Université de Lyon")], Surroundings()),
    ("certificate-vendor", [named("CN=demo.pacs.example.org")], Surroundings()),
    ("host-hospital", [OPEN], Surroundings(host_names=("pacs.hospital-sur.example",))),
    ("host-veterinary", [OPEN], Surroundings(host_names=("vetclinic.example",))),
    ("host-university", [OPEN], Surroundings(host_names=("mri.physics.stateu.edu",))),
    ("host-test", [OPEN], Surroundings(host_names=("staging.pacs.org",))),
    ("host-vendor", [OPEN], Surroundings(host_names=("showroom.pacs.org",))),
    ("registry-hospital", [OPEN], Surroundings(registered_to=("Ospedale San Marco",))),
    ("registry-university", [OPEN], Surroundings(registered_to=("Daigaku Kogaku-bu",))),
    ("network-hosting", [OPEN], Surroundings(network_names=("Hetzner Online",))),
    ("network-access", [OPEN], Surroundings(host_names=("dsl-12-34.provider.example",))),
    ("fleet", [OPEN], Surroundings(alike=10)),
    (
        "client-certificate",
        [OPEN, handshake(certificate_requested=True, alert="certificate_required(116)")],
        Surroundings(),
    ),
    ("toolkit-server", [OPEN, accepted(PYNETDICOM), STORAGE_GRANTS], Surroundings()),
]


def said(verdict: Verdict) -> set[str]:
    """The signs in the reasons."""
    return {reason.text for reason in verdict.reasons if reason.rule == "nature.sign"}


@pytest.mark.parametrize(("sign", "evidence", "around"), SHOWN, ids=[sign for sign, _, _ in SHOWN])
def test_each_sign_is_seen_said_and_moves_towards_whom_it_speaks_of(
    sign: str, evidence: list[Evidence], around: Surroundings
) -> None:
    row = next(row for row in signs() if row.id == sign)
    kind = max(row.share, key=lambda kind: row.share[kind])

    verdict = look(evidence, surroundings=around)

    assert row.says in said(verdict)
    assert verdict.nature.shares[kind] > prior()[kind]
    assert math.isclose(sum(verdict.nature.shares.values()), 1)
    assert min(verdict.nature.shares.values()) > 0


def test_each_sign_has_its_test() -> None:
    assert {row.id for row in signs()} == {sign for sign, _, _ in SHOWN}


def test_signs_of_one_group_are_counted_once() -> None:
    one = look([named("CN=klinikum-nord.example")])
    two = look([named("CN=klinikum-nord.example"), named("CN=hospital-sur.example")])

    assert one.nature.shares == two.nature.shares


def test_of_a_group_the_most_telling_stands() -> None:
    weak = Shown("names", "weak", dict.fromkeys(Kind, 0.0) | {Kind.DEMO: 0.5})
    strong = Shown("names", "strong", dict.fromkeys(Kind, 0.0) | {Kind.DEMO: -2.0})
    other = Shown("other", "other", dict.fromkeys(Kind, 0.0))

    assert strongest([weak, strong, other]) == (strong, other)


def test_a_guess_is_drawn_towards_the_mean_and_more_so_the_weaker_it_is() -> None:
    for row in signs():
        mean = math.fsum(row.share.values()) / len(row.share)
        pull = table("nature")["signs"]["shrinkage"] / (row.weight + table("nature")["signs"]["shrinkage"])
        for kind, share in row.share.items():
            assert math.isclose(rates(row.id)[kind], share + (mean - share) * pull)


def test_nothing_around_it_changes_nothing() -> None:
    assert look(SERVERS["orthanc"]).nature.shares == prior()


# ---- samples


def test_a_sample_of_ordinary_recent_names_settles_a_clinic_and_its_data() -> None:
    verdict = look([*SERVERS["orthanc"], sample(200, ordinary_names=190, recent=90)])

    assert verdict.nature.shares[Kind.CLINICAL] > 0.6
    assert verdict.data == "identifiable"


def test_a_sample_of_teaching_cases_speaks_against_a_clinic() -> None:
    verdict = look([*SERVERS["orthanc"], sample(40, teaching_names=30, test_names=10)])

    assert verdict.nature.shares[Kind.CLINICAL] < 0.05
    assert verdict.data == "synthetic"


def test_a_sample_of_animals_is_told() -> None:
    verdict = look(
        [*SERVERS["orthanc"], sample(100, ordinary_names=90, species=80, animal_words=60, recent=40)]
    )

    assert max(verdict.nature.shares, key=lambda kind: verdict.nature.shares[kind]) is Kind.NON_HUMAN
    assert verdict.data == "non-human"


def test_masked_names_are_de_identified_data_but_some_ordinary_names_make_them_identifiable() -> None:
    assert look([*SERVERS["orthanc"], sample(100, masked_names=98)]).data == "de-identified"
    assert look([*SERVERS["orthanc"], sample(100, masked_names=85, ordinary_names=15)]).data == "identifiable"


def test_made_up_names_on_people_whose_identity_was_removed_are_not_called_synthetic() -> None:
    # As in the files of pydicom's DICOMDIR tests: seven studies, all with names of tests, six de-identified.
    assert look([*SERVERS["orthanc"], sample(7, test_names=7, identity_removed=6)]).data == "unknown"
    assert (
        look([*SERVERS["orthanc"], sample(200, test_names=190, identity_removed=160)]).data == "de-identified"
    )
    assert look([*SERVERS["orthanc"], sample(200, test_names=190, identity_removed=4)]).data == "synthetic"


def test_a_handful_of_studies_says_nothing_sure_of_the_data() -> None:
    verdict = look([*SERVERS["orthanc"], sample(2, masked_names=2)])

    assert verdict.data == "unknown"
    assert not verdict.nature.settled


def test_no_sample_makes_a_kind_certain_and_a_larger_one_tells_more() -> None:
    few = look([*SERVERS["orthanc"], sample(5, ordinary_names=5, recent=3)]).nature.shares
    many = look([*SERVERS["orthanc"], sample(100_000, ordinary_names=99_000, recent=50_000)]).nature.shares

    assert prior()[Kind.CLINICAL] < few[Kind.CLINICAL] < many[Kind.CLINICAL] < 1
    assert min(many.values()) > 1e-6


def test_an_empty_archive_says_nothing() -> None:
    assert look([*SERVERS["orthanc"], sample(0)]).nature.shares == prior()


def test_a_genuine_archive_with_the_data_of_a_honeypot_is_not_settled() -> None:
    verdict = look([*SERVERS["orthanc"], sample(60, collection_names=60, research_uids=60)])

    assert not verdict.nature.settled
    assert verdict.nature.shares[Kind.HONEYPOT] < 0.6


# ---- what would settle it


def test_the_question_that_tells_most_comes_first_with_its_bits() -> None:
    told = questions(prior(), ())

    assert "rung sample" in told[0]
    assert len(told) == 3
    bits = [float(one.split("tell ")[1].split()[0]) for one in told]
    assert bits == sorted(bits, reverse=True)
    assert all(0 < bit < open_bits(prior()) for bit in bits)


def test_a_question_that_was_answered_is_not_asked_again() -> None:
    assert not any("rung sample" in one for one in questions(prior(), {"names"}))


def test_information_is_none_when_all_kinds_answer_alike_and_all_when_one_answers_alone() -> None:
    even = dict.fromkeys(Kind, 1 / 6)

    assert math.isclose(information(even, dict.fromkeys(Kind, 0.3)), 0, abs_tol=1e-12)
    alone = {kind: float(kind is Kind.DEMO) for kind in Kind}
    assert math.isclose(information(even, alone), -(1 / 6) * math.log2(1 / 6) - (5 / 6) * math.log2(5 / 6))
