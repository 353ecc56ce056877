"""The rows that differences are made of: endpoint, place, verdict before, verdict after, in the order of the first two."""

from __future__ import annotations

from sqlalchemy import BigInteger, Executable, and_, bindparam, cast, null, select, text

from leadglass.store.reading import AnySelect
from leadglass.store.schema import observations

__all__ = ["changed_rows", "differing", "new_rows"]

_NEW = text(
    """
    SELECT o.endpoint, o.place, CAST(NULL AS BIGINT), o.verdict
    FROM observations o JOIN endpoints e ON e.endpoint = o.endpoint AND e.place = o.place
    WHERE o.scan = :scan AND o.changed_from IS NULL AND e.first_seen >= :began
      AND o.place IN (SELECT done_from FROM shards WHERE scan < :scan)
    ORDER BY o.endpoint, o.place
    """
)


def changed_rows(scan: int, is_postgres: bool) -> Executable:
    """What ``changes`` reads of what was seen before."""
    # Both would go through the whole scan in the order of its key, PostgreSQL for as long as it has no statistics of it.
    index = "" if is_postgres else " INDEXED BY ix_observations_changed"
    place = "place + 0" if is_postgres else "place"
    return text(
        f"SELECT endpoint, place, changed_from, verdict FROM observations{index}"  # noqa: S608 - our own words
        f" WHERE scan = :scan AND changed_from IS NOT NULL ORDER BY endpoint, {place}"
    ).bindparams(bindparam("scan", scan, BigInteger()))


def new_rows(scan: int, began: int) -> Executable:
    """What ``scan``, which began then, saw as the first one, from places that had seen something before.

    Goes through the whole scan: for those of listed targets, which are short.
    """
    return _NEW.bindparams(bindparam("scan", scan, BigInteger()), bindparam("began", began, BigInteger()))


def differing(before: int, after: int) -> tuple[AnySelect, AnySelect]:
    """What ``difference`` reads: what the first scan saw and the second otherwise or not at all; what only the second saw."""
    a, b = observations.alias("a").c, observations.alias("b").c
    same_spot = and_(a.endpoint == b.endpoint, a.place == b.place)
    other = (
        select(a.endpoint, a.place, a.verdict, b.verdict)
        .outerjoin_from(a.endpoint.table, b.endpoint.table, and_(b.scan == after, same_spot))
        .where(a.scan == before, b.verdict.is_distinct_from(a.verdict))
    )
    nothing = cast(null(), BigInteger)
    new = select(b.endpoint, b.place, nothing, b.verdict).where(
        b.scan == after, ~select(a.endpoint).where(a.scan == before, same_spot).exists()
    )
    return other.order_by(a.endpoint, a.place), new.order_by(b.endpoint, b.place)
