"""Servers that do not speak DICOM, on ports where somebody may look for it; and haproxy before one that does."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = ["haproxy", "postgresql", "redis", "sshd"]

_HAPROXY = """
global
    stats socket {home}/s
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend dicom
    bind :{port} ssl crt {bundle} ca-file {authority} verify {verify}
    default_backend archive
backend archive
    server archive 127.0.0.1:{behind}
"""

_SSHD = """
Port {port}
HostKey {home}/host-key
PidFile none
UsePAM no
PasswordAuthentication no
StrictModes no
"""


@contextlib.contextmanager
def sshd(place: Place, home: Path, *, port: int = 104) -> Iterator[Peer]:
    """OpenSSH: greets first, and drops whoever answers with something else."""
    home.mkdir(parents=True)
    _call(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(home / "host-key")])
    (home / "sshd_config").write_text(_SSHD.format(home=home, port=port))
    # Privilege separation wants this directory; Debian's service makes it at each start.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with running(
        place,
        ["/usr/sbin/sshd", "-D", "-e", "-f", home / "sshd_config"],
        product="openssh",
        version=version_of(["ssh", "-V"]),
        ports={"ssh": port},
        home=home,
    ) as peer:
        yield peer


@contextlib.contextmanager
def redis(place: Place, home: Path, *, port: int = 11112) -> Iterator[Peer]:
    """Redis, open to other machines; silent to a request that it does not know."""
    home.mkdir(parents=True)
    options = {
        "--port": str(port),
        "--bind": "0.0.0.0",
        "--protected-mode": "no",
        "--save": "",
        "--dir": str(home),
    }
    with running(
        place,
        ["redis-server", *(word for option in options.items() for word in option)],
        product="redis",
        version=version_of(["redis-server", "--version"]),
        ports={"redis": port},
        home=home,
    ) as peer:
        yield peer


@contextlib.contextmanager
def postgresql(place: Place, home: Path, *, port: int = 11112) -> Iterator[Peer]:
    """PostgreSQL, open to other machines, as its own user: it refuses to run as root."""
    home.mkdir(parents=True)
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    # pytest's folders belong to root alone, so the data lies beside them.
    with tempfile.TemporaryDirectory(prefix="leadglass-postgresql-") as data:
        as_user = _drop_to("postgres", data)
        _call([*as_user, str(programs / "initdb"), "--auth=trust", "--no-sync", "--pgdata", data])
        options = ["-c", "listen_addresses=*", "-c", f"unix_socket_directories={data}", "-c", "fsync=off"]
        with running(
            place,
            [*as_user, programs / "postgres", "-D", data, "-p", str(port), *options],
            product="postgresql",
            version=version_of([str(programs / "postgres"), "--version"]),
            ports={"postgresql": port},
            home=home,
        ) as peer:
            yield peer


@contextlib.contextmanager
def haproxy(
    place: Place,
    home: Path,
    papers: Certificates,
    behind: Peer,
    *,
    verify: str = "required",
    port: int = 2762,
) -> Iterator[Peer]:
    """TLS in front of the DICOM server ``behind``; ``verify`` is none, optional or required."""
    home.mkdir(parents=True)
    (home / "haproxy.cfg").write_text(
        _HAPROXY.format(
            home=home,
            port=port,
            bundle=papers.server_bundle,
            authority=papers.authority,
            verify=verify,
            behind=behind.port,
        )
    )
    with running(
        place,
        ["haproxy", "-db", "-f", home / "haproxy.cfg"],
        product="haproxy",
        version=version_of(["haproxy", "-v"]),
        ports={"dicom": port},
        home=home,
    ) as peer:
        yield peer


def _drop_to(user: str, folder: str) -> list[str]:
    """The words before a command that run it as ``user``, who is given ``folder``."""
    entry = pwd.getpwnam(user)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={user}", f"--regid={entry.pw_gid}", "--init-groups", "--"]


def _call(argv: list[str]) -> None:
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
