from __future__ import annotations

from dataclasses import fields

import pytest

from leadglass.lab.dicom import Manners
from leadglass.lab.personas import PERSONAS, Persona, Service, Truth
from leadglass.lab.places import places
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Capabilities, Kind, State

EACH = pytest.mark.parametrize("persona", [pytest.param(p, id=p.name) for p in PERSONAS])
SERVICES = pytest.mark.parametrize(
    ("persona", "service"),
    [pytest.param(p, s, id=f"{p.name}:{s.port}") for p in PERSONAS for s in p.services],
)
STORIES = {
    "open-archive",
    "empty-archive",
    "orthanc-like",
    "storage-only",
    "worklist-only",
    "verification-only",
    "caller-refused",
    "called-title-refused",
    "busy",
    "orthanc-web-open",
    "yes-man-web",
    "mutual-tls-1.2",
    "mutual-tls-1.3",
    "retired-tls",
    "dicomweb-open",
    "dicomweb-login",
    "honeypot",
    "veterinary",
    "demonstration",
    "slow",
    "ignores-keys",
    "half-pdu",
    "endless-pdu",
    "garbage",
    "wrong-length",
    "reset",
}


def test_everybody_is_there_once() -> None:
    names = [persona.name for persona in PERSONAS]

    assert len(set(names)) == len(names) >= 14
    assert set(names) >= STORIES


@EACH
def test_a_story_is_one_sentence(persona: Persona) -> None:
    assert persona.story.endswith(".")
    assert ". " not in persona.story
    assert len(persona.story) <= 100


@SERVICES
def test_nobody_needs_root(persona: Persona, service: Service) -> None:
    assert 1024 <= service.port < 32768


@SERVICES
def test_the_truth_is_told_in_the_words_of_verdicts(persona: Persona, service: Service) -> None:
    names = {field.name for field in fields(Capabilities)}

    assert service.truth.capabilities.keys() <= names
    assert all(isinstance(state, State) for state in service.truth.capabilities.values())


@SERVICES
def test_no_word_is_used_before_its_rung(persona: Persona, service: Service) -> None:
    plain = isinstance(service.behaviour, Manners)
    deeper = {Access.OFFERS_QUERY, Access.OFFERS_STORAGE, Access.VERIFICATION_ONLY}

    assert service.truth.at(Rung.ASSOCIATE) not in deeper
    if plain:
        assert service.truth.at(Rung.NEGOTIATE) is not Access.ANSWERS_QUERY
    assert service.truth.at(Rung.SAMPLE) is service.truth.at(Rung.BLANK_QUERY)


def test_most_of_the_words_occur() -> None:
    words = {s.truth.blank_query for p in PERSONAS for s in p.services}

    assert words == set(Access) - {Access.ASSOCIATES, Access.CLOSED, Access.FILTERED}


def test_every_kind_but_the_academic_is_played() -> None:
    assert {persona.kind for persona in PERSONAS} == set(Kind) - {Kind.TEACHING}


def test_each_way_to_house_them_has_a_place_for_everybody() -> None:
    for way in places(PERSONAS):
        doors = [(place.address, port) for place in way for port in place.ports]
        assert len(way) == len(PERSONAS)
        assert len(set(doors)) == len(doors)
        assert all(address.startswith("127.") and 1024 <= port < 65536 for address, port in doors)


def test_the_best_way_gives_each_a_host_and_its_usual_ports() -> None:
    best = next(places(PERSONAS))

    assert len({place.address for place in best}) == len(PERSONAS)
    assert [place.ports for place in best] == [tuple(s.port for s in p.services) for p in PERSONAS]


def test_two_labs_have_different_places() -> None:
    first, second, *_ = places(PERSONAS)

    assert not {place.address for place in first} & {place.address for place in second}


def test_a_true_verdict_does_not_differ() -> None:
    truth = Truth(Access.ASSOCIATES, Access.OFFERS_QUERY, Access.ANSWERS_QUERY, {"query": State.PROVED})

    assert truth.differences(Rung.ASSOCIATE, Access.ASSOCIATES, {"query": State.UNTESTED}) == ()
    assert truth.differences(Rung.BLANK_QUERY, Access.ANSWERS_QUERY, {"query": State.PROVED}) == ()


def test_a_false_verdict_differs_in_words() -> None:
    truth = Truth(Access.ASSOCIATES, Access.OFFERS_QUERY, Access.ANSWERS_QUERY, {"query": State.PROVED})

    assert truth.differences(Rung.BLANK_QUERY, Access.ASSOCIATES, {"query": State.REFUSED}) == (
        "the verdict is associates, the truth is answers-query",
        "query is said to be refused, the truth is proved",
    )
