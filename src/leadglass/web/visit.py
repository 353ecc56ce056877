"""A visit: one request, who makes it, and what it does."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from leadglass.model.account import Account, Permission
from leadglass.web.site import Site

__all__ = ["Deed", "Via", "Visit", "Visiting", "Visitor"]


class Via(enum.Enum):
    """How somebody shows who he is."""

    NOTHING = "nothing"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the way, not the secret


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request."""

    address: str
    """Where it comes from, as far as we believe the proxy."""
    via: Via = Via.NOTHING
    account: Account | None = None
    permissions: frozenset[Permission] = frozenset()
    """What the role allows now, and the token names."""
    credential: str = ""
    """The session or the token, by the number under which it is kept; never the secret."""
    digest: str = ""
    """Of the secret of the session, to find it again."""
    csrf: str = ""
    """What the forms of this session have to bring along."""
    confirmed_at: int = 0
    """POSIX seconds: when the password was last given."""

    @property
    def name(self) -> str:
        """The account; "" for a stranger."""
        return self.account.name if self.account else ""

    def with_csrf(self, token: str) -> Visitor:
        """The same, about to be given a form."""
        return replace(self, csrf=token)


@dataclass(slots=True)
class Deed:
    """What the request does, for the audit: a handler says what the path does not. No secrets."""

    who: str = ""
    """Who did it, where the visitor is not yet or no more who he is: at signing in and out."""
    on: str = ""
    detail: str = ""
    outcome: str = ""
    """Where the status of the answer does not tell it: ``done``, ``refused`` or ``failed``."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What a handler gets."""

    site: Site
    visitor: Visitor
    deed: Deed = field(default_factory=Deed)

    @property
    def name(self) -> str:
        """The account of whoever asks."""
        return self.visitor.name

    def may(self, permission: Permission) -> bool:
        """Whether the visitor has ``permission``: to show or to leave out a form."""
        return permission in self.visitor.permissions


def _visit(request: Request) -> Visit:
    visit: Visit = request.state.visit
    return visit


Visiting: TypeAlias = Annotated[Visit, Depends(_visit)]
"""The type of a handler's argument."""
