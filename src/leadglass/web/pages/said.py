"""What a page says after a form was sent: words of ours, named in the address of the page."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse

from leadglass.web.pages.telling import with_query

__all__ = ["after", "said"]

_SAID = {
    "assigned": "Written into the register: it is assigned.",
    "reviewed": "Written into the register: it was reviewed.",
    "noted": "The note stands below.",
    "ordered": "The look is ordered. It begins as soon as the watch is free.",
    "acknowledged": "Acknowledged: it stays here until it is over.",
    "closed": "Closed. It comes again if it happens again.",
    "silenced": "Silent until that day: alerts that match are kept, and sent to nobody.",
    "unsilenced": "The silence is over.",
    "entered": "Written into the register.",
}


def after(path: str, what: str) -> RedirectResponse:
    """Show ``path`` next, saying ``what`` was done."""
    return RedirectResponse(with_query(quote(path, safe="/:"), {"said": what}), 303)


def said(request: Request) -> str:
    """What the page has to say; nothing but our own words, whatever the address asks for."""
    return _SAID.get(request.query_params.get("said", ""), "")
