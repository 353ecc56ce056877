"""rsyslog: a collector of audit messages, as hospitals run it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = ["collected", "collector"]

_CONFIGURATION = """
global(workDirectory="{home}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off" {papers})
module(load="imtcp" {driver})
input(type="imtcp" address="127.0.0.1" port="{port}")
template(name="raw" type="string" string="%rawmsg%\\n")
action(type="omfile" file="{home}/messages" fileCreateMode="0600" template="raw")
"""

_PAPERS = (
    'DefaultNetstreamDriverCAFile="{papers.authority}" DefaultNetstreamDriverCertFile="{papers.server}"'
    ' DefaultNetstreamDriverKeyFile="{papers.server_key}"'
)
_DRIVER = 'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid"'


@contextlib.contextmanager
def collector(place: Place, home: Path, papers: Certificates | None, *, port: int) -> Iterator[Peer]:
    """Collect on ``port`` of 127.0.0.1: with ``papers``, over TLS and from clients with a certificate only."""
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "rsyslog.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            home=home,
            port=port,
            papers=_PAPERS.format(papers=papers) if papers else "",
            driver=_DRIVER if papers else "",
        )
    )
    with running(
        place,
        ["rsyslogd", "-n", "-f", configuration, "-i", home / "rsyslogd.pid"],
        product="rsyslog",
        version=version_of(["rsyslogd", "-v"]),
        ports={"syslog": port},
        home=home,
    ) as peer:
        yield peer


def collected(home: Path) -> list[bytes]:
    """The messages that arrived, each as it was between its length and the next one's."""
    path = home / "messages"
    return path.read_bytes().splitlines() if path.exists() else []
