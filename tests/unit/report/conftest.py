"""The made-up scan of ``samples``, and a way to write it in any format."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import TypeAlias

import pytest
from tests.unit.report import samples

from leadglass.model.record import ScanRecord
from leadglass.report.writer import Format, writer

Render: TypeAlias = Callable[..., str]


class Recording(io.StringIO):
    """Remembers every write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


def render(
    form: Format,
    records: Iterable[ScanRecord] | None = None,
    *,
    finished: bool = True,
    width: int = 80,
    colour: bool = False,
) -> str:
    """The report of ``records`` (default: the whole made-up scan)."""
    scan = samples.whole_scan() if records is None else tuple(records)
    stream = io.StringIO()
    report = writer(form, stream, width=width, colour=colour)
    report.begin(samples.meta_of_scan())
    for record in scan:
        report.add(record)
    report.end(samples.summary_of(scan, finished=finished))
    return stream.getvalue()


@pytest.fixture
def records() -> tuple[ScanRecord, ...]:
    return samples.whole_scan()


@pytest.fixture(name="render")
def render_fixture() -> Render:
    return render
