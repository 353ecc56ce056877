"""Many sightings are kept as few objects, and are the same sightings to whoever goes through them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.samples import whole_scan

from leadglass.model.key import pack
from leadglass.model.look import Look, Sighting, Sightings, evidence_in
from leadglass.model.record import ScanRecord
from leadglass.model.rung import Rung
from leadglass.model.verdict import Access, Severity

LOOKS = [
    Look("[]", f'{{"a":{n}}}', Rung.CONNECT, Access.CLOSED, Severity.NONE, None, None, None, "0.1")
    for n in range(3)
]
SIGHTINGS = st.lists(
    st.builds(
        Sighting,
        st.integers(0, 3).map(lambda n: pack(f"192.0.2.{n}", 104)),
        st.integers(0, 2**32 - 1),
        st.sampled_from([None, "192.0.2.99", "2001:db8::99"]),
        st.sampled_from(LOOKS),
    ),
    max_size=12,
)


@given(SIGHTINGS)
def test_sightings_are_what_they_were_made_of(given_: list[Sighting]) -> None:
    made = Sightings.of(given_)

    assert list(made) == given_
    assert (len(made), Sightings.of(made)) == (len(given_), made)
    assert list(made[1:]) == given_[1:]
    assert len(made.looks) == len({sighting.look for sighting in given_})
    assert len(made.sources) == len({sighting.source for sighting in given_})


@pytest.mark.parametrize("made", whole_scan(), ids=lambda record: str(record.endpoint))
def test_evidence_in_a_body_is_that_of_the_record(made: ScanRecord) -> None:
    body = json.loads(made.body())

    assert evidence_in(body) == made.observed()

    body["evidence"][0]["value"] = "another"
    with pytest.raises(ValueError, match="does not match its digest"):
        evidence_in(body)
