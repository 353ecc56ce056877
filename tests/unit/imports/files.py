"""Files of other tools as they write them, made up by hand: addresses of documentation, nobody's data."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any

from leadglass.imports.reading import Answered, Broken, Found, Kind, read

__all__ = [
    "CANARY",
    "CENSYS_OLDER",
    "CENSYS_PLATFORM",
    "DCMTK_NAME",
    "DCMTK_UID",
    "MASSCAN_JSON",
    "MASSCAN_LIST",
    "NMAP_XML",
    "OPEN",
    "SHODAN",
    "ZMAP_CSV",
    "broken",
    "found",
    "json_lines",
    "planted",
    "told",
]

CANARY = "CANARY^JANE^Q"
"""A patient of nobody."""
DCMTK_UID = "1.2.276.0.7230010.3.0.3.6.7"
DCMTK_NAME = "OFFIS_DCMTK_367"

OPEN = [Found("192.0.2.1", 104, None), Found("192.0.2.2", 11112, None)]
"""What each of the port scanners' files says."""

NMAP_XML = b"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE nmaprun>
<?xml-stylesheet href="file:///usr/bin/../share/nmap/nmap.xsl" type="text/xsl"?>
<!-- Nmap 7.93 scan initiated as: nmap -oX - 192.0.2.0/29 -->
<nmaprun scanner="nmap" args="nmap -oX - 192.0.2.0/29" start="1795262785" version="7.93" xmloutputversion="1.05">
<scaninfo type="syn" protocol="tcp" numservices="2" services="104,11112"/>
<host starttime="1795262785" endtime="1795262785"><status state="up" reason="arp-response" reason_ttl="0"/>
<address addr="00:53:00:00:00:01" addrtype="mac" vendor="Nobody"/>
<address addr="192.0.2.1" addrtype="ipv4"/>
<hostnames><hostname name="pacs.example.org" type="PTR"/></hostnames>
<ports><extraports state="filtered" count="1"/>
<port protocol="tcp" portid="104"><state state="open" reason="syn-ack" reason_ttl="64"/>
<service name="acr-nema" method="table" conf="3"/><script id="banner" output="x"><elem key="k">v</elem></script></port>
<port protocol="udp" portid="161"><state state="open" reason="udp-response" reason_ttl="64"/></port>
<port protocol="tcp" portid="2762"><state state="closed" reason="reset" reason_ttl="64"/></port>
</ports></host>
<host><address addr="192.0.2.2" addrtype="ipv4"/>
<ports><port protocol="tcp" portid="11112"><state state="open" reason="syn-ack" reason_ttl="64"/></port>
<port protocol="tcp" portid="4242"><state state="open|filtered" reason="no-response" reason_ttl="0"/></port></ports></host>
<runstats><finished time="1795262785" exit="success"/><hosts up="2" down="0" total="2"/></runstats>
</nmaprun>
"""

MASSCAN_LIST = b"""#masscan
open tcp 104 192.0.2.1 1795262900
closed tcp 105 192.0.2.1 1795262900
open udp 161 192.0.2.1 1795262900
banner tcp 104 192.0.2.1 1795262905 ssh SSH-2.0-open tcp 22 192.0.2.9 1795262905
open tcp 11112 192.0.2.2 1795262901
# end
"""

MASSCAN_JSON = b"""[
{   "ip": "192.0.2.1",   "timestamp": "1795262905", "ports": [ {"port": 104, "proto": "tcp", "status": "open", "reason": "syn-ack", "ttl": 64} ] }
,
{   "ip": "192.0.2.1",   "timestamp": "1795262905", "ports": [ {"port": 105, "proto": "tcp", "status": "closed", "reason": "rst", "ttl": 64} ] }
,
{   "ip": "192.0.2.1",   "timestamp": "1795262913", "ports": [ {"port": 104, "proto": "tcp", "service": {"name": "ssh", "banner": "SSH-2.0"} } ] }
,
{   "ip": "192.0.2.2",   "timestamp": "1795262905", "ports": [ {"port": 161, "proto": "udp", "status": "open"}, {"port": 11112, "proto": "tcp", "status": "open"} ] }
]
"""

ZMAP_CSV = b"""saddr,sport,classification,success
192.0.2.1,104,synack,1
192.0.2.5,104,rst,0
192.0.2.2,11112,synack,1
"""

SHODAN: dict[str, Any] = {
    "ip_str": "192.0.2.1",
    "ip": 3221225985,
    "port": 104,
    "transport": "tcp",
    "timestamp": "2026-11-01T04:05:06.123456",
    "data": f"DICOM Server Response\nR\0\0\x1b{DCMTK_UID}U\0\0\x0f{DCMTK_NAME}",
    "_shodan": {"module": "dicom", "crawler": "00", "id": "00", "options": {}},
    "hostnames": ["pacs.example.org"],
    "tags": ["medical"],
    "location": {"city": "Nowhere"},
}

CENSYS_OLDER: dict[str, Any] = {
    "ip": "192.0.2.1",
    "last_updated_at": "2026-11-02T00:00:00.123Z",
    "services": [
        {
            "port": 104,
            "service_name": "DICOM",
            "extended_service_name": "DICOM",
            "transport_protocol": "TCP",
            "observed_at": "2026-11-01T04:05:06.123456789Z",
            "banner": "x",
        },
        {
            "port": 443,
            "service_name": "HTTP",
            "extended_service_name": "HTTPS",
            "transport_protocol": "TCP",
            "certificate": "AB" * 32,
            "tls": {"version_selected": "TLSv1_3", "certificates": {"leaf_fp_sha_256": "ab" * 32}},
            "software": [{"product": "nginx"}, {"vendor": "Orthanc", "product": "orthanc"}],
        },
        {"port": 161, "service_name": "SNMP", "transport_protocol": "UDP"},
        {"port": 443, "service_name": "UNKNOWN", "transport_protocol": "QUIC"},
    ],
}

CENSYS_PLATFORM: dict[str, Any] = {
    "host": {
        "ip": "192.0.2.1",
        "services": [
            {
                "port": 104,
                "protocol": "DICOM",
                "transport_protocol": "tcp",
                "scan_time": "2026-11-01T04:05:06Z",
                "dicom": {
                    "pdu_type_name": "A-ASSOCIATE-AC",
                    "associate_ac": {
                        "implementation_class_uid": DCMTK_UID,
                        "implementation_version_name": DCMTK_NAME,
                    },
                },
            },
            {
                "port": 2762,
                "protocol": "UNKNOWN",
                "transport_protocol": "tcp",
                "tls": {"fingerprint_sha256": "cd" * 32},
            },
        ],
    }
}


def told(data: bytes, kind: Kind | None = None) -> list[Found | Answered | Broken]:
    """Everything that a file tells."""
    return list(read(io.BytesIO(data), "a file", kind))


def found(data: bytes, kind: Kind | None = None) -> list[Found]:
    """The endpoints that a file tells."""
    return [one for one in told(data, kind) if isinstance(one, Found)]


def broken(data: bytes, kind: Kind | None = None) -> list[Broken]:
    """The lines of a file that are broken."""
    return [one for one in told(data, kind) if isinstance(one, Broken)]


def json_lines(values: Iterable[object]) -> bytes:
    """One JSON value a line."""
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def planted(value: object, *keys: str) -> Iterator[tuple[str, Any]]:
    """The value once for each text in it, with the canary in that place."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for name, changed in planted(inner, *keys, key):
                yield name, {**value, key: changed}
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            for name, changed in planted(inner, *keys, str(number)):
                yield name, [*value[:number], changed, *value[number + 1 :]]
    elif isinstance(value, str):
        yield ".".join(keys), CANARY
        yield ".".join((*keys, "after")), value + CANARY
        yield ".".join((*keys, "before")), CANARY + value
