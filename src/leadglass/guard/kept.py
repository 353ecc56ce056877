"""What a guard keeps on its own disk of what others told it, to begin by when they are away.

Written by this guard alone, for itself, and read as strictly as if anybody had written it: what cannot be
read counts as not kept.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from pydantic import TypeAdapter

from leadglass.errors import ConfigError
from leadglass.model.enrolment import Roll

__all__ = ["KeptKeys", "KeptState", "keep", "read_keys", "read_state", "text_of"]

_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class KeptState:
    """The shared state as it was last."""

    confirmed: float
    """When it was last known to be so, POSIX seconds."""
    roll: Roll
    secret: str = field(repr=False)
    """The key under which all processes count whom they do not name, base64."""

    @property
    def key(self) -> bytes:
        """The same, as bytes."""
        return base64.b64decode(self.secret, validate=True)


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """The keys of an identity provider as it last told them."""

    confirmed: float
    """When it did, POSIX seconds."""
    issuer: str
    """Whose they are."""
    document: str
    """The key set (RFC 7517) as it came."""


_STATE = TypeAdapter(KeptState)
_KEYS = TypeAdapter(KeptKeys)
_EITHER: TypeAdapter[KeptState | KeptKeys] = TypeAdapter(KeptState | KeptKeys)


def text_of(kept: KeptState | KeptKeys) -> bytes:
    """JSON."""
    return _EITHER.dump_json(kept)


def read_state(text: bytes) -> KeptState:
    """What ``text_of`` made; ``ConfigError`` if it is not that."""
    try:
        kept = _STATE.validate_json(text)
        kept.key  # noqa: B018 - it can be read, or it cannot
    except (ValueError, binascii.Error) as exc:
        raise _broken() from exc
    return kept


def read_keys(text: bytes) -> KeptKeys:
    """The same for keys."""
    try:
        return _KEYS.validate_json(text)
    except ValueError as exc:
        raise _broken() from exc


async def keep(write: Callable[[], None]) -> NoReturn:
    """Call ``write`` in a thread once a second, for ever."""
    while True:
        await asyncio.to_thread(write)
        await asyncio.sleep(_EVERY)


def _broken() -> ConfigError:
    return ConfigError("what was kept cannot be read")
