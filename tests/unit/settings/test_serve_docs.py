"""The page about the dashboard has every key of ``serve.toml``, and no other."""

from __future__ import annotations

import re

import pytest
from tests.source import ROOT

from leadglass.settings.serve_file import TABLES

PAGE = (ROOT / "docs" / "reference" / "serve.md").read_text()
TOLD = {
    key
    for line in PAGE.partition("\n## serve.toml\n")[2].partition("\n## ")[0].splitlines()
    for key in re.findall(r"`([a-z_.]+)`", line.split("|")[1] if line.startswith("| `") else "")
}


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_every_key_and_no_other(table: str) -> None:
    keys = {f"{table}.{key}" if table else key for key in TABLES[table].model_fields} - TABLES.keys()

    assert {key for key in TOLD if key.rpartition(".")[0] == table} == keys
