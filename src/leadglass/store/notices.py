"""What owners were told, and what later looks say of it.

A notice is written down before it is sent and once more after, so that none is sent twice,
whoever dies in between.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from leadglass.errors import UsageError
from leadglass.model.key import pack
from leadglass.model.notice import Answer, Channel, Outcome, SentNotice
from leadglass.model.verdict import Access
from leadglass.store.database import Database
from leadglass.store.schema import (
    endpoints,
    evidence,
    notice_answers,
    notice_arms,
    notice_endpoints,
    notices,
    verdicts,
)

__all__ = ["Before", "answer", "arms", "assign", "begin", "finish", "log", "outcomes", "sent"]

_SILENT = frozenset({Access.CLOSED, Access.FILTERED, Access.NOT_DICOM})
_GUARDED = frozenset({Access.DEMANDS_LOGIN, Access.DEMANDS_CERTIFICATE})
_AT_ONCE = 500
"""Endpoints in one query."""


class Before(enum.StrEnum):
    """What was known of a notice when it was about to be sent."""

    NEW = "new"
    SENDING = "sending"
    """Begun once, and nobody knows whether it left."""
    SENT = "sent"
    FAILED = "failed"
    """It was refused; it may be tried again."""


def log(database: Database, notice: SentNotice, told_of: Iterable[tuple[str, int]]) -> None:
    """Write down that ``notice`` was sent and which (address, port) it told of; ``UsageError`` if it was before.

    One that was begun and never finished becomes sent.
    """
    with database.write() as connection:
        before = _before(connection, notice)
        if before is Before.SENT:
            raise UsageError(f"{notice.reference} was sent by {notice.channel} already", where=database.where)
        _put(connection, notice, "sent", told_of, before)


def begin(database: Database, notice: SentNotice, told_of: Iterable[tuple[str, int]]) -> Before:
    """Write down that ``notice`` is about to be sent; what was known of it. Send it only if new or failed."""
    with database.write() as connection:
        before = _before(connection, notice)
        if before in {Before.NEW, Before.FAILED}:
            _put(connection, notice, "sending", told_of, before)
    return before


def finish(database: Database, reference: str, channel: Channel, *, left: bool) -> None:
    """Write down that a notice that was begun has left, or was refused."""
    with database.write() as connection:
        theirs = notices.c.reference == reference, notices.c.channel == channel.value
        connection.execute(update(notices).where(*theirs).values(state="sent" if left else "failed"))


def answer(database: Database, reference: str, at: int, word: Answer, note: str) -> None:
    """Write down what came back (POSIX seconds); ``UsageError`` if no such notice was sent."""
    with database.write() as connection:
        query = select(notices.c.id).where(notices.c.reference == reference).order_by(notices.c.id.desc())
        number = connection.execute(query).scalars().first()
        if number is None:
            raise UsageError(
                f"no notice {reference} was sent",
                where=database.where,
                then="log that it was, with --channel",
            )
        row = {"notice": number, "at": at, "answer": word.value, "note": note}
        connection.execute(insert(notice_answers).values(row))


def sent(database: Database) -> Sequence[SentNotice]:
    """All notices, in the order they were sent."""
    with database.read() as connection:
        came: dict[int, list[Answer]] = {}
        for row in connection.execute(select(notice_answers).order_by(notice_answers.c.id)):
            came.setdefault(row.notice, []).append(Answer(row.answer))
        rows = connection.execute(select(notices).order_by(notices.c.sent_at, notices.c.id))
        return [_notice(row, tuple(came.get(row.id, ()))) for row in rows]


def assign(database: Database, study: str, drawn: Mapping[str, str], seed: str, at: int) -> None:
    """Write down which owner was drawn for which arm; ``UsageError`` if the study was drawn before."""
    with database.write() as connection:
        if connection.execute(select(notice_arms.c.owner).where(notice_arms.c.study == study)).first():
            raise UsageError(
                f"the study {study!r} was drawn already, and is drawn only once",
                where=database.where,
                then="leadglass notify status --study shows it",
            )
        rows = [
            {"study": study, "owner": owner, "arm": arm, "seed": seed, "assigned_at": at}
            for owner, arm in drawn.items()
        ]
        connection.execute(insert(notice_arms), rows)


def arms(database: Database, study: str) -> Mapping[str, str]:
    """The arm of each owner; ``UsageError`` if there is no such study."""
    with database.read() as connection:
        rows = connection.execute(select(notice_arms).where(notice_arms.c.study == study)).all()
    if not rows:
        raise UsageError(
            f"there is no study {study!r}", where=database.where, then="leadglass notify assign draws one"
        )
    return {row.owner: row.arm for row in rows}


# ---- what became of it


def outcomes(database: Database) -> Mapping[tuple[str, Channel], Mapping[bytes, Outcome]]:
    """By notice (reference, channel), what the latest look since says of each endpoint."""
    with database.read() as connection:
        rows = connection.execute(
            select(notices, notice_endpoints.c.endpoint, notice_endpoints.c.identity)
            .join_from(notices, notice_endpoints)
            .order_by(notices.c.id, notice_endpoints.c.endpoint)
        ).all()
        said_fixed = _said_fixed(connection)
        latest = _latest(connection, sorted({row.endpoint for row in rows}))
        moved = _elsewhere(connection, {row.identity for row in rows if row.identity is not None})
    found: dict[tuple[str, Channel], dict[bytes, Outcome]] = {}
    for row in rows:
        outcome = _outcome(row, latest.get(row.endpoint, ()), moved, row.id in said_fixed)
        found.setdefault((row.reference, Channel(row.channel)), {})[row.endpoint] = outcome
    return found


_Seen = tuple[int, Access]
"""When it was seen last from one place, and what it let strangers do."""


def _outcome(
    row: Any, seen: Sequence[_Seen], moved: Mapping[bytes, Sequence[tuple[bytes, int]]], said_fixed: bool
) -> Outcome:
    since = [access for at, access in seen if at > row.sent_at]
    if not since:
        return Outcome.UNTESTED
    worst = min(since, key=lambda access: access.rank)
    if worst.rank <= Access.WANTS_TITLE.rank:
        return Outcome.OPEN
    if any(other != row.endpoint and at > row.sent_at for other, at in moved.get(row.identity, ())):
        return Outcome.MOVED
    if worst in _GUARDED:
        return Outcome.FIXED
    if worst in _SILENT:
        return Outcome.FIXED if said_fixed else Outcome.GONE
    return Outcome.UNKNOWN


def _latest(connection: Connection, keys: Sequence[bytes]) -> Mapping[bytes, Sequence[_Seen]]:
    found: dict[bytes, list[_Seen]] = {}
    for start in range(0, len(keys), _AT_ONCE):
        query = (
            select(endpoints.c.endpoint, endpoints.c.last_seen, verdicts.c.access)
            .join_from(endpoints, verdicts, endpoints.c.verdict == verdicts.c.id)
            .where(endpoints.c.endpoint.in_(keys[start : start + _AT_ONCE]))
        )
        for key, at, access in connection.execute(query):
            found.setdefault(key, []).append((at, Access(access)))
    return found


def _elsewhere(
    connection: Connection, identities: Iterable[bytes]
) -> Mapping[bytes, Sequence[tuple[bytes, int]]]:
    """Where servers of these identities let strangers in, and when they were seen there last."""
    found: dict[bytes, list[tuple[bytes, int]]] = {}
    wanted = sorted(identities)
    for start in range(0, len(wanted), _AT_ONCE):
        query = (
            select(evidence.c.identity, endpoints.c.endpoint, endpoints.c.last_seen, verdicts.c.access)
            .join_from(evidence, verdicts, verdicts.c.evidence == evidence.c.id)
            .join(endpoints, endpoints.c.verdict == verdicts.c.id)
            .where(evidence.c.identity.in_(wanted[start : start + _AT_ONCE]))
        )
        for identity, key, at, access in connection.execute(query):
            if Access(access).rank <= Access.WANTS_TITLE.rank:
                found.setdefault(identity, []).append((key, at))
    return found


def _said_fixed(connection: Connection) -> frozenset[int]:
    query = select(notice_answers.c.notice).where(notice_answers.c.answer == Answer.FIXED.value)
    return frozenset(connection.execute(query).scalars())


# ---- rows


def _before(connection: Connection, notice: SentNotice) -> Before:
    columns = notices.c
    query = select(columns.state).where(
        columns.reference == notice.reference, columns.channel == notice.channel.value
    )
    state = connection.execute(query).scalar()
    return Before.NEW if state is None else Before(state)


def _put(
    connection: Connection,
    notice: SentNotice,
    state: str,
    told_of: Iterable[tuple[str, int]],
    before: Before,
) -> None:
    columns = notices.c
    if before is not Before.NEW:
        theirs = columns.reference == notice.reference, columns.channel == notice.channel.value
        connection.execute(update(notices).where(*theirs).values(state=state, sent_at=notice.sent_at))
        return
    row = {
        "reference": notice.reference,
        "channel": notice.channel.value,
        "owner": notice.owner,
        "recipient": notice.recipient,
        "wording": notice.wording,
        "state": state,
        "sent_at": notice.sent_at,
    }
    number = connection.execute(insert(notices).values(row).returning(columns.id)).scalar_one()
    rows = [
        {"notice": number, "endpoint": key, "identity": _identity(connection, key)}
        for key in sorted({pack(address, port) for address, port in told_of})
    ]
    if rows:
        connection.execute(insert(notice_endpoints), rows)


def _identity(connection: Connection, key: bytes) -> bytes | None:
    """What told the server there from every other when it was seen last."""
    query = (
        select(evidence.c.identity)
        .join_from(endpoints, verdicts, endpoints.c.verdict == verdicts.c.id)
        .join(evidence, verdicts.c.evidence == evidence.c.id)
        .where(endpoints.c.endpoint == key, evidence.c.identity.is_not(None))
        .order_by(endpoints.c.last_seen.desc())
    )
    found: bytes | None = connection.execute(query).scalars().first()
    return found


def _notice(row: Any, came: tuple[Answer, ...]) -> SentNotice:
    return SentNotice(
        reference=row.reference,
        channel=Channel(row.channel),
        owner=row.owner,
        recipient=row.recipient,
        wording=row.wording,
        sent_at=row.sent_at,
        state=row.state,
        answers=came,
    )
