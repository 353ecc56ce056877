"""What several guards have counted of each principal, so that a budget holds for all of them together.

Each guard process writes its own rows and reads the others'. What is counted, and how, is not known
here: totals are JSON, by principal and by piece of time (a bucket).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from sqlalchemy import delete, select, text, tuple_

from leadglass.store.database import Database
from leadglass.store.schema import guard_budgets

__all__ = ["BudgetKey", "budgets_kept", "exchange_budgets"]

BudgetKey: TypeAlias = tuple[str, int]
"""A principal (kind and name) and a bucket: the number of a piece of time."""

_WRITE = text(
    "INSERT INTO guard_budgets (writer, principal, bucket, totals)"
    " VALUES (:writer, :principal, :bucket, :totals)"
    " ON CONFLICT (writer, principal, bucket) DO UPDATE SET totals = excluded.totals"
)


def exchange_budgets(
    database: Database, writer: str, totals: Mapping[BudgetKey, str], since: int
) -> dict[BudgetKey, tuple[str, ...]]:
    """Write down what ``writer`` has counted, and return what each of the others has.

    ``totals`` are all that changed since the last exchange. What lies before the bucket ``since`` is
    forgotten, whoever counted it. A guard that has died goes on counting until then, as it should:
    what it let through was let through.
    """
    rows = [
        {"writer": writer, "principal": principal, "bucket": bucket, "totals": total}
        for (principal, bucket), total in sorted(totals.items())  # in one order, so that nobody deadlocks
    ]
    columns = guard_budgets.c
    key = (columns.writer, columns.principal, columns.bucket)
    # Rows that another guard is about to forget are left to it, so that nobody waits in a ring.
    old = select(*key).where(columns.bucket < since).with_for_update(skip_locked=True)
    others = select(columns.principal, columns.bucket, columns.totals).where(columns.writer != writer)
    found: dict[BudgetKey, list[str]] = {}
    with database.write() as connection:
        if rows:
            connection.execute(_WRITE, rows)
        connection.execute(delete(guard_budgets).where(tuple_(*key).in_(old)))
        for principal, bucket, total in connection.execute(others.where(columns.bucket >= since)):
            found.setdefault((principal, bucket), []).append(total)
    return {whose: tuple(each) for whose, each in found.items()}


def budgets_kept(database: Database) -> list[tuple[str, str]]:
    """What was counted of each principal, by all guards, in each bucket that is kept: principal and totals."""
    columns = guard_budgets.c
    query = select(columns.principal, columns.totals).order_by(columns.principal, columns.bucket)
    with database.read() as connection:
        return [(row.principal, row.totals) for row in connection.execute(query)]
