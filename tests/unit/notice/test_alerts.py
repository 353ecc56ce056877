"""Alerts in words."""

from __future__ import annotations

import dataclasses
import json
import re

from tests.contract.test_alerts import alert

from leadglass.model.alert_record import AlertMessage
from leadglass.notice.alerts import Told, as_json, as_line, as_mail, as_syslog

ONE = alert(1, system="CT \x1b[31m\r\nBcc: x", scope='Praxis "Müller"]')
TOLD: list[Told] = [(ONE, "raised"), (alert(2), "escalated")]


def test_a_line_is_one_line_and_tells_how_often() -> None:
    often = dataclasses.replace(ONE, times=3, summary="a\nb")

    assert as_line(often) == "[high] a?b (seen 3 times)"
    assert as_line(ONE, "escalated").startswith("[high] nobody has acknowledged: ")


def test_json_is_as_the_schema_says_and_ascii() -> None:
    body = as_json(TOLD, "Praxis Müller")

    assert body.isascii()
    message = AlertMessage.model_validate_json(body)
    assert [one.occasion for one in message.alerts] == ["raised", "escalated"]
    assert json.loads(body)["schema"] == "leadglass.alert/1"
    assert message.alerts[0].register_head == ONE.head


def test_a_mail_has_no_header_that_came_from_elsewhere() -> None:
    mail = as_mail(TOLD, "x\r\nBcc: y@example.org", "a@example.org", "b@example.org", "date")

    assert mail["Bcc"] is None
    assert "and 1 more" in mail["Subject"]
    assert mail["Auto-Submitted"] == "auto-generated"
    text = mail.get_content()
    assert "\x1b" not in text
    assert f"  register  {ONE.head}" in text
    assert "  otherwise 2026-11-21 04:59:00 UTC, the last time" in text


def test_a_syslog_message_has_what_programs_want_as_structured_data() -> None:
    message = as_syslog(ONE, "raised", "host name")

    head = message.partition(b"\xef\xbb\xbf")[0].decode()
    assert head.startswith("<83>1 2026-11-21T05:00:00Z hostname leadglass watch new-server [leadglass@")
    assert r'scope="Praxis \"Müller\"\]"' in head
    assert f'registerHead="{ONE.head}"' in head
    assert re.search(rb"[\r\n\x1b]", message) is None
