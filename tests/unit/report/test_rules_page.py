"""docs/reference/rules.md is what the catalogue says.

``LEADGLASS_GOLDEN=accept`` (``make golden-accept``) writes it anew; then read the difference.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator

from tests.source import ROOT

from leadglass.configs.catalogue import Rule, rules

PAGE = ROOT / "docs" / "reference" / "rules.md"
ACCEPT = os.environ.get("LEADGLASS_GOLDEN") == "accept"
HEAD = """# Rules

What [`leadglass lint`](lint.md) looks for. A rule keeps its name for good; a number is never used again.
The severity is that of a listener that everybody reaches; [the other files](lint.md#files-that-belong-together) may lower it.

This page is made from the catalogue of rules (`make golden-accept`).
"""


def family(rule: Rule) -> str:
    return rule.id.rsplit("-", 1)[0]


def section(rule: Rule) -> Iterator[str]:
    exposes = f", exposes `{rule.exposure}`" if rule.exposure else ""
    cited = [f"HIPAA 45 CFR {name}" for name in rule.hipaa] + [f"PS3.15 {clause}" for clause in rule.ps315]
    yield f"### {rule.id}\n"
    yield f"**{rule.title}**\n"
    yield f"{rule.why}\n"
    yield f"- `{rule.severity}`{exposes}; {rule.cause}, {rule.certainty}"
    yield f"- Fix: {rule.fix}"
    yield f"- {'; '.join(cited)}" if cited else "- No clause asks for it."
    yield f"- [Documentation]({rule.documentation})\n"


def page() -> str:
    ordered = sorted(rules().values(), key=lambda rule: rule.id)
    lines = [HEAD]
    for name, group in itertools.groupby(ordered, family):
        lines.append(f"## {name}\n")
        lines += [line for rule in group for line in section(rule)]
    return "\n".join(lines).rstrip() + "\n"


def test_the_page_says_what_the_catalogue_says() -> None:
    if ACCEPT:
        PAGE.write_text(page(), encoding="utf-8")

    is_true = PAGE.read_text(encoding="utf-8") == page()  # a difference of all rules would be no help
    assert is_true, "make golden-accept"


def test_every_rule_has_a_stable_name_and_a_place_to_read_more() -> None:
    for rule in rules().values():
        assert re.fullmatch(r"LG-[A-Z0-9]+-\d{3}", rule.id)
        assert re.fullmatch(r"https?://[^\s)]+", rule.documentation), rule.id
        assert "\n" not in rule.title + rule.fix


def test_every_rule_cites_clauses_as_they_are_called() -> None:
    for rule in rules().values():
        assert all(re.fullmatch(r"164\.\d{3}(\([A-Za-z0-9]+\))*", name) for name in rule.hipaa), rule.id
        assert all(re.fullmatch(r"[A-Z](\.[A-Z0-9]+)*", clause) for clause in rule.ps315), rule.id
