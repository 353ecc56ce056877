"""One notice in words: the same template for letter and e-mail, owner and vendor, and all languages.

Its order is what studies show to work: what was seen in full, whose duty it is, how to check it
oneself, what to do; who writes, and how to be left alone. No story of an attack is told, because
such stories lower the share of owners who act.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from leadglass.model.notice import Audience, Exposure, Frame, Language, Notice
from leadglass.model.record_parts import Tlp
from leadglass.model.verdict import Access
from leadglass.notice.phrases import Phrases, phrases
from leadglass.notice.plain import plain

__all__ = [
    "Block",
    "Commands",
    "Facts",
    "Heading",
    "Message",
    "Paragraph",
    "Steps",
    "compose",
    "reference_of",
]


@dataclass(frozen=True, slots=True)
class Heading:
    """Begins a section."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One endpoint: labels and what belongs to them."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Commands:
    """Something to type, each with a word before it."""

    lines: tuple[tuple[str, str], ...]


Block: TypeAlias = Heading | Paragraph | Steps | Facts | Commands


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words, before it is a letter or an e-mail."""

    language: Language
    tlp: Tlp
    reference: str
    subject: str
    """Without the TLP label."""
    head: tuple[tuple[str, str], ...]
    """Reference and date, with their labels."""
    greeting: str
    blocks: tuple[Block, ...]
    on_letter_paper: bool
    """US Letter; else A4."""

    @property
    def marked_subject(self) -> str:
        """The subject with the TLP label before it, as TLP 2.0 asks of e-mail."""
        return f"[{self.tlp.label}] {self.subject}"


def reference_of(notice: Notice) -> str:
    """What the owner quotes when answering: the same for the same owner, day and endpoints."""
    told = [notice.owner, notice.recipient, notice.wording, *(str(one) for one in notice.exposures)]
    digest = hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()
    return f"LG-{notice.day:%Y%m%d}-{digest[:8].upper()}"


def compose(notice: Notice) -> Message:
    """The notice in the words of its language."""
    say = phrases(notice.language)
    reference = reference_of(notice)
    names = {"owner": plain(notice.owner), "recipient": plain(notice.recipient), "reference": reference}
    return Message(
        language=notice.language,
        tlp=notice.tlp,
        reference=reference,
        subject=say.say("letter", "subject" + _of(notice), **names),
        head=(
            (say.say("letter", "reference"), reference),
            (say.say("letter", "date"), notice.day.isoformat()),
        ),
        greeting=say.say("letter", "greeting", **names),
        blocks=tuple(_blocks(notice, say, names)),
        on_letter_paper=notice.frame is Frame.HIPAA,
    )


def _of(notice: Notice) -> str:
    return "" if notice.audience is Audience.OWNER else "_vendor"


def _blocks(notice: Notice, say: Phrases, names: dict[str, str]) -> Iterator[Block]:
    yield Paragraph(say.say("letter", "opening" + _of(notice), **names))
    sampled = any(one.rung == "sample" for one in notice.exposures)
    yield Paragraph(say.say("letter", "sampled" if sampled else "unread"))
    yield from _seen(notice, say)
    yield from _duties(notice, say)
    yield from _checking(notice.exposures[0], say)
    yield Heading(say.say("act", "heading"))
    yield Steps(say.steps("act", "steps"))
    yield Heading(say.say("since", "heading"))
    yield Steps(say.steps("since", "steps"))
    yield Heading(say.say("tell", "heading"))
    yield Steps(say.steps("tell", notice.frame.value))
    yield Paragraph(say.say("since", "advice"))
    yield from _sender(notice, say)
    yield Paragraph(say.say("mark", "text", label=notice.tlp.label))


def _seen(notice: Notice, say: Phrases) -> Iterator[Block]:
    yield Heading(say.say("seen", "heading"))
    yield Paragraph(say.say("seen", "count", count=str(len(notice.exposures))))
    for one in notice.exposures:
        yield Facts(tuple(_facts(one, say)))


def _facts(one: Exposure, say: Phrases) -> Iterator[tuple[str, str]]:
    unknown = say.say("seen", "unknown")
    where = say.say("position", one.position.value)
    software = " ".join(filter(None, (one.product, one.version)))
    values = {
        "endpoint": str(one),
        "name": one.name or "",
        "when": f"{one.seen_at:%Y-%m-%d %H:%M:%S}",
        "origin": f"{one.source or unknown} ({where})",
        "access": f"{say.say('access', one.access.value)} [{one.access.value}]",
        "depth": say.say("rung", _depth(one)),
        "software": software or unknown,
        "rules": ", ".join(one.rules),
        "scan": one.scan,
    }
    return ((say.say("seen", key), value) for key, value in values.items() if value)


def _depth(one: Exposure) -> str:
    """How we know: the rung, or what it was where that word would say too much or too little."""
    if one.rung == "blank-query" and "query.returned-records" in one.rules:
        return "returned"
    return "web" if one.web and one.rung in {"associate", "negotiate"} else one.rung


def _duties(notice: Notice, say: Phrases) -> Iterator[Block]:
    if notice.audience is Audience.VENDOR:
        yield Heading(say.say("vendor", "heading"))
        yield Paragraph(say.say("vendor", notice.frame.value))
        yield Steps(say.steps("vendor", "steps"))
    yield Heading(say.say("duty", "heading"))
    yield Steps(say.steps("duty", notice.frame.value))


def _checking(one: Exposure, say: Phrases) -> Iterator[Block]:
    yield Heading(say.say("check", "heading"))
    yield Paragraph(say.say("check", "intro"))
    first = _by_web(one, say) if one.web else _by_dicom(one, say)
    yield Commands((first, (say.say("check", "leadglass"), f"leadglass check {one}")))
    yield Paragraph(say.say("check", "outside"))


def _by_dicom(one: Exposure, say: Phrases) -> tuple[str, str]:
    secured = "+tla -ic " if one.tls else ""
    told = "title" if one.access is Access.WANTS_TITLE else "echoscu"
    return say.say("check", told), f"echoscu -v {secured}{one.address} {one.port}"


def _by_web(one: Exposure, say: Phrases) -> tuple[str, str]:
    return say.say("check", "web"), f"curl -k -i {'https' if one.tls else 'http'}://{one}/"


def _sender(notice: Notice, say: Phrases) -> Iterator[Block]:
    sender = notice.sender
    contact = plain(sender.contact)
    basis = say.say("basis", sender.basis)
    yield Heading(say.say("who", "heading"))
    yield Paragraph(say.say("who", "contact", name=plain(sender.name), contact=contact))
    if sender.url:
        yield Paragraph(say.say("who", "url", url=plain(sender.url)))
    yield Paragraph(say.say("who", "basis", basis=basis, reference=plain(sender.reference)))
    yield Paragraph(say.say("who", "title", title=plain(sender.calling_ae)))
    yield Paragraph(say.say("who", "answer"))
    yield Heading(say.say("opt_out", "heading"))
    yield Paragraph(say.say("opt_out", "text", contact=contact))
