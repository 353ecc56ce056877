"""What somebody does about one server: assign it, review it, look again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import Form
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from leadglass.errors import UsageError
from leadglass.model.account import Permission
from leadglass.model.register import Management, Manager, Outcome, Review, System
from leadglass.store.notes import Beside, Note, add_note
from leadglass.store.server_rows import Server
from leadglass.web.doors import Doors
from leadglass.web.pages.finding import server_at
from leadglass.web.pages.said import after
from leadglass.web.pages.telling import date_of, server_path
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors(include_in_schema=False)

Line: TypeAlias = Annotated[str, Field(max_length=200)]
"""One line of a form."""


class Assignment(BaseModel):
    """The form that says who answers for a server."""

    owner: Line
    system: Line = ""
    management: Management | Literal[""] = ""
    manager: Line = ""
    agreement: Line = ""


class Reviewed(BaseModel):
    """The form that says what a review came to."""

    outcome: Outcome
    next: dt.date | Literal[""] = ""
    note: Annotated[str, Field(max_length=1000)] = ""


@doors.post("/servers/{address}/assign", Permission.REGISTER, "assign a server")
def assign(visit: Visiting, address: str, form: Annotated[Assignment, Form()]) -> RedirectResponse:
    """Write down who owns and who manages the server; it is declared if it was not."""
    server = server_at(visit.site.database, address)
    known = _systems(visit, server)
    before = known[0] if known else _declared(server, form.system.strip())
    entry = replace(before, owner=form.owner.strip(), manager=_manager(before, form))
    visit.deed.on = server.row.address
    visit.site.desks.register.enter(visit.name, [entry], "assigned at the dashboard")
    return after(server_path(server.row.address), "assigned")


@doors.post("/servers/{address}/review", Permission.REGISTER, "mark a server reviewed")
def review(visit: Visiting, address: str, form: Annotated[Reviewed, Form()]) -> RedirectResponse:
    """Write down that somebody has looked at the controls of the server."""
    server = server_at(visit.site.database, address)
    known = _systems(visit, server)
    if not known:
        raise UsageError(f"{server.row.address} is not in the register", then="assign it first")
    account = visit.visitor.account
    reviewer = (account.full_name or account.name) if account else visit.name
    today = date_of(visit.site.now())
    entry = Review(known[0].name, today, reviewer, form.outcome, form.next or None, form.note.strip())
    if trouble := entry.trouble(today):
        raise UsageError(trouble)
    visit.deed.on = server.row.address
    visit.site.desks.register.enter(visit.name, [entry], "reviewed at the dashboard")
    return after(server_path(server.row.address), "reviewed")


@doors.post("/servers/{address}/rescan", Permission.SCAN, "order a look at a server")
def rescan(visit: Visiting, address: str, scope: Annotated[Line, Form()]) -> RedirectResponse:
    """Order another look at the ports that are known of the server."""
    server = server_at(visit.site.database, address)
    ports = [(one.row.endpoint.address, one.row.endpoint.port) for one in server.endpoints]
    order = visit.site.desks.watch.order(scope, ports, visit.name)
    visit.deed.on, visit.deed.detail = server.row.address, order.id
    return after(server_path(server.row.address), "ordered")


@doors.post("/servers/{address}/notes", Permission.REGISTER, "write a note")
def note(
    visit: Visiting, address: str, text: Annotated[str, Form(min_length=1, max_length=2000)]
) -> RedirectResponse:
    """Keep what somebody wrote beside the server."""
    site, server = visit.site, server_at(visit.site.database, address)
    where = server.row.address
    add_note(
        site.database, Note(site.identifier(), Beside.SERVER, where, visit.name, site.now(), text.strip())
    )
    visit.deed.on = where
    return after(server_path(where), "noted")


def _systems(visit: Visit, server: Server) -> Sequence[System]:
    register = visit.site.desks.register.register()
    return register.systems_at.get(server.row.address, ())


def _declared(server: Server, name: str) -> System:
    """The first entry of a server that is not declared yet: the ports that answer are not allowed by that."""
    if not name:
        raise UsageError("the system has no name", then="name it")
    return System(name, addresses=(server.row.address,))


def _manager(before: System, form: Assignment) -> Manager | None:
    if not form.management:
        return None
    until = before.manager.until if before.manager else None
    return Manager(form.management, form.manager.strip(), form.agreement.strip(), until)
