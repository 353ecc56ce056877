"""Tokens as ``guard.toml`` wants them: the table ``[identity]`` made into keys and rules."""

from __future__ import annotations

from leadglass.access.tokens import TokenRules
from leadglass.guard.identity.freshness import LAST_GOOD
from leadglass.guard.identity.jwks import Heard, KeyCache, provider
from leadglass.guard.identity.people import Identities
from leadglass.ports.world import Clock
from leadglass.settings.guard import IdentitySettings

__all__ = ["configured"]


def configured(
    settings: IdentitySettings,
    authorities: str | None,
    clock: Clock,
    *,
    last_good: float = LAST_GOOD,
    heard: Heard | None = None,
) -> tuple[KeyCache, Identities]:
    """The keys, to be kept fresh by ``KeyCache.run``, and those who are believed by them.

    ``authorities`` is what the file ``settings.ca`` holds; ``heard`` as of ``jwks.provider``, as the
    ``ConfigError`` is.
    """
    asked = provider(settings.issuer, settings.jwks, authorities, heard)
    keys = KeyCache(asked.keys, clock, last_good=last_good)
    rules = TokenRules(
        issuer=settings.issuer,
        audience=settings.audience,
        name=settings.name_claim,
        roles=settings.roles_claim,
        physician_names=settings.physician_claim,
        institutions=settings.institutions_claim,
        labels=settings.labels_claim,
    )
    return keys, Identities(keys, rules, clock)
