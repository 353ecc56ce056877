"""The register: systems, reviews, risks, and what an auditor asks for. Every change is an entry that stays."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import HTTPException, Path, Query, Request, Response

from leadglass.errors import ResourceError, UsageError
from leadglass.model.account import Permission
from leadglass.model.register import (
    Manager,
    Review,
    Risk,
    System,
)
from leadglass.ports.dashboard import Head, Thing
from leadglass.ports.findings import Disagreement, Since, Standing
from leadglass.web.api.answering import ONCE, PROBLEMS, Name, found, one, require_match
from leadglass.web.api.register_items import (
    Disagreements,
    DossierAsked,
    Due,
    DueAsked,
    Profiles,
    ProfilesAsked,
    ReviewBody,
    ReviewItem,
    Reviews,
    RiskBody,
    RiskItem,
    Risks,
    Standings,
    SystemBody,
    SystemItem,
    Systems,
    SystemsAsked,
    Verified,
    WhyAsked,
)
from leadglass.web.doors import Doors
from leadglass.web.visit import Visit, Visiting

__all__ = ["doors"]

doors = Doors("/api/v1/register", tags=["register"], responses=PROBLEMS, dependencies=ONCE)

_SYSTEM = Path(description="The name of a system.", examples=["archive-1"])
_RISK = Path(description="The name of a risk.", examples=["R-1"])


@doors.get("/systems", Permission.READ, response_model=Systems)
def read_systems(request: Request, visit: Visiting, which: Annotated[SystemsAsked, Query()]) -> Response:
    """What is declared, by name."""
    systems = visit.site.desks.register.register().systems
    names = sorted(name for name in systems if which.cursor is None or name > which.cursor)
    some = names[: which.limit]
    cursor = some[-1] if len(names) > len(some) else None
    return one(request, Systems, {"rows": [systems[name] for name in some], "next": cursor})


@doors.get("/systems/{name}", Permission.READ, response_model=SystemItem)
def read_system(request: Request, visit: Visiting, name: Annotated[Name, _SYSTEM]) -> Response:
    """One system; its ETag is what If-Match asks for."""
    return one(request, SystemItem, found(visit.site.desks.register.register().systems.get(name), "system"))


@doors.put(
    "/systems/{name}",
    Permission.REGISTER,
    "declare a system",
    response_model=SystemItem,
    responses={**PROBLEMS, 201: {"model": SystemItem, "description": "It is new."}},
)
def put_system(
    request: Request,
    visit: Visiting,
    name: Annotated[Name, _SYSTEM],
    body: SystemBody,
    which: Annotated[WhyAsked, Query()],
) -> Response:
    """Declare one, or declare it anew: with If-Match, so that nobody undoes what he has not seen."""
    head = visit.site.desks.register.head()
    before = visit.site.desks.register.register().systems.get(name)
    require_match(request, SystemItem, before)
    system = _system(name, body)
    _enter(visit, [system], which.why, head)
    return one(request, SystemItem, system, 200 if before else 201)


@doors.delete("/systems/{name}", Permission.REGISTER, "remove a system", status_code=204)
def remove_system(
    request: Request, visit: Visiting, name: Annotated[Name, _SYSTEM], which: Annotated[WhyAsked, Query()]
) -> Response:
    """Take one out, with If-Match; its entries stay."""
    head = visit.site.desks.register.head()
    system = found(visit.site.desks.register.register().systems.get(name), "system")
    require_match(request, SystemItem, system)
    _enter(visit, [system], which.why, head, away=True)
    return Response(status_code=204)


@doors.get("/systems/{name}/reviews", Permission.READ, response_model=Reviews)
def read_reviews(request: Request, visit: Visiting, name: Annotated[Name, _SYSTEM]) -> Response:
    """Who looked at its controls, and what came of it."""
    register = visit.site.desks.register.register()
    found(register.systems.get(name), "system")
    return one(request, Reviews, {"rows": list(register.reviews_of.get(name, ()))})


@doors.post(
    "/systems/{name}/reviews",
    Permission.REGISTER,
    "review a system",
    response_model=ReviewItem,
    status_code=201,
)
def add_review(
    request: Request, visit: Visiting, name: Annotated[Name, _SYSTEM], body: ReviewBody
) -> Response:
    """Write down that somebody looked."""
    head = visit.site.desks.register.head()
    found(visit.site.desks.register.register().systems.get(name), "system")
    review = Review(system=name, **body.model_dump())
    today = dt.datetime.fromtimestamp(visit.site.now(), dt.UTC).date()
    if trouble := review.trouble(today):
        raise UsageError(trouble)
    _enter(visit, [review], "", head)
    return one(request, ReviewItem, review, 201)


@doors.get("/reviews-due", Permission.READ, response_model=Due)
def read_due(request: Request, visit: Visiting, which: Annotated[DueAsked, Query()]) -> Response:
    """Whose review is due by a day."""
    return one(request, Due, {"rows": list(visit.site.desks.register.reviews_due(which.until))})


@doors.get("/risks", Permission.READ, response_model=Risks)
def read_risks(request: Request, visit: Visiting) -> Response:
    """All risks, and how great they are."""
    risks = visit.site.desks.register.register().risks
    return one(request, Risks, {"rows": [_risk(visit, risks[name]) for name in sorted(risks)]})


@doors.get("/risks/{name}", Permission.READ, response_model=RiskItem)
def read_risk(request: Request, visit: Visiting, name: Annotated[Name, _RISK]) -> Response:
    """One risk."""
    risk = found(visit.site.desks.register.register().risks.get(name), "risk")
    return one(request, RiskItem, _risk(visit, risk))


@doors.put(
    "/risks/{name}",
    Permission.REGISTER,
    "analyse a risk",
    response_model=RiskItem,
    responses={**PROBLEMS, 201: {"model": RiskItem, "description": "It is new."}},
)
def put_risk(
    request: Request,
    visit: Visiting,
    name: Annotated[Name, _RISK],
    body: RiskBody,
    which: Annotated[WhyAsked, Query()],
) -> Response:
    """Analyse one, or analyse it anew: with If-Match."""
    head = visit.site.desks.register.head()
    before = visit.site.desks.register.register().risks.get(name)
    require_match(request, RiskItem, None if before is None else _risk(visit, before))
    risk = Risk(name=name, **body.model_dump())
    _enter(visit, [risk], which.why, head)
    return one(request, RiskItem, _risk(visit, risk), 200 if before else 201)


@doors.delete("/risks/{name}", Permission.REGISTER, "remove a risk", status_code=204)
def remove_risk(
    request: Request, visit: Visiting, name: Annotated[Name, _RISK], which: Annotated[WhyAsked, Query()]
) -> Response:
    """Take one out, with If-Match; its entries stay."""
    head = visit.site.desks.register.head()
    risk = found(visit.site.desks.register.register().risks.get(name), "risk")
    require_match(request, RiskItem, _risk(visit, risk))
    _enter(visit, [risk], which.why, head, away=True)
    return Response(status_code=204)


@doors.get("/disagreements", Permission.READ, response_model=Disagreements)
def read_disagreements(
    request: Request, visit: Visiting, which: Annotated[ProfilesAsked, Query()]
) -> Response:
    """What is not as the register, or a requirement, has it."""
    desk = visit.site.desks.register
    found, since = desk.disagreements(which.profile), desk.since(which.profile)
    return one(request, Disagreements, {"rows": [_disagreement(each, since) for each in found]})


@doors.get("/profiles", Permission.READ, response_model=Profiles)
def read_profiles(request: Request, visit: Visiting) -> Response:
    """The laws and standards that can be asked for."""
    return one(request, Profiles, {"titles": dict(visit.site.desks.register.profiles())})


@doors.get("/standings", Permission.READ, response_model=Standings)
def read_standings(request: Request, visit: Visiting, which: Annotated[ProfilesAsked, Query()]) -> Response:
    """How each requirement stands."""
    desk = visit.site.desks.register
    stands, since = desk.standings(which.profile), desk.since(which.profile)
    return one(request, Standings, {"rows": [_standing(each, since) for each in stands]})


@doors.get("/verify", Permission.READ, response_model=Verified)
def verify(request: Request, visit: Visiting) -> Response:
    """Whether the chain of entries is whole."""
    desk = visit.site.desks.register
    says = desk.verify()
    return one(request, Verified, {"is_whole": says is None, "says": says, "head": asdict(desk.head())})


@doors.get(
    "/dossier",
    Permission.READ,
    responses={
        **PROBLEMS,
        200: {
            "description": "The dossier.",
            "content": {
                kind: {"schema": {"type": "string", "format": "binary"}}
                for kind in ("application/pdf", "application/zip")
            },
        },
    },
)
def dossier(visit: Visiting, which: Annotated[DossierAsked, Query()]) -> Response:
    """What an auditor asks for; the same data make the same bytes."""
    made = visit.site.desks.register.dossier(which.form.value, which.profile)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, headers=headers, media_type=made.media_type)


def _place(text: str) -> str:
    """An address in its canonical form, or a name."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        if ":" in text or not text.strip(".-0123456789"):
            raise UsageError("among the addresses is one that is neither an address nor a name") from None
        return text


