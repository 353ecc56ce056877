"""nginx: a web server that has nothing to do with DICOM, and a TLS front before one that has."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.peers.certificates import Certificates
from tests.peers.places import Place
from tests.peers.running import Peer, running, version_of

__all__ = ["complaint", "from_file", "front", "web", "web_tls"]

_MAIN = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 1;
user root;
pid {home}/nginx.pid;
error_log stderr info;
events {{ worker_connections 512; }}
"""

_FROM_OUTSIDE = (
    "load_module /usr/lib/nginx/modules/ngx_stream_module.so; user root; pid nginx.pid; error_log stderr;"
)

_WEB = """
http {{
    access_log {home}/access.log;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    server {{
        listen {port} {flag};
        root {home}/www;
        {more}
    }}
}}
"""

_STREAM = """
stream {{
    server {{
        listen {port} ssl;
        proxy_pass 127.0.0.1:{behind};
        ssl_protocols {version};
        {tls}
    }}
}}
"""

_TLS = """
        ssl_certificate {papers.server};
        ssl_certificate_key {papers.server_key};
        ssl_client_certificate {papers.authority};
        ssl_verify_client {verify};
"""

_PAGE = "<!doctype html><title>Example Hospital</title><h1>Welcome</h1>\n"


def web(
    place: Place, home: Path, *, port: int = 80, redirect: str = ""
) -> contextlib.AbstractContextManager[Peer]:
    """One HTML page over HTTP, or a redirection of everything to the address ``redirect``."""
    elsewhere = f"return 302 {redirect};" if redirect else ""
    return _nginx(place, home, _web(home, port, "", elsewhere), {"http": port})


def web_tls(
    place: Place, home: Path, papers: Certificates, verify: str, *, port: int = 443
) -> contextlib.AbstractContextManager[Peer]:
    """One HTML page over HTTPS; ``verify`` is what ``ssl_verify_client`` takes: on, off, optional."""
    tls = _TLS.format(papers=papers, verify=verify)
    return _nginx(place, home, _web(home, port, "ssl", tls), {"https": port})


def front(
    place: Place,
    home: Path,
    papers: Certificates,
    behind: Peer,
    *,
    verify: str = "on",
    version: str = "TLSv1.2 TLSv1.3",
    port: int = 2762,
) -> contextlib.AbstractContextManager[Peer]:
    """TLS in front of the DICOM server ``behind``, which must run in the same place."""
    tls = _TLS.format(papers=papers, verify=verify)
    body = _STREAM.format(port=port, behind=behind.port, version=version, tls=tls)
    return _nginx(place, home, body, {"dicom": port})


def from_file(
    place: Place, home: Path, file: Path, ports: dict[str, int]
) -> contextlib.AbstractContextManager[Peer]:
    """Nginx with a main file as somebody wrote it; relative paths in it are under ``home``."""
    return running(
        place,
        [*_with(home, file), "-g", f"daemon off; {_FROM_OUTSIDE}"],
        product="nginx",
        version=version_of(["nginx", "-v"]),
        ports=ports,
        home=home,
    )


def complaint(place: Place, home: Path, file: Path) -> str:
    """What ``nginx -t`` has against a file; ``""`` when nothing."""
    done = place.run([*_with(home, file), "-t", "-g", _FROM_OUTSIDE])
    return done.stderr if done.returncode else ""


def _with(home: Path, file: Path) -> list[str | Path]:
    return ["nginx", "-e", "stderr", "-p", home, "-c", file]


def _web(home: Path, port: int, flag: str, more: str) -> str:
    (home / "www").mkdir(parents=True)
    (home / "www" / "index.html").write_text(_PAGE)
    return _WEB.format(home=home, port=port, flag=flag, more=more)


@contextlib.contextmanager
def _nginx(place: Place, home: Path, body: str, ports: dict[str, int]) -> Iterator[Peer]:
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "nginx.conf"
    configuration.write_text(_MAIN.format(home=home) + body)
    with running(
        place,
        ["nginx", "-e", "stderr", "-p", home, "-c", configuration],
        product="nginx",
        version=version_of(["nginx", "-v"]),
        ports=ports,
        home=home,
    ) as peer:
        yield peer
