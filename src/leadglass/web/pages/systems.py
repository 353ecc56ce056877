"""One system of the register: what is declared of it, and the forms that change that."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field

from leadglass.errors import UsageError
from leadglass.model.account import Permission
from leadglass.model.register import Management, Manager, Outcome, Review, Risk, System, SystemKind, Treatment
from leadglass.web.doors import Doors
from leadglass.web.pages.declared_view import wrongs
from leadglass.web.pages.register_view import entry_lines, risk_lines, system_line
from leadglass.web.pages.said import after, said
from leadglass.web.pages.telling import Crumb, Option, date_of, options, system_path
from leadglass.web.rendering import page
from leadglass.web.visit import Visit, Visiting

__all__ = ["Declaration", "doors", "system_of", "words"]

doors = Doors(include_in_schema=False)

Line: TypeAlias = Annotated[str, Field(max_length=200)]
"""One line of a form."""
List: TypeAlias = Annotated[str, Field(max_length=1000)]
"""Words with commas or spaces between them."""

_REGISTER = Crumb("Register", "/register")
_HISTORY = 40
_YEAR = dt.timedelta(days=365)
_LAST_PORT = 65_535


class Declaration(BaseModel):
    """The form that declares a system."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: SystemKind = SystemKind.SERVER
    owner: Line = ""
    management: Management | Literal[""] = ""
    manager: Line = ""
    agreement: Line = ""
    agreement_until: dt.date | Literal[""] = ""
    location: Line = ""
    addresses: List = ""
    ports: List = ""
    titles: List = ""
    zones: List = ""
    data: List = ""
    controls: List = ""
    note: Annotated[str, Field(max_length=2000)] = ""


class Decision(BaseModel):
    """The form that says what is done about a risk."""

    risk: Line
    treatment: Treatment
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    until: dt.date
    measure: Line = ""


class Reviewed(BaseModel):
    """The form that says what a review came to."""

    outcome: Outcome
    next: dt.date | Literal[""] = ""
    note: Annotated[str, Field(max_length=1000)] = ""


@doors.get("/register/systems", Permission.REGISTER)
def new_system(visit: Visiting) -> HTMLResponse:
    """Show the form that declares a system."""
    crumbs = (_REGISTER, Crumb("Declare a system"))
    empty = System("")
    choices, managers = _kinds(empty), _managements(empty)
    return page("system_new.html", visit, system=empty, kinds=choices, managements=managers, crumbs=crumbs)


@doors.post("/register/systems", Permission.REGISTER, "declare a system")
def declare(visit: Visiting, form: Annotated[Declaration, Form()]) -> RedirectResponse:
    """Write down a system, or that one is otherwise than it was declared."""
    register = visit.site.desks.register.register()
    entry = system_of(form, register.systems.get(form.name.strip()))
    visit.deed.on = entry.name
    visit.site.desks.register.enter(visit.name, [entry], "declared at the dashboard")
    return after(system_path(entry.name), "entered")


@doors.get("/register/systems/{name:path}", Permission.READ)
def system(visit: Visiting, request: Request, name: str) -> HTMLResponse:
    """Show one system: declared, observed, reviewed, at risk, and how the entry came to be so."""
    site, desk = visit.site, visit.site.desks.register
    asked = site.settings.profiles
    register, found = desk.register(), _found(visit, name)
    risks = register.risks_of.get(name, ())
    return page(
        "system.html",
        visit,
        system=found,
        line=system_line(register, found),
        wrong=wrongs(
            [one for one in desk.disagreements(asked) if one.about == name], desk.since(asked), desk.advice
        ),
        reviews=sorted(register.reviews_of.get(name, ()), key=lambda review: review.on, reverse=True),
        risks=risk_lines(risks, desk.levels),
        risk_names=[Option(risk.name, risk.name) for risk in risks],
        entries=entry_lines(desk.history(name, _HISTORY)),
        treatments=options(Treatment, Treatment.MITIGATE),
        outcomes=options(Outcome, Outcome.PASSED),
        next_review=date_of(site.now()) + _YEAR,
        may_register=visit.may(Permission.REGISTER),
        kinds=_kinds(found),
        managements=_managements(found),
        crumbs=(_REGISTER, Crumb(name)),
        said=said(request),
    )


@doors.post("/register/reviews/{name:path}", Permission.REGISTER, "write down a review")
def review(visit: Visiting, name: str, form: Annotated[Reviewed, Form()]) -> RedirectResponse:
    """Write down that somebody has looked at the controls of a system."""
    found, account = _found(visit, name), visit.visitor.account
    reviewer = (account.full_name or account.name) if account else visit.name
    today = date_of(visit.site.now())
    entry = Review(found.name, today, reviewer, form.outcome, form.next or None, form.note.strip())
    if trouble := entry.trouble(today):
        raise UsageError(trouble)
    visit.deed.on = found.name
    visit.site.desks.register.enter(visit.name, [entry], "reviewed at the dashboard")
    return after(system_path(found.name), "reviewed")


@doors.post("/register/decisions/{name:path}", Permission.REGISTER, "decide about a risk")
def decide(visit: Visiting, name: str, form: Annotated[Decision, Form()]) -> RedirectResponse:
    """Write down what is done about a risk of a system, and who says so."""
    desk, found = visit.site.desks.register, _found(visit, name)
    risks: Sequence[Risk] = desk.register().risks_of.get(found.name, ())
    risk = next((one for one in risks if one.name == form.risk), None)
    if risk is None:
        raise UsageError(f"no risk of {found.name!r} is called so", then="choose one of the list")
    entry = replace(
        risk,
        treatment=form.treatment,
        owner=form.owner.strip(),
        until=form.until,
        measure=form.measure.strip(),
    )
    visit.deed.on = found.name
    desk.enter(visit.name, [entry], "decided at the dashboard")
    return after(system_path(found.name), "entered")


def system_of(form: Declaration, before: System | None = None) -> System:
    """What ``form`` declares; what has no field in it stays as ``before``. ``UsageError`` for what is none."""
    manager = None
    if form.management:
        until = form.agreement_until or None
        manager = Manager(form.management, form.manager.strip(), form.agreement.strip(), until)
    return replace(
        before or System(form.name.strip()),
        kind=form.kind,
        owner=form.owner.strip(),
        manager=manager,
        location=form.location.strip(),
        addresses=tuple(_address(word) for word in words(form.addresses)),
        ports=tuple(sorted({_port(word) for word in words(form.ports)})),
        titles=words(form.titles),
        zones=words(form.zones),
        data=words(form.data),
        controls=words(form.controls),
        note=form.note.strip(),
    )


def words(text: str) -> tuple[str, ...]:
    """The words of a field, each once, in their order."""
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,;]+", text) if word))


def _address(word: str) -> str:
    """Canonical if it is an address; names stay."""
    try:
        return str(ipaddress.ip_address(word))
    except ValueError:
        return word.casefold()


def _port(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 0 < int(word[:6]) <= _LAST_PORT):
        raise UsageError(f"{word[:20]!r} is no port", then="ports are numbers from 1 to 65535")
    return int(word)


def _found(visit: Visit, name: str) -> System:
    found = visit.site.desks.register.register().systems.get(name)
    if found is None:
        raise HTTPException(404, "no system of the register is called so")
    return found


def _kinds(system: System) -> tuple[Option, ...]:
    return options(SystemKind, system.kind)


def _managements(system: System) -> tuple[Option, ...]:
    return options(Management, system.manager.kind if system.manager else "", "nobody is named")
