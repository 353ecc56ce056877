"""All that the dashboard stands on: handed to it once, by ``wiring``."""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.model.ulid import RANDOM_BYTES, ulid
from leadglass.ports.dashboard import Desks
from leadglass.ports.world import Clock, Randomness
from leadglass.settings.serve import ServeSettings
from leadglass.store.database import Database
from leadglass.web.oidc import Provider

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """The store, the world and the desks."""

    database: Database
    clock: Clock
    randomness: Randomness
    settings: ServeSettings
    desks: Desks
    provider: Provider | None = None
    """Who vouches for people, beside passwords."""

    def now(self) -> int:
        """POSIX seconds."""
        return int(self.clock.posix())

    def identifier(self) -> str:
        """A new one, that sorts by time (ULID)."""
        return ulid(self.clock.posix(), self.randomness.token(RANDOM_BYTES))
