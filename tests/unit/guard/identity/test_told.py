"""What an administrator reads about persons is what the guard does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from leadglass.access.tokens import LONGEST, TokenRules
from leadglass.guard.identity.freshness import LAST_GOOD

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "howto" / "guard-people.md").read_text()
SOURCES = ("access/identity.py", "access/tokens.py", "guard/identity/people.py", "access/passcodes.py")
RULE = r"(?:identity|token|passcode|web)-[a-z-]+"


def test_every_rule_that_refuses_is_explained_and_no_other() -> None:
    code = "".join((ROOT / "src" / "leadglass" / name).read_text() for name in SOURCES)

    assert set(re.findall(f'"({RULE})"', code)) == set(re.findall(f"`({RULE})`", PAGE))


@pytest.mark.parametrize(
    ("told", "is_so"),
    [
        (
            "RS256, PS256, ES256 or EdDSA",
            {"RS256", "PS256", "ES256", "EdDSA"} <= TokenRules("", "").algorithms,
        ),
        ("`at+jwt` or `JWT`", TokenRules("", "").types == {"at+jwt", "jwt"}),
        ("twelve hours", TokenRules("", "").maximum_age == 12 * 3600),
        ("30 seconds", TokenRules("", "").leeway == 30),
        ("16 KiB", LONGEST == 16 * 1024),
        ("four hours", LAST_GOOD == 4 * 3600),
    ],
)
def test_what_is_told_is_so(told: str, is_so: bool) -> None:
    assert told in PAGE
    assert is_so
