"""The scope's pages are true: examples are read, every key is there, outputs are ours."""

from __future__ import annotations

import re
import tomllib

import pytest
from tests.source import ROOT
from tests.unit.scope.building import MOMENT

from leadglass.model.rung import Rung
from leadglass.scope.parse import parse
from leadglass.scope.ports import DEFAULT_PORTS, ports_text
from leadglass.scope.scope import PERMIT_SECONDS
from leadglass.scope.summary import as_text
from leadglass.scope.verify import PATH
from leadglass.settings import scope_file

REFERENCE = (ROOT / "docs" / "reference" / "scope.md").read_text()
HOWTO = (ROOT / "docs" / "howto" / "write-a-scope.md").read_text()


def blocks(page: str, language: str) -> list[str]:
    """The fenced examples of a page."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def test_the_example_of_the_reference_is_a_scope() -> None:
    (example,) = blocks(REFERENCE, "toml")
    scope = parse(example, filename="scope.md", moment=MOMENT)

    assert scope.names() == ("pacs.example.org",)
    assert scope.count() == 15 * 8


@pytest.mark.parametrize("snippet", blocks(HOWTO, "toml"))
def test_each_snippet_of_the_howto_fits_into_a_scope(snippet: str) -> None:
    tables = tomllib.loads(snippet)
    text = 'name = "x"\n[authorisation]\nbasis = "owner"\ngranted_by = "a"\ncontact = "b"\n' + snippet
    if "targets" not in tables:
        text += '[[targets]]\nrange = "192.0.2.0/28"\nports = [104]\n'

    assert parse(text, filename="howto", moment=MOMENT).rules


@pytest.mark.parametrize(
    ("table", "model"),
    [
        ("authorisation", scope_file.AuthorisationTable),
        ("limits", scope_file.LimitsTable),
        ("vantage", scope_file.VantageTable),
        ("identity", scope_file.IdentityTable),
        ("targets", scope_file.TargetTable),
        ("exclude", scope_file.ExcludeTable),
    ],
)
def test_the_reference_has_every_key_and_no_other(table: str, model: type[scope_file.TargetTable]) -> None:
    section = re.search(rf"(?ms)^## `\[+{table}\]+`\n(.*?)(?=^## |\Z)", REFERENCE)
    assert section is not None
    documented = re.findall(r"(?m)^\| `(\w+)` \|", section[1])

    assert [key for key in documented if key not in ("research", "mandate", "owner")] == list(
        model.model_fields
    )


def test_the_reference_has_every_rung_and_the_real_numbers() -> None:
    assert all(f"`{rung.word}`" in REFERENCE for rung in Rung)
    assert f"{PERMIT_SECONDS:.0f} seconds" in REFERENCE
    assert PATH in REFERENCE


def test_what_the_howto_shows_is_what_is_shown() -> None:
    shown = next(block for block in blocks(HOWTO, "console") if "160 endpoints" in block)
    ports = ", ".join(f'"{item}"' for item in ports_text(DEFAULT_PORTS).split(","))
    scope = parse(
        'name = "Example Radiology, external addresses"\n[authorisation]\nbasis = "owner"\n'
        'granted_by = "A. Example, head of IT"\ncontact = "security@example.org"\nreference = "change 4711"\n'
        f'valid_until = 2027-02-19\n[vantage]\nposition = "outside"\n'
        f'[[targets]]\nrange = "192.0.2.0/28"\nports = [{ports}]\n',
        filename="scope.toml",
        moment=MOMENT,
    )

    assert shown == f"$ leadglass scope show scope.toml\n{as_text(scope, MOMENT)}"
