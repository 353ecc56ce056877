"""Censys' exports: one host a line, in the shape of the older search (``ip``, ``services``) or of the Platform.

The two differ in few names: ``service_name`` and ``protocol``, ``observed_at`` and ``scan_time``. What the API wraps
around a host (``result``, ``hits``, ``resource``, ``host_v1``) is taken off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from leadglass.imports.found import Broken, Found, Json, UnfitError
from leadglass.imports.records import each_record
from leadglass.imports.words import (
    address_of,
    at,
    fingerprint_of,
    moment_of,
    port_of,
    product_of,
    uid_of,
    version_name_of,
)
from leadglass.model.evidence import PassiveEvidence

__all__ = ["read_censys"]

_SOURCE = "censys"
_WRAPPINGS = ("result", "host_v1", "resource", "host")
_ANNOUNCED = ("dicom", "associate_ac")
_FINGERPRINTS = (
    ("cert", "fingerprint_sha256"),
    ("tls", "fingerprint_sha256"),
    ("tls", "certificates", "leaf_fp_sha_256"),
    ("certificate",),
)


class _Service(NamedTuple):
    address: Json
    says: Json
    seen_at: Json
    """When the host was last seen, for services that do not tell."""


def read_censys(pieces: Iterable[bytes]) -> Iterator[Found | Broken]:
    """Every TCP service of every host."""
    return each_record(pieces, _services, _found)


def _services(value: Json) -> Iterator[_Service]:
    """The services of all hosts; what is no host counts as a service that is none, and is told with them."""
    for host in _hosts(value):
        address, services = at(host, "ip"), at(host, "services")
        if address is None or not isinstance(services, list | None):
            yield _Service(None, None, None)
        else:
            seen_at = at(host, "last_updated_at")
            yield from (_Service(address, service, seen_at) for service in services or ())


def _hosts(value: Json) -> Iterator[Json]:
    """The hosts of a search result or of a look-up of many, or the one that this is."""
    value = _unwrapped(value)
    lists = (at(value, name) for name in ("hits", "result"))
    hosts = next((hosts for hosts in lists if isinstance(hosts, list)), (value,))
    return map(_unwrapped, hosts)


def _unwrapped(value: Json) -> Json:
    """What stands within the wrappings, which are never more than there are of them."""
    for _ in _WRAPPINGS:
        value = next((value[name] for name in _WRAPPINGS if isinstance(at(value, name), dict)), value)
    return value


def _found(service: _Service) -> Iterator[Found]:
    says = service.says
    if not isinstance(says, dict):
        raise UnfitError("not a host or service of Censys")
    if _word(says.get("transport_protocol", "tcp")) == "tcp":
        yield Found(address_of(service.address), port_of(says.get("port")), _evidence(says, service.seen_at))


def _evidence(says: Mapping[str, Json], host_seen_at: Json) -> PassiveEvidence:
    uid = uid_of(at(says, *_ANNOUNCED, "implementation_class_uid"))
    certificate = next((sha for path in _FINGERPRINTS if (sha := fingerprint_of(at(says, *path)))), None)
    over_tls = isinstance(says.get("tls"), dict) or certificate is not None
    return PassiveEvidence(
        _SOURCE,
        seen_at=moment_of(says.get("scan_time") or says.get("observed_at") or host_seen_at),
        speaks=_speaks(says) or ("tls" if over_tls else None),
        over_tls=over_tls,
        implementation_class_uid=uid,
        implementation_version_name=version_name_of(
            at(says, *_ANNOUNCED, "implementation_version_name"), uid
        ),
        product=_product(says.get("software")),
        certificate_sha256=certificate,
    )


def _speaks(says: Mapping[str, Json]) -> str | None:
    names = {_word(says.get(key)) for key in ("protocol", "service_name", "extended_service_name")}
    if "dicom" in names or isinstance(says.get("dicom"), dict):
        return "dicom"
    return "http" if names & {"http", "https"} else None


def _product(software: Json) -> str | None:
    items = software if isinstance(software, list) else []
    return next((word for item in items if (word := product_of(at(item, "product")))), None)


def _word(value: Json) -> str:
    return value.lower() if isinstance(value, str) else ""
