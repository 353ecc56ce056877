"""A certificate authority of a hospital that does not exist, and files with what it signed."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificates", "certificates"]

ORGANISATION = "Example Hospital"
UNIT = "Imaging CA"


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files. ``server`` is for the name archive.example and the server's addresses."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    @property
    def server_bundle(self) -> Path:
        """Key and chain in one file, as haproxy wants it."""
        bundle = self.server.with_name("server-bundle.pem")
        bundle.write_bytes(self.server_key.read_bytes() + self.server.read_bytes())
        return bundle

    def enrolled(self) -> ssl.SSLContext:
        """A client that the servers know: it trusts the authority and shows the client certificate."""
        context = self.stranger()
        context.load_cert_chain(self.client, self.client_key)
        return context

    def stranger(self) -> ssl.SSLContext:
        """A client that trusts the authority and has no certificate to show."""
        context = ssl.create_default_context(cafile=self.authority)
        # The retired AES profile has only suites that Python leaves out.
        context.set_ciphers("ALL:@SECLEVEL=1")
        return context


def certificates(home: Path, *addresses: str) -> Certificates:
    """Make an authority, a server certificate for ``addresses``, and a client certificate, in ``home``."""
    home.mkdir(parents=True, exist_ok=True)
    # RSA, because the retired DICOM profiles know no other key.
    rsa = trustme.KeyType.RSA
    authority = trustme.CA(organization_name=ORGANISATION, organization_unit_name=UNIT, key_type=rsa)
    server = authority.issue_cert("archive.example", *addresses, common_name="archive.example", key_type=rsa)
    client = authority.issue_cert("scanner.example", common_name="CT scanner 1", key_type=rsa)
    authority.cert_pem.write_to_path(home / "authority.pem")
    for leaf, name in ((server, "server"), (client, "client")):
        leaf.private_key_pem.write_to_path(home / f"{name}-key.pem")
        (home / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    names = ("authority", "server", "server-key", "client", "client-key")
    return Certificates(*(home / f"{name}.pem" for name in names))
