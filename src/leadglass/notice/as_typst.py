"""A notice as a letter: a Typst source, and its text as data, so that no name can become markup."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources

from leadglass.notice.message import Block, Commands, Facts, Heading, Message, Paragraph, Steps

__all__ = ["as_typst", "characters"]


def as_typst(message: Message, families: tuple[str, ...] = ()) -> tuple[str, Mapping[str, str]]:
    """The source and its inputs; ``families`` are fonts to try after Typst's own."""
    source = resources.files("leadglass.notice").joinpath("templates", "letter.typ")
    letter = {
        "language": message.language.value,
        "paper": "us-letter" if message.on_letter_paper else "a4",
        "families": families,
        "label": message.tlp.label,
        "colour": message.tlp.name.partition("_")[0].lower(),
        "subject": message.subject,
        "head": message.head,
        "greeting": message.greeting,
        "blocks": [_block(block) for block in message.blocks],
    }
    return source.read_text(encoding="utf-8"), {"letter": json.dumps(letter)}


def characters(message: Message) -> str:
    """Every character that the letter needs, once, in order."""
    letter = json.loads(as_typst(message)[1]["letter"])
    return "".join(sorted(set(json.dumps(letter, ensure_ascii=False))))


def _block(block: Block) -> dict[str, object]:
    match block:
        case Heading(text):
            return {"kind": "heading", "text": text}
        case Paragraph(text):
            return {"kind": "paragraph", "text": text}
        case Steps(items):
            return {"kind": "steps", "items": items}
        case Facts(rows):
            return {"kind": "facts", "rows": rows}
        case Commands(lines):
            return {"kind": "commands", "lines": lines}
