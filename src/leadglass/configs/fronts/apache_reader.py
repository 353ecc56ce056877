"""Apache httpd: one file, read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadglass.configs.fronts.apache_case import Case, case_of
from leadglass.configs.fronts.apache_rules import findings
from leadglass.configs.fronts.ways import facts, fronts, listeners
from leadglass.configs.kinds import Environment, Reader
from leadglass.configs.reading import Fact, Reading
from leadglass.configs.source import Source

__all__ = ["APACHE"]

_LOOKED_AT = 200_000
_SECTION = re.compile(
    r"^[ \t]*+<(?:VirtualHost|Location|LocationMatch|Directory|Proxy|IfModule|Files|FilesMatch)[ \t][^<>\n]{1,300}>[ \t\r]*+$",
    re.MULTILINE | re.IGNORECASE,
)
_LINE = re.compile(
    r"^[ \t]*+(?:ServerName|ServerRoot|ServerAlias|DocumentRoot|ProxyPass|ProxyPassMatch|ProxyPassReverse|ProxyRequests"
    r"|Listen|LoadModule|Require|AuthType|RewriteEngine|RewriteRule|SSLEngine|SSLProtocol|Options|Allow|Order|Header"
    r"|Alias|Redirect|SetHandler)[ \t]++[^{};<>\s][^{}\n]*+$",
    re.MULTILINE | re.IGNORECASE,
)


def _recognises(source: Source) -> bool:
    text = source.text[:_LOOKED_AT]
    lines = {found[0].split(None, 1)[0].lower() for found in _LINE.finditer(text)}
    return len(lines) > 2 or (bool(lines) and _SECTION.search(text) is not None)


def _read(source: Source, environment: Environment) -> Reading:  # noqa: ARG001 -- none of it reaches these files
    case = case_of(source)
    found = sorted(set(findings(case)), key=lambda one: (one.place, one.rule))
    includes = [line.argument for name in ("include", "includeoptional") for line in case.all(name)]
    return Reading(
        kind="apache",
        source=source,
        findings=tuple(found),
        listeners=listeners(case.ways, "Apache httpd"),
        fronts=fronts(case.ways, source),
        logs_in=any(one.rule == "LG-APACHE-015" for one in found),
        facts=_facts(case),
        includes=tuple(dict.fromkeys(filter(None, includes))),
    )


def _facts(case: Case) -> Mapping[str, Fact]:
    verify = {line.argument.lower() for line in case.all("sslverifyclient")}
    versions = dict.fromkeys(word for line in case.all("sslprotocol") for word in line.arguments)
    words = ("optional_no_ca", "optional", "require", "none")
    return {
        **facts(case.ways),
        "servers": len(case.hosts),
        "client_certificate": next((word for word in words if word in verify), None),
        "tls_versions": tuple(versions) or None,
    }


APACHE = Reader("apache", _recognises, _read)
"""Apache httpd: its main file, a site of ``sites-enabled``, or a part that is included."""
