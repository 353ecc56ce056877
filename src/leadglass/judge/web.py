"""Imaging products in HTTP answers: which paths to ask, and what an answer tells.

Pure functions over one response, called while its body is in memory; what comes out is ids of
``knowledge/web.toml``, never text of a page. Whether a product is *open* is for the rules to say.
"""

from __future__ import annotations

import enum
import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from leadglass.judge.knowledge import Table, table

__all__ = ["BODY_LIMIT", "Fingerprint", "Says", "fingerprints", "known", "paths", "qido_paths"]

BODY_LIMIT = 65536
"""Bytes of a body that are looked at."""

_TITLE = re.compile(rb"<title[^<>]{0,200}>([^<]{0,200})</title", re.IGNORECASE)
_REALM = re.compile(r'\brealm="([^"]*)"', re.IGNORECASE)


class Says(enum.StrEnum):
    """What a matching answer says, beyond the product's name."""

    OPEN_API = "open-api"
    LOGIN = "login"
    VIEWER = "viewer"
    PRODUCT = "product"
    TRAP = "trap"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One row of ``knowledge/web.toml``; every condition that is given must hold."""

    id: str
    product: str
    says: Says
    source: str
    confidence: str
    path: tuple[str, ...] = ()
    status: tuple[int, ...] = ()
    realm: str | None = None
    location: str | None = None
    """Part of the Location header."""
    title: re.Pattern[str] | None = None
    """The whole title, white space stripped."""
    object_keys: tuple[str, ...] = ()
    """The body is a JSON object with all of these."""
    item_keys: tuple[str, ...] = ()
    """The body is a JSON array of objects, not empty, each with one of these."""
    contains: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """Parts of header values, by lower-case name."""


class _Answer(NamedTuple):
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    title: str | None
    content: Any
    """The body as JSON, None if it is none."""


def paths() -> tuple[str, ...]:
    """Paths without patient data that are worth asking at the ``associate`` rung, the most telling first."""
    return tuple(table("web")["ask"])


def qido_paths(fingerprints: Sequence[str]) -> tuple[str, ...]:
    """Roots to ask a blank QIDO-RS query at, given what was recognised before.

    A known product is asked at its own root only; Orthanc never at ``/studies``, its native list.
    """
    roots = table("web")["qido"]
    products = {row.product for row in map(known, fingerprints) if row is not None}
    own = [path for product in sorted(products) for path in roots["products"].get(product, ())]
    return tuple(own or roots["general"])


def fingerprints(path: str, status: int, headers: Mapping[str, str], body: bytes) -> tuple[str, ...]:
    """Ids of the fingerprints that the answer to ``GET path`` matches, in the order of the table.

    ``headers`` has lower-case names; only the first ``BODY_LIMIT`` bytes of ``body`` are looked at.
    """
    body = body[:BODY_LIMIT]
    answer = _Answer(path, status, headers, body, _title(body), _json(body))
    return tuple(row.id for row in _rows().values() if _matches(row, answer))


def known(fingerprint: str) -> Fingerprint | None:
    """The fingerprint with this id; None if a record names one that is no longer known."""
    return _rows().get(fingerprint)


@functools.cache
def _rows() -> Mapping[str, Fingerprint]:
    return {row["id"]: _row(row) for row in table("web")["fingerprint"]}


def _row(row: Table) -> Fingerprint:
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    title = re.compile(row["title"]) if "title" in row else None
    return Fingerprint(**{**row, **lists, "says": Says(row["says"]), "title": title})


def _title(body: bytes) -> str | None:
    found = _TITLE.search(body)
    return " ".join(found[1].decode("utf-8", "replace").split()) if found else None


def _json(body: bytes) -> Any:
    if body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _matches(row: Fingerprint, answer: _Answer) -> bool:
    return all(holds(row, answer) for holds in _CONDITIONS)


def _path(row: Fingerprint, answer: _Answer) -> bool:
    return not row.path or answer.path in row.path


def _status(row: Fingerprint, answer: _Answer) -> bool:
    return not row.status or answer.status in row.status


def _realm(row: Fingerprint, answer: _Answer) -> bool:
    return row.realm is None or row.realm in _REALM.findall(answer.headers.get("www-authenticate", ""))


def _location(row: Fingerprint, answer: _Answer) -> bool:
    return row.location is None or row.location in answer.headers.get("location", "")


def _titled(row: Fingerprint, answer: _Answer) -> bool:
    return row.title is None or (answer.title is not None and row.title.fullmatch(answer.title) is not None)


def _object(row: Fingerprint, answer: _Answer) -> bool:
    return not row.object_keys or (
        isinstance(answer.content, dict) and all(key in answer.content for key in row.object_keys)
    )


def _items(row: Fingerprint, answer: _Answer) -> bool:
    return not row.item_keys or (
        isinstance(answer.content, list)
        and bool(answer.content)
        and all(
            isinstance(item, dict) and not item.keys().isdisjoint(row.item_keys) for item in answer.content
        )
    )


def _contains(row: Fingerprint, answer: _Answer) -> bool:
    return all(part.encode() in answer.body for part in row.contains)


def _headers(row: Fingerprint, answer: _Answer) -> bool:
    return all(part in answer.headers.get(name, "") for name, part in row.headers.items())


_CONDITIONS: tuple[Callable[[Fingerprint, _Answer], bool], ...] = (
    _path,
    _status,
    _realm,
    _location,
    _titled,
    _object,
    _items,
    _contains,
    _headers,
)
"""The cheap ones first."""
