"""Shodan's exports: one banner a line, as ``shodan download`` writes them.

A search result or a host as the API returns them is taken apart into the banners it holds. The banner's text is
looked through for what an A-ASSOCIATE-AC announces, and then forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

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

__all__ = ["read_shodan"]

_SOURCE = "shodan"
_LOOKED_AT = 1 << 16
"""Characters of a banner that are looked at."""
_TITLE = "DICOM Server Response"
_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_UID_ITEM = re.compile(r"R\0\0([\x01-\x40])([0-9.]{1,64})")
"""Implementation Class UID sub-item: 52H, reserved, length, value (PS3.7 D.3.3.2.1)."""
_NAME_ITEM = re.compile(r"U\0\0([\x01-\x10])([\x20-\x7e]{1,16})")
"""Implementation Version Name sub-item: 55H, reserved, length, value (PS3.7 D.3.3.2.3)."""
_UID_LABEL = re.compile(r"[Ii]mplementation[ _-]?(?:[Cc]lass[ _-]?)?(?:UID|uid) *[:=] *([0-9.]{1,64})")
_NAME_LABEL = re.compile(r"[Ii]mplementation[ _-]?[Vv]ersion(?:[ _-]?[Nn]ame)? *[:=] *([\x20-\x7e]{1,64})")
_UID_KEYS = ("implementation_class_uid", "implementation_uid")
_NAME_KEYS = ("implementation_version_name", "implementation_version")


def read_shodan(pieces: Iterable[bytes]) -> Iterator[Found | Broken]:
    """Every TCP port that a banner came from."""
    return each_record(pieces, _banners, _found)


def _banners(value: Json) -> Iterable[Json]:
    """The banners of a search result, of a host, or the one that this is."""
    lists = (at(value, name) for name in ("matches", "data"))
    banners = next((banners for banners in lists if isinstance(banners, list)), None)
    return (value,) if banners is None else (_addressed(banner, at(value, "ip_str")) for banner in banners)


def _addressed(banner: Json, address: Json) -> Json:
    """The banner of a host, which may leave out what the host says."""
    return {"ip_str": address, **banner} if address and isinstance(banner, dict) else banner


def _found(banner: Json) -> Iterator[Found]:
    if not isinstance(banner, dict):
        raise UnfitError("not a record of Shodan")
    if banner.get("transport", "tcp") != "tcp":
        return
    address = address_of(banner.get("ip_str") or banner.get("ipv6"))
    yield Found(address, port_of(banner.get("port")), _evidence(banner))


def _evidence(banner: Mapping[str, Json]) -> PassiveEvidence:
    text = _readable(banner.get("data"))
    uid, name = _announced(banner.get("dicom"), text)
    over_tls = isinstance(banner.get("ssl"), dict)
    return PassiveEvidence(
        _SOURCE,
        seen_at=moment_of(banner.get("timestamp")),
        speaks=_speaks(banner, text, uid) or ("tls" if over_tls else None),
        over_tls=over_tls,
        implementation_class_uid=uid,
        implementation_version_name=name,
        product=product_of(banner.get("product")),
        certificate_sha256=fingerprint_of(at(banner, "ssl", "cert", "fingerprint", "sha256")),
    )


def _speaks(banner: Mapping[str, Json], text: str, uid: str | None) -> str | None:
    module = at(banner, "_shodan", "module")
    module = module if isinstance(module, str) else ""
    if module.startswith("dicom") or "dicom" in banner or uid or text.startswith(_TITLE):
        return "dicom"
    return "http" if module.startswith("http") or "http" in banner else None


def _announced(dicom: Json, text: str) -> tuple[str | None, str | None]:
    """Implementation Class UID and Version Name: as fields, as sub-items of a PDU, or with their names before."""
    fields = dicom if isinstance(dicom, dict) else {}
    uid = next((uid for key in _UID_KEYS if (uid := uid_of(fields.get(key)))), None)
    uid = uid or _item(_UID_ITEM, text, uid_of) or _labelled(_UID_LABEL, text, uid_of)

    def named(value: Json) -> str | None:
        return version_name_of(value, uid)

    name = next((name for key in _NAME_KEYS if (name := named(fields.get(key)))), None)
    name = name or _item(_NAME_ITEM, text, named) or _labelled(_NAME_LABEL, text, named)
    return uid, name


def _item(pattern: re.Pattern[str], text: str, take: Callable[[Json], str | None]) -> str | None:
    """The value of the first sub-item that can be taken, as long as its length says."""
    return next((word for m in pattern.finditer(text) if (word := take(m[2][: ord(m[1])]))), None)


def _labelled(pattern: re.Pattern[str], text: str, take: Callable[[Json], str | None]) -> str | None:
    """The first labelled value that can be taken."""
    return next((word for m in pattern.finditer(text) if (word := take(m[1].strip()))), None)


def _readable(data: Json) -> str:
    """The beginning of the banner's text; bytes that were written in hexadecimal are put back."""
    if not isinstance(data, str):
        return ""
    text = data[:_LOOKED_AT]
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "\\x" in text else text
