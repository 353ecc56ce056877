"""The JSON Schema that editors use agrees with the reader of a peer list, as far as a schema can."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.source import ROOT

from leadglass.cli.schema import SCHEMAS

LIST = (ROOT / "tests" / "fixtures" / "firewall" / "peers.toml").read_text()
SCHEMA = SCHEMAS["peer-list"]()


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def test_a_peer_list_keeps_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(as_json(tomllib.loads(LIST)), SCHEMA)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dicom_tls =", "dicom_tsl ="),
        ("[104, 11112]", '["104"]'),
        ('opens = ["dicom"]', 'opens = ["telnet"]'),
        ("receives = [104]", "receives = true"),
        ('name = "CT 1"', ""),
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(old: str, new: str) -> None:
    assert old in LIST
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(tomllib.loads(LIST.replace(old, new, 1))), SCHEMA)
