"""What SARIF 2.1.0 (3.13 to 3.58) demands of the objects that the report of a lint uses."""

from __future__ import annotations

from tests.unit.report.test_sarif import LEVEL, MESSAGE, RESULT, TEXT, WORDS, closed, listed

URI = {"type": "string", "pattern": r"^[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+$"}
NUMBER = {"type": "integer", "minimum": 1}
REGION = closed([], startLine=NUMBER, startColumn=NUMBER, endLine=NUMBER, endColumn=NUMBER)
ARTIFACT = closed(["uri"], uri=URI)
LOCATION = closed(
    [],
    physicalLocation=closed(["artifactLocation"], artifactLocation=ARTIFACT, region=REGION),
    logicalLocations=listed(closed([], name=TEXT, kind=TEXT), uniqueItems=True),
)
REPLACEMENT = closed(["deletedRegion"], deletedRegion=REGION, insertedContent=closed([], text=TEXT))
CHANGE = closed(
    ["artifactLocation", "replacements"],
    artifactLocation=ARTIFACT,
    replacements=listed(REPLACEMENT, minItems=1),
)
FIX = closed(
    ["artifactChanges"], description=MESSAGE, artifactChanges=listed(CHANGE, minItems=1, uniqueItems=True)
)
SUPPRESSION = closed(
    ["kind"],
    kind={"enum": ["inSource", "external"]},
    status={"enum": ["accepted", "underReview", "rejected"]},
    justification=TEXT,
)
LINT_RESULT = closed(
    ["message"],
    **{
        **RESULT["properties"],
        "locations": listed(LOCATION),
        "fixes": listed(FIX, uniqueItems=True),
        "suppressions": listed(SUPPRESSION, uniqueItems=True),
    },
)
RULE = closed(
    ["id"],
    id=WORDS,
    shortDescription=MESSAGE,
    fullDescription=MESSAGE,
    help=MESSAGE,
    helpUri=URI,
    defaultConfiguration=closed([], level=LEVEL),
    properties={"type": "object"},
)
DRIVER = closed(
    ["name"], name=WORDS, version=WORDS, shortDescription=MESSAGE, rules=listed(RULE, uniqueItems=True)
)
INVOCATION = closed(
    ["executionSuccessful"],
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=listed(closed(["message"], level=LEVEL, message=MESSAGE)),
)
RUN = closed(
    ["tool"],
    tool=closed(["driver"], driver=DRIVER),
    automationDetails=closed([], id=TEXT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=listed(LINT_RESULT),
    invocations=listed(INVOCATION),
)
ESSENTIALS = closed(
    ["version", "runs"], **{"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": listed(RUN, minItems=1)}
)
