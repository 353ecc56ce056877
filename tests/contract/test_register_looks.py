"""What a stored scan says of each address, in both databases."""

from __future__ import annotations

from tests.contract.reading import secured, store, told
from tests.contract.samples import look, plan, sighting

from leadglass.model.register import SeenPort
from leadglass.model.verdict import Access, Position, Severity
from leadglass.store import scans
from leadglass.store.database import Database
from leadglass.store.passive import keep
from leadglass.store.register_looks import looks


def test_every_address_is_told_once_with_the_ports_that_answer(database: Database) -> None:
    scan = store(
        database,
        [
            told("192.0.2.9", port=11112),
            told("192.0.2.9"),
            told("192.0.2.9", Access.CLOSED, port=80),
            told("192.0.2.10", Access.FILTERED),
            secured("2001:db8::1", "a"),
            told("10.0.0.1"),
        ],
    )

    found = {look.address: look for look in looks(database, scan)}

    assert list(found) == ["10.0.0.1", "192.0.2.9", "192.0.2.10", "2001:db8::1"]
    assert [port.port for port in found["192.0.2.9"].ports] == [104, 11112]
    assert found["192.0.2.10"].ports == ()
    assert found["192.0.2.9"].identity is None
    assert len(bytes.fromhex(found["2001:db8::1"].identity or "")) == 16


def test_of_several_places_the_worst_counts(database: Database) -> None:
    scan = scans.begin(database, plan(kind="import", hosts=0))
    for place, access in (("berlin", Access.WANTS_TITLE), ("paris", Access.OFFERS_QUERY)):
        keep(database, scan, [sighting(9, look(place, access=access))], place, Position.OUTSIDE)

    (found,) = looks(database, scan)

    assert found.ports == (SeenPort(104, Access.OFFERS_QUERY, Severity.HIGH, "paris"),)
