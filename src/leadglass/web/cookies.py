"""The two cookies: of a session, and of a stranger who is about to sign in."""

from __future__ import annotations

from fastapi import Request, Response

from leadglass.web.site import Site

__all__ = ["clear", "give_session", "give_stranger", "session_secret", "stranger_secret"]

_SESSION, _STRANGER = "leadglass", "leadglass-form"
_LONGEST = 64


def session_secret(site: Site, request: Request) -> str:
    """What the browser shows of a session; "" if nothing."""
    return _found(site, request, _SESSION)


def stranger_secret(site: Site, request: Request) -> str:
    """What the browser shows before it is signed in."""
    return _found(site, request, _STRANGER)


def give_session(site: Site, response: Response, secret: str) -> None:
    """Let the browser show ``secret`` from now on, until it is closed; the stranger's is void."""
    _set(site, response, _SESSION, secret)
    response.delete_cookie(
        _name(site, _STRANGER), path="/", secure=site.settings.is_secure, httponly=True, samesite="lax"
    )


def give_stranger(site: Site, response: Response, secret: str) -> None:
    """Let a browser that is about to sign in be told from any other."""
    _set(site, response, _STRANGER, secret)


def clear(site: Site, response: Response) -> None:
    """Let the browser forget."""
    for name in (_SESSION, _STRANGER):
        response.delete_cookie(
            _name(site, name), path="/", secure=site.settings.is_secure, httponly=True, samesite="lax"
        )


def _set(site: Site, response: Response, name: str, value: str) -> None:
    secure = site.settings.is_secure
    response.set_cookie(_name(site, name), value, path="/", secure=secure, httponly=True, samesite="lax")


def _found(site: Site, request: Request, name: str) -> str:
    value = request.cookies.get(_name(site, name), "")
    return value if len(value) <= _LONGEST else ""


def _name(site: Site, name: str) -> str:
    """With TLS a name that no other host and no plain connection can set (RFC 6265bis 4.1.3.2)."""
    return f"__Host-{name}" if site.settings.is_secure else name
