"""What stands behind it: the prior, the tells of honeypots, and what they may not do."""

from __future__ import annotations

import math

import pytest
from tests.unit.judge.vectors import DCMTK, OPEN, PYNETDICOM, SERVERS, accepted, granted, page, verdict, web

from leadglass.judge.nature import prior, tells
from leadglass.model.evidence import AssociateEvidence, Evidence
from leadglass.model.verdict import Kind
from leadglass.probe.negotiate import OFFERED


def honeypot(*evidence: Evidence) -> float:
    """The share of honeypots after ``evidence``."""
    return verdict(*evidence).nature.shares[Kind.HONEYPOT]


def persona(uid: str, name: str, length: int = 16384) -> AssociateEvidence:
    """An association under a borrowed identity."""
    return accepted((uid, name, length))


def test_the_prior_is_the_one_of_the_blueprint() -> None:
    assert prior() == {
        Kind.CLINICAL: 0.35,
        Kind.DEMO: 0.15,
        Kind.TEACHING: 0.15,
        Kind.EXPERIMENTAL: 0.2,
        Kind.NON_HUMAN: 0.05,
        Kind.HONEYPOT: 0.1,
    }


@pytest.mark.parametrize("server", [name for name in SERVERS if name != "dicompot"])
def test_no_real_server_shows_a_tell(server: str) -> None:
    seen = verdict(*SERVERS[server])

    assert seen.nature.prior == prior()
    assert "nature.tell" not in {reason.rule for reason in seen.reasons}


SHOWN: list[tuple[str, list[Evidence]]] = [
    ("no-implementation-class-uid", [accepted(implementation_class_uid=None, user_items=("51H",))]),
    ("accepts-anything", [accepted(), granted(*OFFERED, invented=0)]),
    ("dicompot-length", list(SERVERS["dicompot"])),
    ("dicomhawk-orthanc", [persona("1.2.826.0.1.3680043.9.3811.2.0.1", "ORTHANC")]),
    ("dicomhawk-ge-ct", [persona("1.2.840.113619.6.96", "GE_PACS_REV_24")]),
    ("dicomhawk-siemens-ct", [persona("1.3.12.2.1107.5.2", "syngo CT VA48A")]),
    ("dicomhawk-philips-mr", [persona("1.3.46.670589.11", "PHILIPS_MR_56.1")]),
    ("dicomhawk-fujifilm", [persona("1.2.840.113845.1.1", "Syn7,3,0,1")]),
    ("dicomhawk-fujifilm-length", [persona("1.2.840.113845.1.1", "Syn7,3,0,1", 65000)]),
    ("borrowed-identity", [persona("1.2.840.113619.6.96", "GE_OTHER", 16382)]),
    ("dicomhawk-web", [web(page("/", 200, "synapse-sign-on", "dicomhawk-synapse"))]),
]


@pytest.mark.parametrize(("tell", "evidence"), SHOWN, ids=[tell for tell, _ in SHOWN])
def test_each_tell_is_seen_and_said(tell: str, evidence: list[Evidence]) -> None:
    says = next(row.says for row in tells() if row.id == tell)

    seen = verdict(*evidence)

    assert says in {reason.text for reason in seen.reasons if reason.rule == "nature.tell"}
    assert seen.nature.shares[Kind.HONEYPOT] > prior()[Kind.HONEYPOT]


def test_each_tell_has_its_test() -> None:
    assert {row.id for row in tells()} == {tell for tell, _ in SHOWN}


def test_a_tell_moves_only_the_honeypot_and_keeps_the_others_proportions() -> None:
    shares = verdict(*SERVERS["dicompot"]).nature.shares
    others = [kind for kind in Kind if kind is not Kind.HONEYPOT]

    ratios = [shares[kind] / prior()[kind] for kind in others]

    assert all(math.isclose(ratio, ratios[0]) for ratio in ratios)
    assert math.isclose(sum(shares.values()), 1)
    assert min(shares.values()) > 0


def test_no_number_of_tells_makes_a_honeypot_certain() -> None:
    everything = [item for _, evidence in SHOWN for item in evidence]

    assert 0.9 < honeypot(*everything) < 0.95


@pytest.mark.parametrize(
    "evidence",
    [
        [accepted()],
        [accepted(user_items=())],
        [accepted(implementation_class_uid=None, user_items=())],
        [accepted(PYNETDICOM)],
        [persona("1.2.826.0.1.3680043.9.3811.2.0.1", "PYNETDICOM_201")],
        [persona("1.2.840.113845.1.1", "Syn7,3,0,258", 65000)],
        [persona("1.2.3.4", "MINE", 16382)],
        [persona(DCMTK[0], "EIGEN_361")],
        [accepted(), granted(invented=3)],
        [accepted(), granted(invented=0)],
        [accepted(), granted(*OFFERED, invented=3)],
        [accepted(), granted(invented=None)],  # type: ignore[arg-type]
        [OPEN],
    ],
)
def test_what_real_servers_do_too_is_no_tell(evidence: list[Evidence]) -> None:
    assert "nature.tell" not in {reason.rule for reason in verdict(*evidence).reasons}
    assert honeypot(*evidence) < 0.2


def test_a_synapse_that_looks_like_the_persona_is_far_from_condemned() -> None:
    assert honeypot(persona("1.2.840.113845.1.1", "Syn7,3,0,1", 65000)) < 0.5


def test_nothing_is_settled_and_it_is_said_what_would() -> None:
    trap, plain = verdict(*SERVERS["dicompot"]).nature, verdict(*SERVERS["orthanc"]).nature

    assert not trap.settled
    assert not plain.settled
    assert len(trap.settles) == len(plain.settles) == 3
