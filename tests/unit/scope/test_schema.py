"""The JSON Schema that editors use agrees with the reader, as far as a schema can."""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.unit.scope.building import text

from leadglass.model.rung import Rung
from leadglass.settings.scope_file import ScopeFile

SCHEMA = ScopeFile.model_json_schema()
BODY = '[[targets]]\nrange = "192.0.2.0/28"\nports = [104, "11112-11114"]\ncalled_ae = "ARCHIVE"\ndeepest = "connect"\n'


def written(change: str = "") -> dict[str, Any]:
    """A scope file as tomllib reads it, after ``old -> new`` in its text."""
    whole = text(BODY, limits="rate = 500\nconcurrent_per_host = 8")
    if change:
        old, new = change.split(" -> ")
        assert old in whole
        whole = whole.replace(old, new)
    return tomllib.loads(whole)


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def test_a_scope_file_keeps_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(as_json(written()), SCHEMA)
    jsonschema.validate(as_json(written('[104, "11112-11114"] -> "104,11112"')), SCHEMA)


@pytest.mark.parametrize("rung", list(Rung))
def test_the_schema_knows_every_rung(rung: Rung) -> None:
    jsonschema.validate(as_json(written(f'"connect" -> "{rung.word}"')), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        "rate = 500 -> rate = 0",
        "concurrent_per_host = 8 -> concurrent_per_host = 9",
        'basis = "owner" -> basis = "friend"',
        'deepest = "connect" -> deepest = "deep"',
        '"ARCHIVE" -> "  "',
        '"ARCHIVE" -> "SEVENTEEN_LETTERS"',
        """"ARCHIVE" -> 'A\\B'""",
        'range = "192.0.2.0/28" -> #',
        "range = -> rnage =",
        "[104, -> [1.5,",
        'contact = "security@example.org" -> contact = ""',
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(change: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(written(change)), SCHEMA)
    with pytest.raises(ValueError):
        ScopeFile.model_validate(written(change))