def _system(name: str, body: SystemBody) -> System:
    given: dict[str, Any] = {
        field: tuple(value) if isinstance(value, list) else value
        for field, value in body.model_dump(exclude={"manager"}).items()
    }
    given["addresses"] = tuple(_place(address) for address in body.addresses)
    manager = None if body.manager is None else Manager(**body.manager.model_dump())
    return System(name=name, manager=manager, **given)


def _risk(visit: Visit, risk: Risk) -> dict[str, object]:
    level, residual = visit.site.desks.register.levels(risk)
    return {**asdict(risk), "level": level, "residual": residual}


def _disagreement(each: Disagreement, since: Since) -> dict[str, object]:
    begun = since(each)
    return {
        "rule": each.rule,
        "about": each.about,
        "says": each.says,
        "severity": each.severity,
        "since": begun and begun.on,
        "since_entry": begun and begun.by,
    }


def _standing(each: Standing, since: Since) -> dict[str, object]:
    against = [_disagreement(one, since) for one in each.against]
    return {
        "profile": each.profile,
        "requirement": each.requirement,
        "status": each.status,
        "against": against,
        "evidence": each.evidence,
        "missing": each.missing,
    }


def _enter(visit: Visit, things: Sequence[Thing], why: str, head: Head, *, away: bool = False) -> None:
    desk = visit.site.desks.register
    write = desk.remove if away else desk.enter
    try:
        write(visit.name, things, why, head)
    except ResourceError:
        if desk.head() == head:
            raise
        raise HTTPException(412, "somebody has written to the register since: read it again") from None
