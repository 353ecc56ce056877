"""No name breaks a notice: it forges no line, no header, no field and no markup."""

from __future__ import annotations

import dataclasses
import json

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notice.conftest import SENDER, notice

from leadglass.model.notice import Audience, Frame, Language
from leadglass.notice.as_text import as_text
from leadglass.notice.as_typst import as_typst, characters
from leadglass.notice.lines import columns, folded
from leadglass.notice.message import compose

names = st.text(max_size=300) | st.sampled_from(
    ["{owner}", "{0}", "%s", "\r\nBcc: x@example.org", "#panic()"]
)
PLAIN = as_text(compose(notice(owner="x", recipient="x"))).count("\n")


@given(names, names, names, st.sampled_from(Language), st.sampled_from(Frame), st.sampled_from(Audience))
def test_no_name_breaks_a_notice(
    owner: str, recipient: str, contact: str, language: Language, frame: Frame, audience: Audience
) -> None:
    sender = dataclasses.replace(SENDER, contact=contact, name=owner, reference=recipient)
    made = notice(
        owner=owner, recipient=recipient, sender=sender, language=language, frame=frame, audience=audience
    )
    message = compose(made)
    text = as_text(message)

    assert text.splitlines()[0] == f"Subject: {message.marked_subject}"
    assert all(char.isprintable() or char == "\n" for char in text)
    assert "\n" not in message.subject
    assert text.encode("utf-8")
    letter = json.loads(as_typst(message)[1]["letter"])
    assert letter["subject"] == message.subject
    assert set(message.greeting) <= set(characters(message))


@given(st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=200), st.integers(4, 80))
def test_folding_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = list(folded(text, width))

    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(columns(line) <= width or len(line.split()) == 1 or line[0] > "\u2fff" for line in lines)
