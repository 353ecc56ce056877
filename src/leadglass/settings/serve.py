"""What the dashboard is told: frozen, with every path resolved and every default filled in.

``settings.serve_file`` makes it from ``serve.toml``. Times are seconds, sizes are bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadglass.model.account import Role
from leadglass.settings.guard import Address

__all__ = ["HERE", "OidcSettings", "ServeSettings"]

HERE = Address("127.0.0.1", 8104)
"""Where it listens unless somebody says otherwise: this machine alone."""


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The identity provider that vouches for people (OpenID Connect Core 1.0)."""

    issuer: str
    client_id: str
    client_secret_file: str
    """What this dashboard shows the provider, alone in a file."""
    roles: Mapping[str, Role]
    """What a value of the claim makes of somebody; whoever has none of them does not come in."""
    roles_claim: str = "roles"
    """E.g. ``realm_access.roles``."""
    ca: str | None = None
    """Path of the certificates that vouch for it, PEM; None: those of the system."""


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """All that ``leadglass serve`` can be told."""

    bind: Address = HERE
    hosts: tuple[str, ...] = ()
    """Names by which browsers may call it, beside those of loopback and ``bind``."""
    certificate: str | None = None
    key: str | None = None
    """PEM files; None: no TLS here."""
    trusted_proxy: tuple[str, ...] = ()
    """CIDR: whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    idle: int = 1800
    """A session ends after so long without a request."""
    absolute: int = 43_200
    """A session ends after so long in any case."""
    largest_body: int = 2 << 20
    most_connections: int = 200
    slowest_request: int = 20
    """A request has arrived whole by then."""
    watch: str | None = None
    """``watch.toml``; None: nothing is scanned by itself."""
    guard: str | None = None
    """``guard.toml`` of a guard on this machine; None: there is none."""
    profiles: tuple[str, ...] = ()
    """Laws and standards that the register is held against."""
    organisation: str = ""
    """Whose register it is, for dossiers."""
    oidc: OidcSettings | None = None
    """None: people sign in by a password here."""

    @property
    def is_secure(self) -> bool:
        """Whether browsers come by TLS: here, or as far as the proxy before it."""
        return self.certificate is not None or bool(self.trusted_proxy)

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind.host, self.bind.host)  # noqa: S104  # compared with
        scheme = "https" if self.certificate is not None else "http"
        return f"{scheme}://{Address(host, self.bind.port)}"
