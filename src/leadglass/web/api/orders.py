"""Looks that somebody asks for, and the schedules that ask by themselves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import Path, Query, Request, Response
from pydantic import Field

from leadglass.model.account import Permission
from leadglass.model.order import Order, OrderState, Why
from leadglass.web.api.answering import ONCE, PROBLEMS, Address, Asked, Item, Line, Ulid, known, one
from leadglass.web.doors import Doors
from leadglass.web.visit import Visiting

__all__ = ["doors"]

doors = Doors("/api/v1", tags=["orders"], responses=PROBLEMS, dependencies=ONCE)

_MOST_PORTS = 1000


class Spot(Asked):
    """An address and a port of the scope."""

    address: Address = Field(examples=["192.0.2.10"])
    port: int = Field(ge=1, le=65535, examples=[11112])


class Wish(Asked):
    """What to look at: a scope that is configured, or some endpoints of it."""

    scope: Line = Field(min_length=1, description="The name of a configured scope.", examples=["practice"])
    ports: list[Spot] = Field([], max_length=_MOST_PORTS, description="Only these; none: all of the scope.")


class OrdersAsked(Asked):
    """How many."""

    limit: int = Field(50, ge=1, le=500)


class OrderItem(Item):
    """A look that somebody wants, and what became of it."""

    id: str
    schedule: str
    why: Why
    state: OrderState
    due_at: dt.datetime
    until: dt.datetime = Field(description="It is begun by then, or missed.")
    ports: list[tuple[str, int]]
    asked_by: str
    scan: str | None
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    trouble: str


class Orders(Item):
    """The latest first."""

    rows: list[OrderItem]
    is_running: bool = Field(description="Whether somebody takes orders now.")


class ScheduleItem(Item):
    """A schedule, and when it comes next."""

    schedule: str
    scope: str
    when: str = Field(description="As it is written in watch.toml.")
    next_at: dt.datetime | None
    last: OrderItem | None


class Schedules(Item):
    """The soonest first; and the scopes that orders may name."""

    rows: list[ScheduleItem]
    scopes: list[str]


@doors.post("/orders", Permission.SCAN, "order a scan", response_model=OrderItem, status_code=202)
def give_order(request: Request, visit: Visiting, wish: Wish) -> Response:
    """Ask for a look, now: at a scope, or again at what was said to be fixed. 409: the scope does not permit it."""
    spots = [(spot.address, spot.port) for spot in wish.ports]
    order = visit.site.desks.watch.order(wish.scope, spots, visit.name)
    visit.deed.on, visit.deed.detail = order.id, wish.scope
    answer = one(request, OrderItem, order, 202)
    answer.headers["Location"] = f"/api/v1/orders/{order.id}"
    return answer


@doors.get("/orders", Permission.READ, response_model=Orders)
def read_orders(request: Request, visit: Visiting, which: Annotated[OrdersAsked, Query()]) -> Response:
    """What was asked for lately, by schedules and persons."""
    desk = visit.site.desks.watch
    return one(request, Orders, {"rows": list(desk.orders(which.limit)), "is_running": desk.is_running()})


@doors.get("/orders/{order}", Permission.READ, response_model=OrderItem)
def read_order(
    request: Request, visit: Visiting, order: Annotated[Ulid, Path(description="The identifier of an order.")]
) -> Response:
    """How far one is."""
    told: Order = known(visit.site.desks.watch.order_of, order)
    return one(request, OrderItem, told)


@doors.get("/schedules", Permission.READ, response_model=Schedules)
def read_schedules(request: Request, visit: Visiting) -> Response:
    """When what is watched comes next."""
    desk = visit.site.desks.watch
    return one(request, Schedules, {"rows": list(desk.schedules()), "scopes": sorted(desk.scopes())})
