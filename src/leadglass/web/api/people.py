"""Notes, one's own tokens, and what owners were told."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadglass.model.account import Permission
from leadglass.model.notice import Answer, Channel
from leadglass.store import notices, web_sessions
from leadglass.store.notes import Beside, Note, add_note, notes_beside, remove_note
from leadglass.web.api.answering import ONCE, PROBLEMS, Asked, Item, Name, Text, Ulid, found, one
from leadglass.web.doors import Doors, Who
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors("/api/v1", tags=["people"], responses=PROBLEMS, dependencies=ONCE)


class NotesAsked(Asked):
    """Beside what."""

    kind: Beside
    about: Name = Field(description="An address, a system or an alert.", examples=["192.0.2.10"])


class NoteBody(NotesAsked):
    """What to write."""

    text: Text


class NoteItem(Item):
    """What somebody wrote."""

    id: str
    kind: Beside
    about: str
    author: str
    at: dt.datetime
    text: str


class Notes(Item):
    """The oldest first."""

    rows: list[NoteItem]


class TokenItem(Item):
    """What a program shows; its secret is told once, where it is made."""

    id: str
    label: str
    scopes: list[Permission]
    made_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


class Tokens(Item):
    """One's own."""

    rows: list[TokenItem]


class NoticeItem(Item):
    """What somebody was told, and what came back."""

    reference: str
    channel: Channel
    owner: str
    sent_at: dt.datetime
    answers: list[Answer]


class Notices(Item):
    """In the order they were sent."""

    rows: list[NoticeItem]


@doors.get("/notes", Permission.READ, response_model=Notes)
def read_notes(request: Request, visit: Visiting, which: Annotated[NotesAsked, Query()]) -> Response:
    """The notes beside a server, a system or an alert."""
    return one(request, Notes, {"rows": notes_beside(visit.site.database, which.kind, which.about)})


@doors.post("/notes", Permission.REGISTER, "write a note", response_model=NoteItem, status_code=201)
def write_note(request: Request, visit: Visiting, body: NoteBody) -> Response:
    """Write one."""
    note = Note(visit.site.identifier(), body.kind, body.about, visit.name, visit.site.now(), body.text)
    add_note(visit.site.database, note)
    visit.deed.on = note.id
    return one(request, NoteItem, note, 201)


@doors.delete("/notes/{note}", Permission.REGISTER, "remove a note", status_code=204)
def take_note(
    visit: Visiting, note: Annotated[Ulid, Path(description="The identifier of a note of one's own.")]
) -> Response:
    """Take one of one's own away."""
    found(remove_note(visit.site.database, note, visit.name) or None, "note of yours")
    return Response(status_code=204)


@doors.get("/tokens", Who.SIGNED_IN, response_model=Tokens)
def read_tokens(request: Request, visit: Visiting) -> Response:
    """One's own tokens. They are made at the dashboard, where the password is asked for."""
    return one(request, Tokens, {"rows": web_sessions.tokens(visit.site.database, visit.name)})


@doors.delete("/tokens/{token}", Who.SIGNED_IN, "revoke a token", status_code=204)
def revoke_token(
    visit: Visiting, token: Annotated[Ulid, Path(description="The identifier of a token of one's own.")]
) -> Response:
    """Let one of one's own count no more; it may be the one that is used here."""
    found(web_sessions.revoke_token(visit.site.database, token, visit.name) or None, "token of yours")
    return Response(status_code=204)


@doors.get("/notices", Permission.READ, response_model=Notices)
def read_notices(request: Request, visit: Visiting) -> Response:
    """Which owners were told, and what came back."""
    return one(request, Notices, {"rows": notices.sent(visit.site.database)})
