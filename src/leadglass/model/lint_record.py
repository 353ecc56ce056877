"""The report of a lint for programs: one JSON document, each field described.

New fields may be added under ``leadglass.lint-report/1``; a field that changes its meaning makes ``/2``.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from leadglass.model.finding import Cause, Certainty
from leadglass.model.record_parts import Part
from leadglass.model.verdict import Access, Severity

__all__ = [
    "LINT_SCHEMA",
    "AcceptedRecord",
    "EditRecord",
    "FileRecord",
    "FindingRecord",
    "LintRecord",
    "ListenerRecord",
    "UnreadRecord",
]

LINT_SCHEMA: Final = "leadglass.lint-report/1"


def _writable(value: object) -> object:
    """Names of files and JSON may hold half a surrogate pair, which is no Unicode text: shown as an escape."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


Text: TypeAlias = Annotated[str, BeforeValidator(_writable)]
FactValue: TypeAlias = bool | int | Text | list[Text] | None


class EditRecord(Part):
    """One replacement that belongs to a fix."""

    path: Text = Field(description="The file, as given.")
    start: int = Field(ge=0, description="First character that goes, counted from 0 in the decoded text.")
    end: int = Field(ge=0, description="The first character after it that stays.")
    text: Text = Field(description="What comes instead.")


class AcceptedRecord(Part):
    """Who answers for a finding, by the baseline."""

    owner: Text
    reason: Text
    expires: Text = Field(description="The last day on which it counts, ISO 8601.")
    expired: bool = Field(description="That day is over, and the finding counts again.")


class FindingRecord(Part):
    """One thing that a configuration exposes, or says in vain."""

    rule: Text = Field(description="Stable name of the rule, such as LG-ORTHANC-012.")
    title: Text = Field(description="What the rule is about.")
    path: Text = Field(description="The file, as given.")
    line: int = Field(ge=1)
    column: int = Field(ge=1, description="In characters.")
    option: Text = Field(description="The option, port or line it is about, in the product's words.")
    says: Text = Field(description="What is wrong here.")
    severity: Severity = Field(description="As all files together make it.")
    exposure: Access | None = Field(
        description="What a stranger who reaches the listener can do; null when nothing is exposed by itself."
    )
    cause: Cause
    certainty: Certainty
    listener: Text | None = Field(description="The listener of the file that it opens.")
    reached: Text = Field(description="How strangers reach it, as other files say; empty when none does.")
    why: Text = Field(description="What it means.")
    fix: Text = Field(description="What to do.")
    edits: list[EditRecord] = Field(description="The change that --fix would make; empty: a person decides.")
    documentation: Text = Field(description="Where the makers of the product describe the option.")
    hipaa: list[Text] = Field(description="Sections of 45 CFR.")
    ps315: list[Text] = Field(description="Clauses of DICOM PS3.15.")
    accepted: AcceptedRecord | None = Field(description="By the baseline; null: it counts.")


class ListenerRecord(Part):
    """One port that a server opens."""

    name: Text
    service: Text
    port: int | None
    product: Text
    exposure: Access = Field(description="For a stranger who reaches it.")
    reach: Text = Field(description="Who reaches it, as far as the files say.")
    login: Text | None = Field(description="What a caller has to know; null where there is no login.")
    tls: bool
    client_certificate: bool = Field(description="Whether one is required.")


class FileRecord(Part):
    """One file that was understood."""

    path: Text
    kind: Text
    facts: dict[Text, FactValue] = Field(description="What it says, option by option; null is not said.")
    listeners: list[ListenerRecord]


class UnreadRecord(Part):
    """A file that was not understood, or not opened."""

    path: Text
    why: Text


class LintRecord(Part):
    """The whole report."""

    schema_: Literal["leadglass.lint-report/1"] = Field(default=LINT_SCHEMA, alias="schema")
    tool_version: Text
    severity: dict[Severity, int] = Field(description="How many findings count, of each severity.")
    findings: list[FindingRecord] = Field(description="Worst first, with those that are accepted.")
    files: list[FileRecord] = Field(description="By path.")
    unknown: list[Text] = Field(description="Files of no kind that is known.")
    broken: list[UnreadRecord] = Field(description="Files that cannot be read.")
    skipped: list[UnreadRecord] = Field(description="What was not opened, and why.")
