"""Proxies that terminate mutual TLS before an archive and know nothing of DICOM."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import running

__all__ = ["Front", "fronts"]

_HAPROXY = """
global
    nbthread 2
    maxconn 2000
    {more}
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend door
    bind 127.0.0.1:{port} ssl crt {bundle} ca-file {authority} verify required
    default_backend archive
backend archive
    server one 127.0.0.1:{archive}
"""
_NGINX = """
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
worker_processes 2;
user root;
pid {home}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate {bundle};
        ssl_certificate_key {bundle};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        proxy_pass 127.0.0.1:{archive};
    }}
}}
"""
_STUNNEL = """
foreground = yes
pid =
[archive]
accept = 127.0.0.1:{port}
connect = 127.0.0.1:{archive}
cert = {bundle}
CAfile = {authority}
verifyChain = yes
"""


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy and where it listens."""

    name: str
    port: int


@contextlib.contextmanager
def fronts(archive: int, papers: Path) -> Iterator[list[Front]]:
    """All that are installed, with the guard's own certificate out of the folder ``papers``."""
    home = papers / "fronts"
    home.mkdir()
    bundle = home / "bundle.pem"
    bundle.write_bytes((papers / "server.key").read_bytes() + (papers / "server.pem").read_bytes())
    wanted = [
        ("haproxy", "haproxy", _HAPROXY.replace("{more}", ""), ["-db", "-f"]),
        (
            "haproxy, 256 KB buffers",
            "haproxy",
            _HAPROXY.replace("{more}", "tune.bufsize 262144"),
            ["-db", "-f"],
        ),
        ("nginx", "nginx", _NGINX, ["-c"]),
        ("stunnel", "stunnel4", _STUNNEL, []),
    ]
    with contextlib.ExitStack() as stack:
        found = []
        for number, (name, program, text, options) in enumerate(wanted):
            if shutil.which(program) is None:
                continue
            own = home / str(number)
            own.mkdir()
            port = free_port(LOOPBACK)
            file = own / "configuration"
            file.write_text(
                text.format(port=port, archive=archive, bundle=bundle, authority=papers / "ca.pem", home=own)
            )
            stack.enter_context(
                running(
                    LOOPBACK,
                    [program, *options, file],
                    product=program,
                    version="",
                    ports={"tls": port},
                    home=own,
                )
            )
            found.append(Front(name, port))
        yield found
