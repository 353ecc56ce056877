"""Any bytes as files of one folder: readings, broken ones or unknown ones; every report is written and every fix ends.

Input: files, divided by a line of three dashes and a slash; the first of each kind of seed are real. What the
readers say of one file is fuzzed beside this (``fuzz_configs_*``); here it is what comes of files together.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import atheris

with atheris.instrument_imports(include=["leadglass.configs", "leadglass.report", "leadglass.errors"]):
    from leadglass.configs.fixing import fixed
    from leadglass.configs.lint import Broken, Linted, Read, linted, read
    from leadglass.configs.source import Source, decoded
    from leadglass.report.lint_contract import LintReport
    from leadglass.report.lint_writer import write_lint

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.configs.accepting import Weighed
from leadglass.errors import ConfigError
from leadglass.model.verdict import Severity
from leadglass.report.lint_forms import LintFormat

BETWEEN = b"\n---/\n"
NAMES = ("compose.yml", "orthanc.json", "nginx.conf", "conf.d/more.json")
COMPOSE = b"""services:
  archive:
    image: orthancteam/orthanc
    volumes: [./orthanc.json:/etc/orthanc/orthanc.json, ./conf.d:/etc/orthanc/conf.d]
    environment: {PASSWORD: orthanc}
  proxy:
    image: nginx
    volumes: [./nginx.conf:/etc/nginx/conf.d/default.conf]
    ports: ["80:80"]
"""
ORTHANC = b"""{"RemoteAccessAllowed": true, "AuthenticationEnabled": false, "HttpCorsEnabled": true,
 "RegisteredUsers": {"alice": "${PASSWORD}"}, "DicomModalities": {"ct": ["CT", "192.0.2.1", 104]}}"""
NGINX = b"server { listen 80; include *.conf; location / { proxy_pass http://archive:8042; } }\n"
MORE = b'{"DicomAlwaysAllowFind": true, "LimitFindResults": 0}'


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    files = {name: one(name, raw) for name, raw in zip(NAMES, data.split(BETWEEN), strict=False)}
    result = linted(files.values())
    report = LintReport(result, Weighed(result.findings), Severity.LOW, "1.0", named=frozenset(NAMES))
    for form in LintFormat:
        stream = io.StringIO()
        write_lint(form, report, stream)
        assert stream.getvalue().endswith("\n")
    assert linted(reversed(list(files.values()))) == result
    closed(files, result)


def one(name: str, raw: bytes) -> Read:
    try:
        return read(decoded(name, raw))
    except ConfigError as exc:
        return Broken(name, str(exc))


def closed(files: Mapping[str, Read], before: Linted) -> None:
    """Closing everything ends, changes files that were read and no others, and breaks none."""

    def again(texts: Mapping[str, str]) -> Linted:
        return linted(
            read(Source(name, texts[name])) if name in texts else file for name, file in files.items()
        )

    texts = fixed(before, lambda result: result.findings, again)
    assert set(texts) <= {reading.source.path for reading in before.readings}
    assert {broken.path for broken in again(texts).broken} <= {broken.path for broken in before.broken}


def seeds() -> list[bytes]:
    """A project, and the same with less."""
    whole = [COMPOSE, ORTHANC, NGINX, MORE]
    loopback = COMPOSE.replace(b'"80:80"', b'"127.0.0.1:80:80"')
    return [
        BETWEEN.join(files) for files in (whole, whole[:2], [loopback, *whole[1:]], [b"", ORTHANC, NGINX])
    ]


if __name__ == "__main__":
    run(target, seeds())
