"""The cookies: of a session, of a stranger who is about to sign in, and of one whom the provider is asked about."""

from __future__ import annotations

from fastapi import Request, Response

from leadglass.web.site import Site

__all__ = [
    "clear",
    "end_flow",
    "flow_secret",
    "give_flow",
    "give_session",
    "give_stranger",
    "session_secret",
    "stranger_secret",
]

_SESSION, _STRANGER, _FLOW = "leadglass", "leadglass-form", "leadglass-flow"
_LONGEST = 64


def session_secret(site: Site, request: Request) -> str:
    """What the browser shows of a session; "" if nothing."""
    return _found(site, request, _SESSION)


def stranger_secret(site: Site, request: Request) -> str:
    """What the browser shows before it is signed in."""
    return _found(site, request, _STRANGER)


def flow_secret(site: Site, request: Request) -> str:
    """What the browser shows that went to the identity provider."""
    return _found(site, request, _FLOW)


def give_session(site: Site, response: Response, secret: str) -> None:
    """Let the browser show ``secret`` from now on, until it is closed; the stranger's is void."""
    _set(site, response, _SESSION, secret)
    _delete(site, response, _STRANGER)


def give_stranger(site: Site, response: Response, secret: str) -> None:
    """Let a browser that is about to sign in be told from any other."""
    _set(site, response, _STRANGER, secret)


def give_flow(site: Site, response: Response, secret: str, seconds: int) -> None:
    """Let the browser that goes to the identity provider be told from any other that comes from there."""
    _set(site, response, _FLOW, secret, seconds)


def end_flow(site: Site, response: Response) -> None:
    """It came back."""
    _delete(site, response, _FLOW)


def clear(site: Site, response: Response) -> None:
    """Let the browser forget."""
    for name in (_SESSION, _STRANGER):
        _delete(site, response, name)


def _set(site: Site, response: Response, name: str, value: str, seconds: int | None = None) -> None:
    # Lax and not Strict: the way back from the identity provider begins at another site.
    secure = site.settings.is_secure
    response.set_cookie(
        _name(site, name), value, seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )


def _delete(site: Site, response: Response, name: str) -> None:
    secure = site.settings.is_secure
    response.delete_cookie(_name(site, name), path="/", secure=secure, httponly=True, samesite="lax")


def _found(site: Site, request: Request, name: str) -> str:
    value = request.cookies.get(_name(site, name), "")
    return value if len(value) <= _LONGEST else ""


def _name(site: Site, name: str) -> str:
    """With TLS a name that no other host and no plain connection can set (RFC 6265bis 4.1.3.2)."""
    return f"__Host-{name}" if site.settings.is_secure else name
