"""What goes wrong, as an answer: a page for people, ``application/problem+json`` (RFC 9457) for programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from leadglass.errors import LeadglassError, ScopeDenied, ScopeError, UsageError
from leadglass.report.safe import visible
from leadglass.web.rendering import page
from leadglass.web.rules import API
from leadglass.web.visit import Visit, Visitor

__all__ = ["PROBLEM", "install", "problem"]

PROBLEM = "application/problem+json"
_LOG = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Let nothing reach anybody but in one of these forms."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(LeadglassError, _ours)
    app.add_exception_handler(Exception, _unforeseen)


def problem(
    status: int, detail: str, headers: Mapping[str, str] | None = None, **members: object
) -> Response:
    """A problem as programs read it; ``detail`` is one line."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": visible(detail), **members}
    return Response(json.dumps(body), status, headers, PROBLEM)


def _refused(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, StarletteHTTPException)
    headers = dict(exc.headers or {})
    if exc.status_code == HTTPStatus.SEE_OTHER:
        return RedirectResponse(headers["Location"], HTTPStatus.SEE_OTHER)
    if is_api(request):
        if exc.status_code == HTTPStatus.UNAUTHORIZED:
            headers.setdefault("WWW-Authenticate", "Bearer")
        return problem(exc.status_code, exc.detail, headers)
    if exc.status_code == HTTPStatus.UNAUTHORIZED and request.method in {"GET", "HEAD"}:
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='')}", HTTPStatus.SEE_OTHER)
    return _page(request, exc.status_code, exc.detail, headers)


def _malformed(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    found = [_mistake(each) for each in exc.errors()]
    says = "; ".join(f"{each['where']}: {each['what']}" for each in found)
    if is_api(request):
        return problem(422, "the request is not as the document of this API has it", errors=found)
    return _page(request, 422, says)


def _mistake(error: Mapping[str, Any]) -> dict[str, str]:
    """One mistake, without what was sent."""
    where: Sequence[object] = error["loc"]
    return {"where": visible(".".join(map(str, where))), "what": visible(str(error["msg"]))}


def _ours(request: Request, exc: Exception) -> Response:
    """What the store, a desk or a reader says; ``where`` is left out: it may be a path of this machine."""
    assert isinstance(exc, LeadglassError)
    match exc:
        case ScopeDenied() | ScopeError():
            status = HTTPStatus.CONFLICT
        case UsageError():  # 422 tells programs that the document of the API forbids it
            status = HTTPStatus.BAD_REQUEST if is_api(request) else HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            status = HTTPStatus.SERVICE_UNAVAILABLE
            _LOG.error("%s %s: %s", request.method, request.url.path, exc)
    says = f"{exc.what}; {exc.then}" if exc.then else exc.what
    return problem(status, says) if is_api(request) else _page(request, status, says)


def _unforeseen(request: Request, exc: Exception) -> Response:
    _LOG.error("%s %s", request.method, request.url.path, exc_info=exc)
    says = "something went wrong here, and it was written to the log; please report it"
    return problem(500, says) if is_api(request) else _page(request, 500, says)


def is_api(request: Request) -> bool:
    """Whether a program asks."""
    return request.url.path.startswith(API)


def _page(request: Request, status: int, what: str, headers: Mapping[str, str] | None = None) -> Response:
    visit = getattr(request.state, "visit", None) or Visit(request.app.state.site, Visitor(""))
    answer = page("problem.html", visit, status, title=HTTPStatus(status).phrase, what=what)
    answer.headers.update(headers or {})
    return answer
