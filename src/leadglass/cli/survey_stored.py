"""Stored scans for ``survey``: counted, or drawn from."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from leadglass.cli.storing import kept
from leadglass.store.counting import servers
from leadglass.store.database import Database
from leadglass.store.scans import StoredScan, find
from leadglass.survey.census import Census, Server, census

__all__ = ["Stored", "counted", "opened", "overlap"]


class Stored:
    """A scan in its database."""

    def __init__(self, database: Database, scan: StoredScan) -> None:
        self._database = database
        self.scan = scan

    def servers(self, *, again: bool = False) -> Iterator[Server]:
        """Every address, one page in memory; ``again`` as ``store.counting.servers``."""
        return servers(self._database, self.scan, again=again)


@contextlib.contextmanager
def opened(database: str | None, scan: str) -> Iterator[Stored]:
    """The scan that is called so; errors as ``scan show``."""
    with kept(database) as store:
        yield Stored(store, find(store, scan))


def counted(database: str | None, scan: str, *, again: bool = False) -> tuple[StoredScan, Census]:
    """The scan and what it counts."""
    with opened(database, scan) as found:
        return found.scan, census(found.servers(again=again))


def overlap(database: str | None, names: Sequence[str]) -> Mapping[frozenset[str], int]:
    """On which of these scans each server is: told by identity where it has one, else by address."""
    found: dict[bytes, set[str]] = {}
    for name in names:
        with opened(database, name) as stored:
            for server in stored.servers():
                if server.face is not None:
                    found.setdefault(server.identity() or server.address.encode(), set()).add(
                        stored.scan.plan.ulid
                    )
    return Counter(map(frozenset, found.values()))
