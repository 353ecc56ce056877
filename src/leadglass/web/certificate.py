"""The certificate that browsers see, which can be replaced while they come and go."""

from __future__ import annotations

import ssl

from leadglass.errors import ConfigError

__all__ = ["Certificate"]


class Certificate:
    """Certificate and key of a door, TLS 1.2 or newer."""

    def __init__(self, certificate: str, key: str) -> None:
        """Paths of PEM files; ``ConfigError`` if they cannot be used."""
        self._files = (certificate, key)
        self.context = self._made()

    def renew(self) -> None:
        """Show what the files hold now to whoever comes next; ``ConfigError`` if they cannot be used, and nothing changes."""
        self._made()  # half of a pair would spoil the one in use
        self._load(self.context)

    def _made(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        certificate, key = self._files
        try:
            # Without a password function, OpenSSL would ask the terminal for one.
            context.load_cert_chain(certificate, key, password="")
        except OSError as exc:  # ssl.SSLError is one
            why = exc.strerror or str(exc)
            raise ConfigError(f"certificate and key cannot be used ({why})", where=certificate) from exc
