"""TLS as PS3.15 annex B.12 and B.13 want it: the settings of OpenSSL for the guard's doors and its calls.

Nothing is resumed under TLS 1.3: no tickets are given out, so that every association shows its
certificate and has it checked. Under TLS 1.2, OpenSSL remembers sessions whatever we say, with the
certificate of the client in them: who is revoked is still told by its fingerprint, and to stop the
memory from growing, ``ServerTls`` begins anew after so many.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable

from leadglass.errors import ConfigError
from leadglass.settings.guard import Profile

__all__ = ["SUITES", "ServerTls", "client_context", "server_context"]

_B12 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
)

SUITES = {
    Profile.BCP195: _B12,
    Profile.STRICT: (
        *_B12,
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES256-CCM",
        "ECDHE-ECDSA-AES128-CCM",
        "ECDHE-ECDSA-AES256-CCM8",
        "ECDHE-ECDSA-AES128-CCM8",
    ),
}
"""OpenSSL's names of the suites for TLS 1.2, best first; of B.13's, OpenSSL lacks Camellia with GCM.

For TLS 1.3 there are the three that OpenSSL has on by itself. The two with CCM that B.13 asks for as well
cannot be switched on through Python 3.11.
"""

_LEVEL = "@SECLEVEL=2"
"""RSA keys of 2048 bits and more, curves of 224 and more, no SHA-1 in certificates (OpenSSL 3.0)."""
_MOST_SESSIONS = 1000


def server_context(
    profile: Profile, certificate: str, key: str, ca: str, *, demand: bool = True
) -> ssl.SSLContext:
    """The guard's door: a client must show a certificate that ``ca`` vouches for. Paths of PEM files.

    ``demand=False`` lets a client in that shows none, for whoever brings a token instead.
    ``ConfigError`` names the file that cannot be used.
    """
    made = _context(ssl.PROTOCOL_TLS_SERVER, profile)
    made.options |= ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE
    made.num_tickets = 0
    _load_pair(made, certificate, key)
    _load_ca(made, ca)
    made.verify_mode = ssl.CERT_REQUIRED if demand else ssl.CERT_OPTIONAL
    return made


def client_context(
    profile: Profile, ca: str, certificate: str | None = None, key: str | None = None, *, names: bool = True
) -> ssl.SSLContext:
    """For calls to the archive, to a guard or to a device. Paths of PEM files; ``ConfigError`` as above.

    ``names``: the server's certificate must carry the name it is called by. Leave that out only where
    its fingerprint is compared instead.
    """
    made = _context(ssl.PROTOCOL_TLS_CLIENT, profile)
    made.check_hostname = names
    made.verify_mode = ssl.CERT_REQUIRED
    if certificate is not None and key is not None:
        _load_pair(made, certificate, key)
    _load_ca(made, ca)
    return made


class ServerTls:
    """Gives out the settings of one door, new ones whenever too many sessions are remembered in the old."""

    def __init__(self, make: Callable[[], ssl.SSLContext]) -> None:
        """``make`` reads the files anew each time, so that a renewed certificate is taken up as well."""
        self._make = make
        self._context = make()

    def context(self) -> ssl.SSLContext:
        """The settings for the next connection."""
        if self._context.session_stats()["number"] >= _MOST_SESSIONS:
            # Files that are being replaced just now are taken up the next time.
            with contextlib.suppress(ConfigError):
                self.reload()
        return self._context

    def reload(self) -> None:
        """Read the files anew; ``ConfigError`` if they cannot be used, and the old settings stay."""
        self._context = self._make()


def _context(protocol: int, profile: Profile) -> ssl.SSLContext:
    made = ssl.SSLContext(protocol)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(":".join([*SUITES[profile], _LEVEL]))
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    return made


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        # Without a password function, OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as exc:
        raise ConfigError(
            f"this is no certificate with its key ({exc.reason or 'unreadable'})",
            where=f"{certificate}, {key}",
        ) from exc
    except OSError as exc:
        raise ConfigError(f"cannot be read ({_why(exc)})", where=f"{certificate}, {key}") from exc


def _load_ca(context: ssl.SSLContext, ca: str) -> None:
    try:
        context.load_verify_locations(ca)
    except ssl.SSLError as exc:
        raise ConfigError("there are no certificates in this file", where=ca) from exc
    except OSError as exc:
        raise ConfigError(f"cannot be read ({_why(exc)})", where=ca) from exc


def _why(exc: OSError) -> str:
    return (exc.strerror or str(exc)).lower()
