"""A notice about the made-up scan of the reports."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import TypeAlias

import pytest
from tests.unit.report import samples

from leadglass.model.notice import Audience, Frame, Language, Notice, Sender
from leadglass.model.record_parts import Tlp
from leadglass.notice.exposures import exposures

Making: TypeAlias = Callable[..., Notice]

SENDER = Sender(
    name="Example CERT",
    contact="abuse@example.org",
    url="https://example.org/scan",
    calling_ae="EXAMPLE_SCAN",
    basis="mandate",
    reference="Act 7, section 3",
)


def notice(**different: object) -> Notice:
    """To the owner of everything, in English, ``different`` where said."""
    made = Notice(
        owner="Example Radiology",
        recipient="Example Radiology",
        audience=Audience.OWNER,
        language=Language.EN,
        frame=Frame.NEUTRAL,
        exposures=tuple(exposures(samples.whole_scan())),
        sender=SENDER,
        day=dt.date(2026, 11, 21),
        tlp=Tlp.AMBER,
    )
    return dataclasses.replace(made, **different)  # type: ignore[arg-type]


@pytest.fixture
def making() -> Making:
    """Makes a notice, different where a test says so."""
    return notice
