"""The page about the watch is true: its example is read, and every key, kind and number is there."""

from __future__ import annotations

import re

import pytest
from tests.source import ROOT

from leadglass.model.alert import AlertKind
from leadglass.settings.watch_file import TABLES, read_watch

PAGE = (ROOT / "docs" / "reference" / "watch.md").read_text()
LISTS = frozenset({"schedule", "webhook", "mail", "syslog"})


def section(title: str) -> str:
    found = re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE)
    assert found is not None, title
    return found[1]


def rows(table: str) -> dict[str, str]:
    """The second column of a table's keys."""
    brackets = f"`[[{table}]]`" if table in LISTS else f"`[{table}]`"
    return dict(re.findall(r"(?m)^\| `(\w+)` \| ?(.*?) \|", section(brackets if table else "Top level")))


@pytest.mark.parametrize("table", TABLES)
def test_the_page_has_every_key_and_no_other(table: str) -> None:
    keys = [key for key in TABLES[table].model_fields if table or key not in TABLES]

    assert list(rows(table)) == keys


@pytest.mark.parametrize("table", TABLES)
def test_the_page_tells_every_default_and_what_is_required(table: str) -> None:
    for key, told in rows(table).items():
        field = TABLES[table].model_fields[key]
        assert (told == "required") == field.is_required()
        if isinstance(field.default, str | int | bool):
            default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            assert told.strip("`") == default


def test_the_page_tells_of_every_kind_of_alert() -> None:
    assert set(re.findall(r"(?m)^\| `([a-z-]+)` \|", section("Alerts"))) == set(AlertKind)


def test_the_page_tells_of_every_metric() -> None:
    source = (ROOT / "src" / "leadglass" / "wiring" / "watch_metrics.py").read_text()
    made = {f"leadglass_watch_{name}" for name in re.findall(r'_gauge\(\s*"(\w+)"', source)}

    assert set(re.findall(r"(?m)^\| `(leadglass_watch_\w+)`", section("Metrics"))) == made


def test_the_examples_are_read() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    settings = read_watch(example, filename="watch.md", folder="/etc/leadglass")
    assert [one.name for one in settings.channels] == ["soc", "mail", "syslog"]

    howto = (ROOT / "docs" / "howto" / "watch.md").read_text()
    first, more = re.findall(r"```toml\n(.*?)```", howto, re.DOTALL)
    settings = read_watch(first + more, filename="watch.md", folder="/etc/leadglass")
    assert settings.escalation is not None
