"""What owners say of their servers, kept for good: a statement stands until it is withdrawn, and is never deleted."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sqlalchemy import Connection, insert, select, update

from leadglass.errors import UsageError
from leadglass.model.finding import Cause
from leadglass.model.statement import Statement
from leadglass.model.verdict import Data, Kind
from leadglass.store.database import Database
from leadglass.store.schema import statements

__all__ = ["Standing", "listed", "say", "standing_in", "withdraw"]

Standing: TypeAlias = Mapping[bytes, Sequence[Statement]]
"""By the bytes of an address, the statements on it that are not withdrawn."""


def say(database: Database, statement: Statement) -> Statement:
    """Write down ``statement``; it comes back with its number."""
    row = {
        "address": ipaddress.ip_address(statement.address).packed,
        "port": statement.port,
        "nature": statement.nature,
        "data": statement.data,
        "cause": statement.cause,
        "by": statement.by,
        "reference": statement.reference,
        "at": statement.at,
    }
    with database.write() as connection:
        number = connection.execute(insert(statements).values(row).returning(statements.c.id)).scalar_one()
    return replace(statement, number=number)


def withdraw(database: Database, number: int, at: int) -> Statement:
    """Let a statement stand no more, as of ``at``; ``UsageError`` if there is none, or it was withdrawn before."""
    with database.write() as connection:
        row = connection.execute(select(statements).where(statements.c.id == number)).first()
        if row is None or row.withdrawn_at is not None:
            raise UsageError(
                f"statement {number} was withdrawn already" if row else f"there is no statement {number}",
                where=database.where,
                then="leadglass owner statements lists those that stand",
            )
        connection.execute(
            update(statements).where(statements.c.id == number).values(withdrawn_at=max(at, row.at))
        )
        return replace(_statement(row), withdrawn_at=max(at, row.at))


def listed(database: Database) -> Sequence[Statement]:
    """All of them, in the order they were made."""
    with database.read() as connection:
        return [_statement(row) for row in connection.execute(select(statements).order_by(statements.c.id))]


def standing_in(connection: Connection) -> Standing:
    """Those that stand. Few are expected: an owner's word is typed in by hand."""
    query = select(statements).where(statements.c.withdrawn_at.is_(None)).order_by(statements.c.id)
    found: dict[bytes, list[Statement]] = {}
    for row in connection.execute(query):
        found.setdefault(bytes(row.address), []).append(_statement(row))
    return found


def _statement(row: Any) -> Statement:
    return Statement(
        number=row.id,
        address=str(ipaddress.ip_address(bytes(row.address))),
        port=row.port,
        nature=None if row.nature is None else Kind(row.nature),
        data=None if row.data is None else Data(row.data),
        cause=None if row.cause is None else Cause(row.cause),
        by=row.by,
        reference=row.reference,
        at=row.at,
        withdrawn_at=row.withdrawn_at,
    )
