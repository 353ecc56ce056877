"""Who may pass a door: a permission, or one of two rules that no permission expresses."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from leadglass.model.account import Permission

__all__ = ["API", "Declared", "Rule", "Who"]

API = "/api/"
"""Where paths of the API begin: bearer tokens count there, and problems are JSON."""


class Who(enum.Enum):
    """Rules that no permission expresses."""

    ANYBODY = "anybody"
    """Strangers too: signing in, static files, health."""
    SIGNED_IN = "signed-in"
    """Whoever has an account: what is his own."""


Rule: TypeAlias = Permission | Who


@dataclass(frozen=True, slots=True)
class Declared:
    """One route as it was declared."""

    method: str
    path: str
    rule: Rule
    action: str
    """What the audit calls it; "" for what changes nothing."""
    fresh: bool
    """The password must have been given a moment ago."""
    has_form: bool
    """A stranger gets a form here, and with it a cookie that the form belongs to."""
    endpoint: Callable[..., Any]
    options: dict[str, Any]

    @property
    def is_api(self) -> bool:
        """Whether it is part of the API."""
        return self.path.startswith(API)
