"""Signing in by the identity provider: there and back.

A link leads there, not a form: browsers hold redirections after a form to ``form-action``, which stays ``'self'``.
Whatever the provider or a stranger writes into the address of the way back is text, and is shown only to the
browser that went there.
"""

from __future__ import annotations

import logging

from fastapi import HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from leadglass.access.id_token import Person
from leadglass.access.identity import IdentityRefusal
from leadglass.access.openid import Asking
from leadglass.errors import LeadglassError
from leadglass.report.safe import visible
from leadglass.store import web_sessions
from leadglass.store.web_sessions import Flow
from leadglass.web import cookies, limits, signin
from leadglass.web.doors import Doors, Who
from leadglass.web.oidc import Provider
from leadglass.web.rendering import page
from leadglass.web.secrets import digest_of, secret
from leadglass.web.visit import Visit, Visiting
from leadglass.web.vouching import account_for

__all__ = ["FLOW_SECONDS", "doors"]

doors = Doors(include_in_schema=False)

FLOW_SECONDS = 600
"""How long somebody may take at the provider."""
_BACK = "/sign-in/return"
_TOLD = ("code", "state", "iss", "error", "error_description")
_LONGEST = 2000
_MOST_SHOWN = 200
_LOG = logging.getLogger(__name__)

_STRAY = (
    "This sign-in was not begun in this browser, was used before, or took more than ten minutes. Begin again."
)
_ELSEWHERE = "This answer is not from the identity provider that was asked. Begin again."


class _Refused(Exception):
    """Carries out of here what the person reads."""

    def __init__(self, says: str, status: int = 403) -> None:
        super().__init__(says)
        self.says = says
        self.status = status


@doors.get("/sign-in/provider", Who.ANYBODY, has_form=True)
def leave_for_provider(visit: Visiting, request: Request, next: str = "/", anew: bool = False) -> Response:  # noqa: A002 - the query calls it so
    """Send the browser to the provider, with what tells it from any other when it comes back."""
    provider, site = _provider(visit), visit.site
    limits.require_way_out(site, visit.visitor.address)
    state, browser = secret(site.randomness), secret(site.randomness)
    flow = Flow(secret(site.randomness), secret(site.randomness), signin.local_path(next))
    try:
        there = provider.address(_asking(provider, request, flow, state, anew=anew))
    except LeadglassError as exc:
        return _said(visit, _Refused(_unusable(exc), 502), flow.next)
    web_sessions.begin_flow(site.database, _key(state, browser), flow, FLOW_SECONDS)
    answer = RedirectResponse(there, 303)
    cookies.give_flow(site, answer, browser, FLOW_SECONDS)
    return answer


@doors.get(_BACK, Who.ANYBODY, "sign in by the identity provider", has_form=True)
def come_back(visit: Visiting, request: Request) -> Response:
    """Let somebody in for whom the provider vouches, or say in one line why not."""
    provider, told, browser = _provider(visit), _told(request), cookies.flow_secret(visit.site, request)
    key = _key(told.get("state", ""), browser)
    flow = web_sessions.end_flow(visit.site.database, key) if browser else None
    if flow is None:
        answer = _said(visit, _Refused(_STRAY), "/")
    else:
        answer = _answered(visit, request, provider, flow, told)
    cookies.end_flow(visit.site, answer)
    return answer


def _answered(
    visit: Visit, request: Request, provider: Provider, flow: Flow, told: dict[str, str]
) -> Response:
    try:
        return _let_in(visit, request, provider, flow, told)
    except _Refused as no:
        return _said(visit, no, flow.next)


def _let_in(visit: Visit, request: Request, provider: Provider, flow: Flow, told: dict[str, str]) -> Response:
    person = _person(request, provider, flow, told)
    try:
        account = account_for(visit, person, provider.settings)
    except LeadglassError as exc:
        raise _Refused(f"{exc.what.capitalize()}.") from exc
    if isinstance(account, str):
        raise _Refused(account)
    limits.came_back(visit.site, visit.visitor.address)
    answer = RedirectResponse(signin.local_path(flow.next), 303)
    # Who was signed in there for hours has not shown just now who he is.
    signin.begin(visit, account, request, answer, int(person.at or 0))
    return answer


def _person(request: Request, provider: Provider, flow: Flow, told: dict[str, str]) -> Person:
    try:
        _require_issuer(provider, told)
        if "error" in told:
            raise _Refused(_refusal_told(told))
        if not told.get("code"):
            raise _Refused(_ELSEWHERE)
        found = provider.person(told.get("code", ""), _asking(provider, request, flow, ""))
    except LeadglassError as exc:
        raise _Refused(_unusable(exc), 502) from exc
    if isinstance(found, IdentityRefusal):
        _LOG.warning("the identity provider's token was refused: %s (%s)", found.reason, found.rule)
        raise _Refused(f"The identity provider is not believed: {found.reason}.", 502)
    return found


def _require_issuer(provider: Provider, told: dict[str, str]) -> None:
    """RFC 9207 2.4: the answer of another provider is not taken to this one (mix-up)."""
    if told.get("iss", provider.settings.issuer) != provider.settings.issuer:
        raise _Refused(_ELSEWHERE)
    if "iss" not in told and provider.names_itself():
        raise _Refused(_ELSEWHERE)


def _refusal_told(told: dict[str, str]) -> str:
    words = [told[name] for name in ("error", "error_description") if told.get(name)]
    return f"The identity provider refused: {visible(': '.join(words))[:_MOST_SHOWN]}"


def _unusable(exc: LeadglassError) -> str:
    _LOG.error("sign-in by the identity provider: %s", exc)
    advice = f"; {exc.then}" if exc.then else ""
    return f"The identity provider cannot be used now: {exc.what}{advice}."


def _asking(provider: Provider, request: Request, flow: Flow, state: str, *, anew: bool = False) -> Asking:
    # The name in Host is one of ours: ``front`` lets no other pass.
    back = f"{request.url.scheme}://{request.headers['host']}{_BACK}"
    return Asking(provider.settings.client_id, back, state, flow.nonce, flow.verifier, anew)


def _told(request: Request) -> dict[str, str]:
    """What the way back brings; nothing of it if something is there twice, or longer than it can be."""
    given = {name: request.query_params.getlist(name) for name in _TOLD}
    if any(len(values) > 1 or len("".join(values)) > _LONGEST for values in given.values()):
        return {}
    return {name: values[0] for name, values in given.items() if values}


def _provider(visit: Visit) -> Provider:
    if visit.site.provider is None:
        raise HTTPException(404, "no identity provider is configured here")
    return visit.site.provider


def _key(state: str, browser: str) -> str:
    return digest_of(f"{state} {browser}")


def _said(visit: Visit, no: _Refused, to: str) -> Response:
    visit.deed.outcome = "refused"
    visit.deed.detail = visit.deed.detail or no.says
    return page("sign-in.html", visit, no.status, next=to, wrong=no.says)
