"""A notice as plain text: the body of an e-mail, which every reader and every filter takes."""

from __future__ import annotations

from collections.abc import Iterator

from leadglass.notice.lines import folded
from leadglass.notice.message import Block, Commands, Facts, Heading, Message, Paragraph, Steps

__all__ = ["as_text", "body_of"]

_WIDTH = 72


def as_text(message: Message) -> str:
    """Subject and body, as a file that somebody sends by hand."""
    return f"Subject: {message.marked_subject}\n\n{body_of(message)}"


def body_of(message: Message) -> str:
    """The body; the TLP label stands before everything else in it."""
    lines = [message.tlp.label, "", *(f"{label}: {value}" for label, value in message.head), ""]
    lines += [*folded(message.greeting, _WIDTH), ""]
    for block in message.blocks:
        lines += [*_lines(block), ""]
    return "\n".join([*lines, message.tlp.label, ""])


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"== {text} =="
        case Paragraph(text):
            yield from folded(text, _WIDTH)
        case Steps(items):
            for number, item in enumerate(items, 1):
                yield from folded(item, _WIDTH, f"{number}. ", "   ")
        case Facts(rows):
            for label, value in rows:
                yield from folded(f"{label}: {value}", _WIDTH, "  ", "      ")
        case Commands(lines):
            for label, typed in lines:
                yield from folded(label, _WIDTH)
                yield f"    {typed}"
