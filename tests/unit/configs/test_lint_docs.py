"""The pages about lint are true: kinds, facts, severities, keys of the baseline, the hook, and the accuracy."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from tests.lint_accuracy import PAGE as ACCURACY
from tests.lint_accuracy import compared, page, tables, written_out
from tests.source import ROOT

from leadglass.configs.lint import READERS
from leadglass.settings.baseline_file import AcceptedTable, read_baseline
from leadglass.wiring.lint_walk import _SKIPPED, DEEPEST, MOST
from leadglass.wiring.linting import lint_files

PAGE = (ROOT / "docs" / "reference" / "lint.md").read_text()
HOWTO = (ROOT / "docs" / "howto" / "lint-a-configuration.md").read_text()
SECTIONS = dict(zip(*[iter(re.split(r"^## (.+)$", PAGE, flags=re.MULTILINE)[1:])] * 2, strict=True))
FIXTURES = ROOT / "tests" / "fixtures" / "configs"


def first_cells(section: str) -> Iterator[str]:
    """The words in the first column of a section's tables."""
    for row in re.findall(r"^\|([^|]+)\|", SECTIONS[section], re.MULTILINE):
        yield from re.findall(r"`([^`]+)`", row)


def test_the_page_has_every_kind_and_no_other() -> None:
    assert set(first_cells("What is read")) == {reader.kind for reader in READERS}


def test_the_page_has_every_fact_and_no_other() -> None:
    readings = lint_files([str(FIXTURES)]).linted.readings
    facts = {name for reading in readings for name in reading.facts}

    assert {reading.kind for reading in readings} == {reader.kind for reader in READERS}
    assert set(first_cells("Facts")) == facts


def test_the_page_tells_what_is_left_out() -> None:
    assert f"{DEEPEST} folders deep and {MOST:,} files" in SECTIONS["What is read"]
    assert all(f"`{name}`" in SECTIONS["What is read"] for name in _SKIPPED)


def test_the_page_has_every_key_of_the_baseline_and_its_example_is_read() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert set(first_cells("The baseline")) == set(AcceptedTable.model_fields)
    assert len(read_baseline(example, "lint.md")) == 1


@pytest.mark.parametrize("block", re.findall(r"```yaml\n(.*?)```", HOWTO, re.DOTALL))
def test_the_recipes_are_yaml(block: str) -> None:
    assert isinstance(yaml.safe_load(block), dict)


def test_the_hook_of_the_page_is_the_hook_of_the_project() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    shown = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", HOWTO, re.DOTALL)[0])["repos"][0]["hooks"][0]

    assert {key: hook[key] for key in ("id", "entry", "files", "pass_filenames")} == {
        key: shown[key] for key in ("id", "entry", "files", "pass_filenames")
    }
    assert all(
        re.search(hook["files"], name) for name in ("a/orthanc.json", "compose.yml", "x.yaml", "dicom.ini")
    )


def put_index(folder: Path, **truth: str) -> Path:
    (folder / "a.json").write_text('{"RemoteAccessAllowed": true, "AuthenticationEnabled": false}')
    with (folder / "index.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ["file", "product", *truth])
        writer.writeheader()
        writer.writerow({"file": "a.json", "product": "Orthanc", **truth})
    return folder


def test_the_accuracy_is_that_of_the_index(tmp_path: Path) -> None:
    (right,) = compared(
        put_index(tmp_path, remote_http="True", auth="False", verdict="open-no-auth", cred="")
    )
    (wrong,) = compared(put_index(tmp_path, remote_http="False", verdict="closed-http(loopback)"))

    assert right.wrong == []
    assert wrong.wrong == ["remote_http", "verdict"]
    assert "| `remote_http` | 1 | 0 | 1 |" in tables([wrong])
    assert "`remote_http`: False; lint says True" in tables([wrong])


def test_new_tables_take_the_place_of_the_old_ones() -> None:
    text = ACCURACY.read_text()

    assert page(page(text, "one\n"), "two\n") == page(text, "two\n")
    assert len(re.findall(r"^\| all \|", text, re.MULTILINE)) == 1


def test_a_summary_of_a_compose_file_is_written_out_and_nothing_else_is() -> None:
    summary = (
        "db: image postgres:16 ports 5432:5432 user keeper / vendor default\nweb: ports 80:80 8443:443\n"
    )
    written = written_out(summary)

    assert written is not None
    services = yaml.safe_load(written)["services"]
    assert services["db"]["image"] == "postgres:16"
    assert services["db"]["environment"]["POSTGRES_PASSWORD"] == "keeper"  # the maker's own
    assert services["web"]["ports"] == ["80:80", "8443:443"]
    assert written_out("services:\n  db:\n    image: postgres\n") is None
    assert written_out('{"ports: x": 1}') is None
    assert written_out("") is None
