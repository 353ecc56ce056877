from __future__ import annotations

from tests.source import ROOT

from leadglass.lab.personas import PERSONAS, Truth

PAGE = (ROOT / "docs" / "reference" / "lab.md").read_text(encoding="utf-8")


def words(truth: Truth) -> str:
    told = list(dict.fromkeys([truth.associate, truth.negotiate, truth.blank_query]))
    if len(told) == 1:
        return f"`{told[0]}`"
    return ", ".join(f"`{word}`" for word in (truth.associate, truth.negotiate, truth.blank_query))


def table() -> str:
    rows = ["| server | port | what it does | truth |", "|---|---|---|---|"]
    for persona in PERSONAS:
        for i, service in enumerate(persona.services):
            name, story = ("", "") if i else (f"`{persona.name}`", persona.story)
            rows.append(f"| {name} | {service.port} | {story} | {words(service.truth)} |")
    return "\n".join(rows)


def test_the_reference_has_the_table_as_it_is() -> None:
    assert table() in PAGE
