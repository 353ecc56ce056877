"""The forms of a lint's report, by name: ``lint_report`` writes one, and loads all of them."""

from __future__ import annotations

import enum

__all__ = ["LintFormat"]


class LintFormat(enum.StrEnum):
    """What ``lint --format`` takes."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"
