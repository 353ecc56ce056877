"""What the dashboard is told: frozen, with every path resolved and every default filled in.

``settings.serve_file`` makes it from ``serve.toml``. Times are seconds, sizes are bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadglass.settings.guard import Address

__all__ = ["HERE", "ServeSettings"]

HERE = Address("127.0.0.1", 8104)
"""Where it listens unless somebody says otherwise: this machine alone."""


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
