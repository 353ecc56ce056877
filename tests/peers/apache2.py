"""Apache httpd, with a file as somebody wrote it and the modules that Debian enables or a front needs."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = ["complaint", "from_file", "home"]

_MODULES = (
    "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_user", "authz_host", "access_compat",
    "alias", "dir", "mime", "env", "setenvif", "headers", "rewrite", "proxy", "proxy_http", "socache_shmcb", "ssl",
)  # fmt: skip
_FIRST = (
    *(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in _MODULES),
    "User www-data",
    "Group www-data",
    "PidFile apache2.pid",
    "ServerName front.example",
    "TypesConfig /etc/mime.types",
    "Mutex file:. default",
)


@contextlib.contextmanager
def home() -> Iterator[Path]:
    """A folder that the server can read after it gave up its rights, unlike one of the tests' own."""
    with tempfile.TemporaryDirectory(prefix="leadglass-apache2-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def from_file(place: Place, file: Path, ports: Mapping[str, int]) -> contextlib.AbstractContextManager[Peer]:
    """The server with ``file`` as its main file; relative paths in it are beside it."""
    return running(
        place,
        [*_with(file), "-D", "FOREGROUND"],
        product="apache2",
        version=version_of(["apache2", "-v"]),
        ports=ports,
        home=file.parent,
    )


def complaint(place: Place, file: Path) -> str:
    """What ``apache2 -t`` has against a file; ``""`` when nothing."""
    done = place.run([*_with(file), "-t"])
    return done.stderr if done.returncode else ""


def _with(file: Path) -> list[str | Path]:
    first = [word for line in _FIRST for word in ("-C", line)]
    return [
        "apache2",
        "-d",
        file.parent,
        "-f",
        file,
        "-E",
        "/dev/stderr",
        *first,
        "-c",
        "ErrorLog /dev/stderr",
    ]
