"""An authority at a fixed moment, and certificates of it, with serial numbers that count."""

from __future__ import annotations

import functools
import itertools
from pathlib import Path

from leadglass.guard.enrol.authority import Authority, Stamp, Writ, new_authority

__all__ = ["MOMENT", "authority", "client", "kept", "root", "server", "stamp"]

MOMENT = 1_795_237_200.0
"""2026-11-21T05:00:00Z."""
_serials = itertools.count(1)


def stamp(moment: float = MOMENT) -> Stamp:
    return Stamp(next(_serials), moment)


@functools.cache
def _root(rsa: bool) -> Writ:
    return new_authority("Example Radiology guard", stamp(), rsa_keys=rsa)


def root(*, rsa: bool = False) -> Writ:
    return _root(rsa)


def authority(*, rsa: bool = False) -> Authority:
    made = root(rsa=rsa)
    return Authority(made.certificate, made.key, "ca.pem")


def server(moment: float = MOMENT) -> Writ:
    hosts = ("guard.example.org", "192.0.2.1", "2001:db8::1")
    return authority().server("Example Radiology guard", hosts, stamp(moment))


def client(name: str = "ct-1", moment: float = MOMENT, days: int = 365, host: str | None = None) -> Writ:
    until = moment + days * 86_400
    return authority().client(
        "Example Radiology guard", name, stamp(moment), until, host=host, rsa_keys=False
    )


def kept(folder: Path, name: str, writ: Writ) -> tuple[str, str]:
    """Paths of the certificate and its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(writ.certificate)
    key.write_bytes(writ.key)
    return str(certificate), str(key)
