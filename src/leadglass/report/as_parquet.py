"""Parquet: one endpoint a row for analysts, in typed columns. Streams in row groups.

This module needs the extra ``parquet``; whoever loads it says so where it is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from leadglass.model.record import SCHEMA, ScanRecord
from leadglass.report.columns import COLUMNS, Cell, Rows
from leadglass.report.contract import Meta, Summary

__all__ = ["ROWS", "ParquetReport"]

ROWS = 20_000
"""Rows of a group: what is kept in memory."""

_TYPES: Mapping[type, Any] = {
    str: pa.string(),
    int: pa.uint16(),  # ports
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("ms", tz="UTC"),  # the format has no seconds
    tuple: pa.list_(pa.string()),
}


class ParquetReport:
    """One file; scope, TLP label and scan stand in its key-value metadata too."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._rows = Rows[Cell](lambda cell: cell)
        self._group: list[list[Cell]] = []
        self._writer: Any

    def begin(self, meta: Meta) -> None:
        """Write the head."""
        fields = [pa.field(name, _TYPES[column.type]) for name, column in COLUMNS.items()]
        self._schema = pa.schema(fields, metadata=_metadata(meta))
        self._writer = pq.ParquetWriter(self._stream, self._schema, compression="zstd")

    def add(self, record: ScanRecord) -> None:
        """Keep one row, and write the group when it is full."""
        self._group.append(self._rows.of(record))
        if len(self._group) >= ROWS:
            self._flush()

    def end(self, summary: Summary) -> None:
        """Write the last group and the foot, which says whether the scan had finished."""
        self._flush()
        self._writer.add_key_value_metadata({"leadglass.finished": json.dumps(summary.finished)})
        self._writer.close()

    def _flush(self) -> None:
        if self._group:
            columns = zip(*self._group, strict=True)
            arrays = [pa.array(cells, field.type) for cells, field in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self._group.clear()


def _metadata(meta: Meta) -> dict[str, str]:
    scope = None if meta.scope is None else meta.scope.model_dump(mode="json")
    return {
        "leadglass.record": SCHEMA,
        "leadglass.version": meta.tool_version,
        "leadglass.scan": meta.scan,
        "leadglass.scope": json.dumps(scope),
        "leadglass.tlp": "" if meta.tlp is None else meta.tlp.label,
    }
