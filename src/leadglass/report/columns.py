"""The columns of the reports that are tables: what stands in each, and of which type.

A list stays a list here; a format that has none joins it. Evidence and digests have no columns: the
scan record holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from datetime import datetime
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from leadglass.model.record import ScanRecord, TlsFacts
from leadglass.model.verdict import Kind

__all__ = ["COLUMNS", "Cell", "Column", "Rows"]

Cell: TypeAlias = str | int | float | bool | datetime | tuple[str, ...] | None

_T = TypeVar("_T")
_LOOKS = 512
"""Different looks remembered."""


class Column(NamedTuple):
    """One column."""

    type: type
    """str, int, float, bool, datetime (aware, UTC, whole seconds) or tuple (of str)."""
    get: Callable[[ScanRecord], Cell]
    """None where nothing is known."""
    is_of_look: bool = True
    """Endpoints that answered alike have the same in it."""


def _of_tls(type_: type, get: Callable[[TlsFacts], Cell]) -> Column:
    return Column(type_, lambda record: get(record.transport.tls) if record.transport.tls else None)


def _share(kind: Kind) -> Column:
    return Column(float, lambda record: record.nature[kind])


def _columns() -> Iterator[tuple[str, Column]]:
    yield "scan", Column(str, lambda record: record.scan, False)
    yield "observed_at", Column(datetime, lambda record: record.observed_at, False)
    yield "address", Column(str, lambda record: record.endpoint.address, False)
    yield "port", Column(int, lambda record: record.endpoint.port, False)
    yield "name", Column(str, lambda record: record.endpoint.name, False)
    yield "access", Column(str, lambda record: record.access)
    yield "severity", Column(str, lambda record: record.severity)
    yield "source", Column(str, lambda record: record.vantage.source, False)
    yield "position", Column(str, lambda record: record.vantage.position, False)
    yield "place", Column(str, lambda record: record.vantage.name, False)
    yield "rung", Column(str, lambda record: record.rung, False)
    yield "tcp", Column(str, lambda record: record.transport.tcp)
    yield "protocols", Column(tuple, lambda record: record.protocols)
    yield "tls_version", _of_tls(str, lambda tls: tls.version)
    yield "tls_cipher", _of_tls(str, lambda tls: tls.cipher)
    yield "tls_client_certificate", _of_tls(str, lambda tls: tls.client_certificate)
    yield "tls_retired", _of_tls(tuple, lambda tls: tls.retired)
    yield (
        "certificate_subject",
        _of_tls(str, lambda tls: tls.certificate.subject if tls.certificate else None),
    )
    yield (
        "certificate_not_after",
        _of_tls(str, lambda tls: tls.certificate.not_after if tls.certificate else None),
    )
    yield "associate", Column(str, lambda record: record.capabilities.associate)
    yield "verification", Column(str, lambda record: record.capabilities.verification)
    yield "query", Column(str, lambda record: record.capabilities.query)
    yield "retrieve", Column(str, lambda record: record.capabilities.retrieve)
    yield "storage", Column(str, lambda record: record.capabilities.storage)
    yield "worklist", Column(str, lambda record: record.capabilities.worklist)
    yield "web_query", Column(str, lambda record: record.capabilities.web_query)
    yield "web_api", Column(str, lambda record: record.capabilities.web_api)
    yield "product", Column(str, lambda record: record.software.product)
    yield "version", Column(str, lambda record: record.software.version)
    yield "product_confidence", Column(float, lambda record: record.software.confidence)
    for kind in Kind:
        yield f"nature_{kind}".replace("-", "_"), _share(kind)
    yield "nature_settled", Column(bool, lambda record: record.nature_settled)
    yield "data", Column(str, lambda record: record.data)
    yield "reasons", Column(tuple, lambda record: record.reasons)
    yield "advice", Column(tuple, lambda record: record.advice)
    yield "settles", Column(tuple, lambda record: (*record.settles, *record.nature_settles))
    yield "scope", Column(str, lambda record: record.scope.name if record.scope else None, False)
    yield "reference", Column(str, lambda record: record.scope.reference if record.scope else None, False)
    yield "tlp", Column(str, lambda record: record.tlp, False)
    yield "stated_nature", Column(str, lambda record: record.stated.nature if record.stated else None)
    yield "stated_data", Column(str, lambda record: record.stated.data if record.stated else None)
    yield "stated_by", Column(str, lambda record: record.stated.by if record.stated else None)
    yield "stated_reference", Column(str, lambda record: record.stated.reference if record.stated else None)


COLUMNS: Mapping[str, Column] = dict(_columns())
"""By name, in order."""


class Rows(Generic[_T]):
    """Rows of cells, each cell put in its form by ``form``; those that a look shares, once a look."""

    def __init__(self, form: Callable[[Cell], _T]) -> None:
        self._form = form
        self._looks: dict[Hashable, tuple[_T | None, ...]] = {}

    def of(self, record: ScanRecord) -> list[_T]:
        """One row, in the order of ``COLUMNS``."""
        form = self._form
        shared = self._shared(record)
        return [
            cell if cell is not None else form(column.get(record))
            for column, cell in zip(COLUMNS.values(), shared, strict=True)
        ]

    def _shared(self, record: ScanRecord) -> tuple[_T | None, ...]:
        look = record.look()
        if (known := self._looks.get(look)) is not None:
            return known
        if len(self._looks) >= _LOOKS:
            self._looks.clear()
        form = self._form
        made = tuple(form(column.get(record)) if column.is_of_look else None for column in COLUMNS.values())
        self._looks[look] = made
        return made
