"""What others saw is kept: all of it, each endpoint once, and the latest look at it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from tests.contract.samples import BEGAN, look, plan, sighting, ulid
from tests.contract.test_work import changes, count, recorded, run

from leadglass.model.look import Sighting
from leadglass.model.verdict import Position
from leadglass.store import passive, scans
from leadglass.store.database import Database
from leadglass.store.passive import keep
from leadglass.store.schema import endpoints, observations, verdicts


def imported(database: Database, number: int = 1) -> scans.StoredScan:
    return scans.begin(database, plan(ulid=ulid(number), kind="import", hosts=0, began=BEGAN + number))


def test_more_than_a_batch_is_kept_without_a_list_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passive, "_BATCH", 50)
    scan = imported(database)
    alive = 0

    def stream() -> Iterator[Sighting]:
        nonlocal alive
        for host in range(1234):
            alive = max(alive, host - count(database, "observations") if host % 100 == 99 else 0)
            yield sighting(host, look(f"product {host % 7}"))

    assert keep(database, scan, stream(), "shodan", Position.OUTSIDE) == 1234
    assert len(recorded(database)) == 1234
    assert alive <= 100
    assert scans.complete(database, scan)


@pytest.mark.parametrize("batch", [1, 2, 5000])
@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_of_an_endpoint_that_comes_again_the_latest_look_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch, batch: int, order: tuple[int, ...]
) -> None:
    monkeypatch.setattr(passive, "_BATCH", batch)
    run(
        database,
        9,
        [sighting(1, look("before"), at=BEGAN - 100), sighting(2, look("look 3"), at=BEGAN - 100)],
    )
    scan = imported(database, 10)
    found = [sighting(host, look(f"look {at}"), at=BEGAN + at) for at in order for host in (1, 2, 3)]

    assert keep(database, scan, found, "here", Position.OUTSIDE) == 9

    with database.read() as connection:
        query = select(observations.c.observed_at, verdicts.c.product)
        kept = query.join(verdicts, verdicts.c.id == observations.c.verdict)
        assert set(connection.execute(kept.where(observations.c.scan == scan.id))) == {(BEGAN + 3, "look 3")}
        latest = select(endpoints.c.last_seen, verdicts.c.product)
        assert set(connection.execute(latest.join(verdicts, verdicts.c.id == endpoints.c.verdict))) == {
            (BEGAN + 3, "look 3")
        }
    # The third was never seen before; the second was the same before.
    assert changes(database, scan) == {
        ("10.0.0.1", "here"): "before",
        ("10.0.0.2", "here"): None,
        ("10.0.0.3", "here"): None,
    }


def test_an_old_export_does_not_hide_what_is_newer(database: Database) -> None:
    run(database, 1, [sighting(1, look("new"), at=BEGAN)])
    scan = imported(database, 2)

    keep(database, scan, [sighting(1, look("old"), at=BEGAN - 9)], "here", Position.OUTSIDE)

    assert changes(database, scan) == {("10.0.0.1", "here"): None}
    with database.read() as connection:
        query = select(endpoints.c.first_seen, endpoints.c.last_seen, verdicts.c.product)
        row = connection.execute(query.join(verdicts, verdicts.c.id == endpoints.c.verdict)).one()
    assert tuple(row) == (BEGAN - 9, BEGAN, "new")


def test_what_was_kept_before_a_broken_stream_stays(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passive, "_BATCH", 10)
    scan = imported(database)

    def stream() -> Iterator[Sighting]:
        yield from (sighting(host) for host in range(25))
        raise OSError("the file ended in the middle")

    with pytest.raises(OSError, match="in the middle"):
        keep(database, scan, stream(), "shodan", Position.OUTSIDE)

    assert len(recorded(database)) == 20
