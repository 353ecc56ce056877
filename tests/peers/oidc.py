"""An identity provider: npm's oidc-provider, with the clients and the grant of ``oidc-provider/server.mjs``."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.peers.certificates import Certificates
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer, running

__all__ = ["SECRET", "Issuer", "oidc_provider"]

_FOLDER = Path(__file__).parent / "oidc-provider"
_PACKAGE = _FOLDER / "node_modules" / "oidc-provider" / "package.json"
_PERSON = "urn:example:grant:person"
SECRET = "only-on-loopback"
"""Of every client."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A provider that runs."""

    peer: Peer
    papers: Certificates

    @property
    def name(self) -> str:
        """Its issuer identifier, and where it is."""
        return f"https://{self.peer.target}"

    @property
    def authorities(self) -> str:
        """Who vouches for its certificate, in PEM form."""
        return self.papers.authority.read_text()

    def person(
        self,
        subject: str,
        audience: str,
        algorithm: str = "RS256",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> bytes:
        """An access token for a person, some of whose claims and header members are replaced."""
        wish = {"subject": subject, "audience": audience, "alg": algorithm}
        more = {"claims": json.dumps(claims), "header": json.dumps(header or {})}
        return self._token("viewer", self.papers.stranger(), {"grant_type": _PERSON, **wish, **more})

    def client(self, name: str, audience: str) -> bytes:
        """An access token for a client itself: ``router``, or ``modality``, bound to the client certificate."""
        wish = {"grant_type": "client_credentials", "resource": audience}
        return self._token(name, self.papers.enrolled(), wish)

    def keys(self) -> dict[str, Any]:
        """The key set as it is published now."""
        found: dict[str, Any] = json.loads(self._ask("GET", "/jwks", self.papers.stranger()))
        return found

    def rotate(self) -> None:
        """New keys in place of all old ones."""
        self._ask("POST", "/control/rotate", self.papers.stranger())

    def make(self, person: str, role: str) -> None:
        """Let somebody be what ``role`` says, in the tokens of browsers that come from now on."""
        self._ask("POST", f"/control/roles?{urlencode({person: role})}", self.papers.stranger())

    def _token(self, client: str, tls: ssl.SSLContext, wish: Mapping[str, str]) -> bytes:
        word = base64.b64encode(f"{client}:{SECRET}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", "Content-Type": "application/x-www-form-urlencoded"}
        answer = json.loads(self._ask("POST", "/token", tls, urlencode(wish), headers))
        return str(answer["access_token"]).encode("ascii")

    def _ask(
        self,
        method: str,
        path: str,
        tls: ssl.SSLContext,
        body: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        connection = http.client.HTTPSConnection(self.peer.host, self.peer.port, timeout=20, context=tls)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            told = answer.read()
        assert answer.status in {200, 204}, told
        return told


@contextlib.contextmanager
def oidc_provider(
    home: Path, papers: Certificates, port: int | None = None, back: str = ""
) -> Iterator[Issuer]:
    """A provider on loopback, for whose address ``papers`` must be; ``back``: where browsers come back to."""
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port(LOOPBACK)
    with running(
        LOOPBACK,
        ["node", _FOLDER / "server.mjs", str(port), papers.server, papers.server_key, papers.authority, back],
        product="oidc-provider",
        version=json.loads(_PACKAGE.read_text())["version"],
        ports={"https": port},
        home=home,
    ) as peer:
        yield Issuer(peer, papers)
