from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no types

from leadglass.cli.schema import SCHEMAS, schema
from leadglass.errors import UsageError


@pytest.fixture(params=SCHEMAS)
def printed(request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> Any:
    schema(request.param)
    return json.loads(capsys.readouterr().out)


def test_what_is_printed_is_a_json_schema(printed: Any) -> None:
    Draft202012Validator.check_schema(printed)

    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert printed["$id"].startswith("urn:leadglass.")
    assert printed["title"].startswith("Leadglass")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        UsageError, match=r"no schema called 'nope'; the schemas are scan-record, scope"
    ) as caught:
        schema("nope")
    assert caught.value.exit_code == 2


def test_a_record_is_no_scope() -> None:
    validator = Draft202012Validator(SCHEMAS["scope"]())

    assert not validator.is_valid({"schema": "leadglass.scan-record/1"})
    assert validator.is_valid(
        {
            "name": "n",
            "authorisation": {"basis": "owner", "granted_by": "g", "contact": "c"},
            "targets": [{"range": "192.0.2.0/28", "ports": [104, "20000-20010"]}],
        }
    )
