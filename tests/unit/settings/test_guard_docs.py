"""The page about ``guard.toml`` is true: its example is read, and every key is there with its default."""

from __future__ import annotations

import re

import pytest
from tests.source import ROOT

from leadglass.settings.guard import Address, Profile
from leadglass.settings.guard_file import TABLES, read_guard

PAGE = (ROOT / "docs" / "reference" / "guard-file.md").read_text()


def rows(table: str) -> dict[str, str]:
    """The second column of a table's keys."""
    title = rf"`\[{table}\]`" if table else "Top level"
    section = re.search(rf"(?ms)^## {title}\n(.*?)(?=^## |\Z)", PAGE)
    assert section is not None, table
    return dict(re.findall(r"(?m)^\| `(\w+)` \| ?(.*?) \|", section[1]))


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_every_key_and_no_other(table: str) -> None:
    keys = [key for key in TABLES[table].model_fields if table or key not in TABLES]

    assert [key for key in rows(table) if key not in set(Profile)] == keys


@pytest.mark.parametrize("table", TABLES)
def test_the_page_tells_every_default(table: str) -> None:
    for key, field in TABLES[table].model_fields.items():
        if isinstance(field.default, str | int | bool):
            told = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            assert rows(table)[key].strip("`") == told


@pytest.mark.parametrize("table", TABLES)
def test_the_page_tells_what_is_required(table: str) -> None:
    required = {key for key, field in TABLES[table].model_fields.items() if field.is_required()} - set(TABLES)
    told = {key for key, second in rows(table).items() if second == "required"}

    assert told - {"title"} == required


def test_the_example_is_read() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = read_guard(example, filename="guard-file.md", folder="/etc/leadglass")

    assert settings.listen.plain == Address("192.0.2.1", 11112)
    assert settings.budgets is not None
