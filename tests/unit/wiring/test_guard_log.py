"""The guard's log says why somebody was refused, and no more of it than anybody may read."""

from __future__ import annotations

import datetime as dt
import logging

import pytest

from leadglass.guard.audit.events import AuditedStudy, AuditEvent, Happening, Outcome, Patient
from leadglass.model.access import Action, Kind, Principal
from leadglass.wiring.guard_log import refusal

AT = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


class _Kept(logging.Handler):
    """Keeps what would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def told(event: AuditEvent) -> list[tuple[str, dict[str, str]]]:
    logger, kept = logging.getLogger("leadglass.guard"), _Kept()
    logger.addHandler(kept)
    try:
        refusal(event)
    finally:
        logger.removeHandler(kept)
    return [(f"{r.levelname} {r.getMessage()}", vars(r)["given"]) for r in kept.records]


def test_a_refusal_says_who_what_why_and_by_which_rule_and_names_no_patient() -> None:
    event = AuditEvent(
        Happening.REFUSED,
        AT,
        Outcome.SERIOUS,
        action=Action.STORE,
        who=Principal(Kind.PERSON, "ada"),
        device="ct-1",
        title="CT1",
        address="192.0.2.7",
        reason="not permitted for this study",
        rules=("night", "confidential"),
        studies=(AuditedStudy("2.25.1", Patient("P1", "DOE^JANE")),),
    )

    expected = {
        "who": "ada",
        "device": "ct-1",
        "title": "CT1",
        "address": "192.0.2.7",
        "action": "store",
        "reason": "not permitted for this study",
        "rules": "night, confidential",
    }
    assert told(event) == [("WARNING refused", expected)]


def test_who_somebody_claimed_to_be_is_not_repeated_for_it_may_be_their_passcode() -> None:
    event = AuditEvent(Happening.LOGIN, AT, Outcome.SERIOUS, claimed="s3cret", device="ws", reason="wrong")

    assert told(event) == [("WARNING refused", {"device": "ws", "reason": "wrong"})]


@pytest.mark.parametrize("happening", [Happening.ASSOCIATION, Happening.LOGIN, Happening.QUERY])
def test_what_is_done_is_in_the_audit_alone(happening: Happening) -> None:
    assert told(AuditEvent(happening, AT, device="ct-1")) == []
