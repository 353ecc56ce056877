"""Whether a request that changes something was sent by a page of ours: by where it comes from, and by its token."""

from __future__ import annotations

from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from leadglass.web.secrets import is_same

__all__ = ["FIELD", "HEADER", "require_our_page", "require_token", "token_in"]

FIELD = "csrf"
"""The field of a form that brings the token."""
HEADER = "x-csrf-token"
"""The header that brings it, for our own scripts."""
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def require_our_page(request: Request) -> None:
    """403 if the browser says that another site sent this (Fetch Metadata; Origin of older browsers).

    ``Origin: null`` says nothing: pages that send no Referer send it too.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin", "null")
    if site is not None:
        ours = site == "same-origin"
    else:
        ours = origin == "null" or urlsplit(origin).netloc.casefold() == request.url.netloc.casefold()
    if not ours:
        raise HTTPException(403, "this was sent by another site")


def require_token(sent: str, expected: str) -> None:
    """403 unless ``sent`` is the token of this session."""
    if not is_same(sent, expected):
        raise HTTPException(403, "this form is not of your present session; load the page again")


async def token_in(request: Request) -> str:
    """The token that a request brings; "" if none."""
    found = request.headers.get(HEADER)
    if found is None and request.headers.get("content-type", "").startswith(_FORMS):
        # Read before FastAPI does, which then gets the same form.
        field = (await request.form(max_files=8, max_fields=200)).get(FIELD)
        found = field if isinstance(field, str) else None
    return found or ""
