"""What the processes of a scan tell each other arrives as it was said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Severity
from leadglass.scan.messages import (
    Drop,
    Hungry,
    Message,
    Result,
    Setup,
    SoFar,
    Stop,
    Task,
    Trouble,
    Turn,
    decode,
    encode,
    stretches,
)

SETUP = Setup(
    "01J", "name = 'ü'", "scope.toml", (("pacs.example", ("192.0.2.1",)),), 4, "00" * 16, "2.25.1", 2, 250.5
)
LOOK = Look(
    '[["tcp","outcome","open"]]', '{"a":1}', Rung.ASSOCIATE, Access.ASSOCIATES, Severity.HIGH, "Orthanc", None,
    bytes(range(16)), "0.1",
)  # fmt: skip
OTHER = Look("[]", "{}", Rung.CONNECT, Access.CLOSED, Severity.NONE, None, None, None, "0.1")


@pytest.mark.parametrize(
    "message",
    [
        SETUP,
        Task(7, 0, 1 << 61),
        Task(7, 3, 5, (("192.0.2.1", (104, 105)), ("2001:db8::1", (104,)))),
        Turn(0.0, 12.5),
        Drop((1, 2)),
        Stop(),
        Hungry(),
        SoFar(((7, 3), (8, 1 << 20))),
        Trouble("no descriptors", "raise the limit"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_comes_back(message: Message) -> None:
    assert decode(encode(message)) == message


@given(
    st.lists(
        st.tuples(
            st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)),
            st.integers(0, 65535),
            st.integers(0, 2**32 - 1),
            st.sampled_from([None, "192.0.2.99", "2001:db8::99"]),
            st.sampled_from([LOOK, OTHER]),
        ),
        max_size=30,
    ),
    st.lists(st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)), max_size=3),
)
def test_a_result_comes_back_with_every_sighting(
    seen: list[tuple[object, int, int, str | None, Look]], rest: list[tuple[int, int]]
) -> None:
    sightings = [Sighting(pack(str(a), port), moment, source, look) for a, port, moment, source, look in seen]
    back = decode(encode(Result(3, sightings, tuple(rest))))

    assert isinstance(back, Result)
    assert (back.shard, back.rest) == (3, tuple(rest))
    assert sorted(map(plain, back.sightings)) == sorted(map(plain, sightings))


def plain(sighting: Sighting) -> tuple[bytes, int, str, bytes, str, str]:
    look = sighting.look
    return (
        sighting.endpoint,
        sighting.observed_at,
        str(sighting.source),
        look.digest + look.evidence_digest + (look.identity or b""),
        f"{look.access} {look.severity} {look.rung}",
        f"{look.product} {look.version} {look.judged_by}",
    )


@given(st.sets(st.integers(0, 60)))
def test_stretches_hold_exactly_the_positions(positions: set[int]) -> None:
    found = list(stretches(sorted(positions)))

    assert [n for first, after in found for n in range(first, after)] == sorted(positions)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(found))
