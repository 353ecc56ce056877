"""nginx: one file, read."""

from __future__ import annotations

import re
from collections.abc import Mapping

from leadglass.configs.fronts.nginx_case import Case, case_of
from leadglass.configs.fronts.nginx_rules import findings
from leadglass.configs.fronts.ways import facts, fronts, listeners
from leadglass.configs.kinds import Environment, Reader
from leadglass.configs.reading import Fact, Reading
from leadglass.configs.source import Source

__all__ = ["NGINX"]

_LOOKED_AT = 200_000
_BLOCK = re.compile(
    r"^[ \t]*+(?:(?:server|http|stream|events)[ \t]*+(?:\r?\n[ \t]*+)?\{|(?:upstream|location|map|geo)[ \t][^;{}\n]{1,500}\{)",
    re.MULTILINE,
)
_LINE = re.compile(
    r"^[ \t{]*+(?:[^;{}#\n]{0,200}\{[ \t]*+)?(?:listen|server_name|proxy_pass|worker_processes|worker_connections|include|root"
    r"|return|alias|auth_basic|ssl_certificate|server|default|add_header|fastcgi_pass|uwsgi_pass|grpc_pass|deny|allow"
    r"|try_files)[ \t][^;\n]{1,2000};",
    re.MULTILINE,
)


def _recognises(source: Source) -> bool:
    text = source.text[:_LOOKED_AT]
    return _BLOCK.search(text) is not None and _LINE.search(text) is not None


def _read(source: Source, environment: Environment) -> Reading:  # noqa: ARG001 -- nginx has none in its files
    case = case_of(source)
    found = sorted(set(findings(case)), key=lambda one: (one.place, one.rule))
    return Reading(
        kind="nginx",
        source=source,
        findings=tuple(found),
        listeners=listeners(case.ways, "nginx"),
        fronts=fronts(case.ways, source),
        logs_in=any(one.rule == "LG-NGINX-020" for one in found),
        facts=_facts(case),
        includes=tuple(dict.fromkeys(d.argument for d in case.all("include") if d.words)),
    )


def _facts(case: Case) -> Mapping[str, Fact]:
    verify = {d.argument for d in case.all("ssl_verify_client")}
    versions = dict.fromkeys(word for d in case.all("ssl_protocols") for word in d.arguments)
    return {
        **facts(case.ways),
        "servers": len(case.servers),
        "client_certificate": next(
            (word for word in ("optional_no_ca", "optional", "on", "off") if word in verify), None
        ),
        "tls_versions": tuple(versions) or None,
    }


NGINX = Reader("nginx", _recognises, _read)
"""nginx: its main file, a site of ``sites-enabled``, or a snippet of locations."""
