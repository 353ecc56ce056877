# Any file: endpoints and broken lines, or ConfigError; never another exception, never unbounded memory or time.
"""Files of other scanners, plain and packed.

Input: a byte for the format (or none, to be told by the file) and whether to pack it, then the file. How it arrives
must make no difference, and nothing that is told may be of another form than it should be.
"""

from __future__ import annotations

import gzip
import io

import atheris

with atheris.instrument_imports(include=["leadglass.imports", "leadglass.errors"]):
    from leadglass.imports.reading import Answered, Broken, Found, Kind, read

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import ConfigError
from leadglass.model.evidence import facts_of

KINDS: tuple[Kind | None, ...] = (None, *Kind)
NMAP = (
    b"<?xml version='1.0'?><!DOCTYPE nmaprun><nmaprun><host><address addr='192.0.2.1' addrtype='ipv4'/>"
    b"<ports><port protocol='tcp' portid='104'><state state='open'/></port></ports></host></nmaprun>"
)
MASSCAN = (
    b'[\n{"ip": "192.0.2.1", "ports": [{"port": 104, "proto": "tcp", "status": "open"}]},\n{finished: 1}\n]\n'
)
SHODAN = (
    b'{"ip_str": "192.0.2.1", "port": 104, "timestamp": "2026-11-01T04:05:06.1", "_shodan": {"module": "dicom"},'
    b' "data": "R\\u0000\\u0000\\u00051.2.3U\\u0000\\u0000\\u0003A_1", "ssl": {}}\n'
)
CENSYS = (
    b'{"host": {"ip": "192.0.2.1", "services": [{"port": 104, "protocol": "DICOM", "transport_protocol": "tcp",'
    b' "dicom": {"associate_ac": {"implementation_class_uid": "1.2.3"}}}]}}\n'
)
TOLD = (
    NMAP,
    MASSCAN,
    b"#masscan\nopen tcp 104 192.0.2.1 1\nbanner tcp 104 192.0.2.1 1 ssh x\n# end\n",
    b"saddr,sport,success\n192.0.2.1,104,1\n",
    SHODAN,
    CENSYS,
    b'{\n  "matches": [\n    {"ip_str": "::1", "port": 104}\n  ]\n}\n',
)
"""One file of each format."""


class Dribble(io.BytesIO):
    """The same file in small pieces."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 5, 5))


def told(stream: io.BytesIO, kind: Kind | None) -> list[Found | Answered | Broken] | None:
    """Everything that the file tells; None if it is refused."""
    try:
        return list(read(stream, "file", kind))
    except ConfigError:
        return None


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    if not data:
        return
    kind, body = KINDS[data[0] % len(KINDS)], data[1:]
    if data[0] & 0x80:
        body = gzip.compress(body, 1, mtime=0)
    whole = told(io.BytesIO(body), kind)
    assert told(Dribble(body), kind) == whole
    for one in whole or ():
        if isinstance(one, Found):
            assert 1 <= one.port <= 65535
            assert one.address.isascii()
            assert all(
                str(fact.value).isprintable() for fact in (facts_of(one.evidence) if one.evidence else ())
            )


def seeds() -> list[bytes]:
    """Each file, its format named and not named, packed and not."""
    return [bytes((door,)) + data for data in TOLD for door in (0, 0x80, *range(1, len(KINDS)))]


if __name__ == "__main__":
    run(target, seeds())
