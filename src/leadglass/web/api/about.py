"""What this is, and who asks."""

from __future__ import annotations

from pydantic import BaseModel

from leadglass import __version__
from leadglass.model.account import Permission, Role
from leadglass.web.api.answering import ONCE, PROBLEMS
from leadglass.web.doors import Doors, Who
from leadglass.web.visit import Visiting

__all__ = ["About", "doors"]

doors = Doors("/api/v1", tags=["about"], responses=PROBLEMS, dependencies=ONCE)


class About(BaseModel):
    """The version, and what the one who asks may do."""

    version: str
    account: str
    role: Role
    permissions: list[Permission]


@doors.get("/about", Who.SIGNED_IN)
def about(visit: Visiting) -> About:
    """Say who asks and what the credential allows."""
    account = visit.visitor.account
    assert account is not None
    return About(
        version=__version__,
        account=account.name,
        role=account.role,
        permissions=sorted(visit.visitor.permissions),
    )
