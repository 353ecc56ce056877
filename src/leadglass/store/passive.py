"""What others saw, kept as a scan of its own: nothing was sent for it, so nobody leases anything."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from leadglass.model.look import Sighting
from leadglass.model.verdict import Position
from leadglass.store.database import Database
from leadglass.store.names import place_of
from leadglass.store.scans import StoredScan
from leadglass.store.sightings import Digests, Origin, safe_from_pruning, write

__all__ = ["keep"]

_BATCH = 5000
"""Sightings in one transaction."""


def keep(
    database: Database, scan: StoredScan, sightings: Iterable[Sighting], place: str, position: Position
) -> int:
    """Add ``sightings`` to ``scan`` as seen from ``place``, as they come; how many there were.

    Of an endpoint that comes more than once the latest look is kept, wherever it stands.
    """
    digests = Digests()
    count = 0
    for batch in _batches(sightings):
        with database.write() as connection:
            safe_from_pruning(connection)
            origin = Origin(scan.id, place_of(connection, place), position)
            numbers = write(connection, origin, batch, digests)
        digests.remember(numbers)
        count += len(batch)
    return count


def _batches(sightings: Iterable[Sighting]) -> Iterator[list[Sighting]]:
    every = iter(sightings)
    while batch := list(itertools.islice(every, _BATCH)):
        yield batch
