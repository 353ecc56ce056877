"""What all answers of the API have in common: pages with links, entity tags, lines of JSON, and the problems."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Final, Generic, TypeVar, get_origin
from urllib.parse import urlencode

from fastapi import Depends, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from leadglass.errors import UsageError
from leadglass.store.server_rows import Page
from leadglass.web.answers import PROBLEM

__all__ = [
    "LINES",
    "ONCE",
    "PROBLEMS",
    "Address",
    "Asked",
    "Item",
    "ItemPage",
    "Line",
    "Name",
    "Problem",
    "Text",
    "Ulid",
    "as_lines",
    "found",
    "known",
    "one",
    "page",
    "require_match",
    "tag_of",
    "with_cursor",
]

LINES: Final = "application/jsonl"

_T = TypeVar("_T")

Line = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""One line of text."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")]
"""What something of the register is called."""
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=5000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]+$")
]
"""Some lines of text."""
Ulid = Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Address = Annotated[str, StringConstraints(max_length=45, pattern=r"^[0-9a-f.:]+$")]
"""An IPv4 or IPv6 address in its canonical form."""


class Item(BaseModel):
    """A value as it is told: made of any object that has its fields."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What may stand in a query or a body, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Counted(Item):
    """How many there are."""

    number: int
    is_exact: bool = Field(description="False: there are more than number.")


class ItemPage(Item, Generic[_T]):
    """Some of a list; the Link header (RFC 8288) has the addresses of the pages next to it."""

    rows: list[_T]
    count: Counted
    next: str | None = Field(description="The cursor of the next page; null: this is the last.")
    previous: str | None = Field(description="The cursor of the page before; null: this is the first.")


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str
    what: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Mistake] = Field(default=[], description="One by one; with status 422.")


_WORDS: Mapping[int | str, str] = {
    401: "There is no token, or it is not valid.",
    403: "The token does not have the permission.",
    422: "The request is not as this document has it.",
    "default": "Something else is wrong.",
}
PROBLEMS: Final[Mapping[int | str, dict[str, Any]]] = {
    status: {"description": says, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, says in _WORDS.items()
} | {304: {"description": "The client has it already: If-None-Match says so."}}
"""The answers that every route may give."""


def _said_once(request: Request) -> None:
    """Refuse what stands in the query more than once and is no list: only the last of them would count."""
    names = [name for name, _ in request.query_params.multi_items()]
    twice = {name for name in names if names.count(name) > 1} - _lists_of(request.scope["route"])
    if twice:
        raise RequestValidationError(
            [{"loc": ("query", name), "msg": "stands there more than once"} for name in sorted(twice)]
        )


def _lists_of(route: APIRoute) -> set[str]:
    """What a route's query may hold more than once."""
    asked = [param.field_info.annotation for param in route.dependant.query_params]
    models = [kind for kind in asked if isinstance(kind, type) and issubclass(kind, Asked)]
    return {
        name
        for model in models
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is list
    }


ONCE: Final = (Depends(_said_once),)
"""What every route asks of its query."""


def one(request: Request, kind: Any, value: object, status: int = 200) -> Response:
    """``value`` as ``kind``, with its entity tag (RFC 9110, 8.8.3); 304 if the client has it."""
    body = TypeAdapter(kind).validate_python(value, from_attributes=True).model_dump_json(by_alias=True)
    tag = tag_of(body)
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if request.method in {"GET", "HEAD"} and _has(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(body, status, headers, "application/json")


def page(request: Request, kind: type[BaseModel], found_page: Page[Any]) -> Response:
    """A page, with links to those next to it."""
    answer = one(request, kind, found_page)
    cursors = {"next": found_page.next, "prev": found_page.previous}
    links = [f'<{with_cursor(request, cursor)}>; rel="{rel}"' for rel, cursor in cursors.items() if cursor]
    if links:
        answer.headers["Link"] = ", ".join(links)
    return answer


def as_lines(lines: Iterable[str]) -> Response:
    """JSON Lines as they come; what is wrong with the question is told before the first."""
    rest: Iterator[str] = iter(lines)
    first = list(itertools.islice(rest, 1))
    return StreamingResponse((f"{line}\n" for line in itertools.chain(first, rest)), media_type=LINES)


def found(value: _T | None, what: str) -> _T:
    """``value``; 404 if it is None."""
    if value is None:
        raise HTTPException(404, f"there is no {what} of this name")
    return value


def known(ask: Callable[[str], _T], name: str) -> _T:
    """What ``ask`` says of ``name``; 404 if it knows nothing of that name."""
    try:
        return ask(name)
    except UsageError as exc:
        raise HTTPException(404, exc.what) from None


def tag_of(body: str) -> str:
    """A strong entity tag."""
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'


def require_match(request: Request, kind: Any, value: object | None) -> None:
    """What is there now is what the client has seen: 412 if it is not, 428 if he does not say (RFC 6585)."""
    given = request.headers.get("if-match")
    if value is None:
        if given is not None:
            raise HTTPException(412, "there is nothing of this name yet")
        return
    if request.headers.get("if-none-match", "").strip() == "*":
        raise HTTPException(412, "there is something of this name already")
    if given is None:
        raise HTTPException(428, "say with If-Match which state of it you have seen: its ETag")
    body = TypeAdapter(kind).validate_python(value, from_attributes=True).model_dump_json(by_alias=True)
    if not _has(given, tag_of(body)):
        raise HTTPException(412, "somebody has changed it since: read it again")


def _has(field: str, tag: str) -> bool:
    """Whether ``tag`` is among the tags of a header (RFC 9110, 13.1)."""
    tags = [each.strip().removeprefix("W/") for each in field.split(",")]
    return tag in tags or tags == ["*"]


def with_cursor(request: Request, cursor: str) -> str:
    """This path with the same question, at another page."""
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{request.url.path}?{urlencode([*rest, ('cursor', cursor)])}"
