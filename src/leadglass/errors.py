"""Every error Leadglass raises, arranged by who must act.

::

    LeadglassError
    ├── UsageError            the user, who typed something we cannot do          exit 2
    ├── ConfigError           the user, whose file is wrong                       exit 2
    │   └── ScopeError        ... and the file is the scope: no socket was opened
    ├── ScopeDenied           nobody: the scope does not permit this, here, now
    ├── ResourceError         the operator: disk, descriptors, rights, a service  exit 3
    ├── TransportError        the network: no connection, or it broke
    ├── RemoteProtocolError   the peer, whose bytes break the standard
    └── LocalProtocolError    us: Leadglass asked its own code for something the standard forbids

A message is one line: what is wrong, where, and what to do next. Nothing here is a
frozen dataclass: Python assigns ``__traceback__`` to a raised exception.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ConfigError",
    "LeadglassError",
    "LocalProtocolError",
    "RemoteProtocolError",
    "ResourceError",
    "ScopeDenied",
    "ScopeError",
    "TransportError",
    "UsageError",
]


class LeadglassError(Exception):
    """Something went wrong; ``str()`` of it is the one line a user reads.

    ``where`` names the place (a file and line, an option, an endpoint), ``then`` says
    what to do next. ``exit_code`` is what the command returns when nobody handles it.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", then: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.then = then

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.then}" if self.then else ""
        return f"{place}{self.what}{advice}"


class UsageError(LeadglassError):
    """The command line asks for something that cannot be done. Correct it and call again."""

    exit_code = 2


class ConfigError(LeadglassError):
    """A configuration file cannot be used. Nothing was sent; correct the named line."""

    exit_code = 2


class ScopeError(ConfigError):
    """The scope is unreadable, contradictory, empty or expired. No socket was opened."""


class ScopeDenied(LeadglassError):
    """The scope does not permit this address, port, rung or moment. Nothing was sent."""

    exit_code = 2


class ResourceError(LeadglassError):
    """This machine cannot do it: a full disk, a missing right, too few descriptors."""


class TransportError(LeadglassError):
    """No connection could be made, or it broke before the question was answered."""


class RemoteProtocolError(LeadglassError):
    """The peer's bytes break the standard.

    ``abort_reason`` is the A-ABORT reason/diagnostic (PS3.8 table 9-26) to answer with:
    0 not specified, 1 unrecognised PDU, 2 unexpected PDU, 4 unrecognised parameter,
    5 unexpected parameter, 6 invalid parameter value.
    """

    def __init__(self, what: str, *, abort_reason: int = 0) -> None:
        super().__init__(what)
        self.abort_reason = abort_reason


class LocalProtocolError(LeadglassError):
    """Leadglass itself asked for something the standard forbids: a bug, please report it."""
