"""A front's file read in a test: a few lines in, what the reader makes of them out."""

from __future__ import annotations

from leadglass.configs.fronts.apache_reader import APACHE
from leadglass.configs.fronts.nginx_reader import NGINX
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited

__all__ = ["apache", "fixed", "host", "nginx", "rules", "server"]


def nginx(text: str) -> Reading:
    """Read by nginx's reader."""
    return NGINX.read(Source("front.conf", text), {})


def apache(text: str) -> Reading:
    """Read by Apache httpd's reader."""
    return APACHE.read(Source("front.conf", text), {})


def server(*lines: str, listen: str = "443 ssl") -> Reading:
    """One server of nginx, called after nothing, with these lines."""
    return nginx(f"server {{ listen {listen}; {' '.join(lines)} }}")


def host(*lines: str, port: int = 443) -> Reading:
    """One host of Apache httpd, with these lines."""
    tls = "SSLEngine on" if port == 443 else ""
    return apache("\n".join((f"<VirtualHost *:{port}>", tls, *lines, "</VirtualHost>\n")))


def rules(reading: Reading) -> set[str]:
    """The numbers of what was found, as ``NGINX-001``."""
    return {finding.rule.removeprefix("LG-") for finding in reading.findings}


def fixed(reading: Reading) -> str:
    """The file with every change made."""
    return edited(reading.source.text, [edit for finding in reading.findings for edit in finding.edits])
