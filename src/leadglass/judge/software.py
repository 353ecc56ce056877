"""Which product answers, how sure that is, and why.

The surest sign stands: an own interface over HTTP, then the pattern of granted services, then what the peer
announces. Signs that contradict each other lower the confidence and are said. What others saw counts only where
nothing was asked first-hand.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from leadglass.judge import implementations
from leadglass.judge.knowledge import table
from leadglass.judge.rules import Rule, because
from leadglass.judge.seen import Piece, Seen
from leadglass.judge.services import accepts_anything
from leadglass.judge.web import Fingerprint, Says, known
from leadglass.model.evidence import AssociateEvidence, PassiveEvidence, Reply, WebEvidence
from leadglass.model.verdict import Reason, Software

__all__ = ["UNKNOWN", "Identified", "identify", "product_named"]

_TELLING = (Says.OPEN_API, Says.LOGIN, Says.PRODUCT, Says.VIEWER)
"""What names a product, the best first. An imitation that gave itself away names none."""


@dataclass(frozen=True, slots=True)
class Identified:
    """The product, and what follows from knowing it."""

    software: Software
    reasons: tuple[Reason, ...] = ()
    base: str | None = None
    """The toolkit it is built on."""
    contradictory: bool = False
    aborts_strangers: bool = False
    """It grants query contexts to everybody and refuses at the command, with an A-ABORT."""

    @property
    def product(self) -> str:
        """The product's name, or ``this product``."""
        return self.software.product or "this product"

    @property
    def evidence(self) -> tuple[str, ...]:
        """The facts it stands on."""
        return tuple(fact for reason in self.reasons for fact in reason.evidence)


UNKNOWN = Identified(Software(None, None, 0.0))


def identify(seen: Seen, port: int) -> Identified:
    """The likeliest product behind the endpoint. A default port is a hint in words, and makes nothing surer."""
    announced = _announced(seen)
    told = [*_by_web(seen), *_by_pattern(seen, announced)]
    return max(told, key=lambda one: one.software.confidence, default=_with_hint(announced, port))


def product_named(word: str) -> str | None:
    """The product of our tables that others call ``word``; None for any other word."""
    return _products().get(word.casefold())


@functools.cache
def _products() -> Mapping[str, str]:
    rows = (*table("implementations")["implementation"], *table("web")["fingerprint"])
    return {row["product"].casefold(): row["product"] for row in rows}


def _by_web(seen: Seen) -> Iterator[Identified]:
    for piece in seen.webs:
        told = [row for a in piece.evidence.answers for f in a.fingerprints if (row := known(f)) is not None]
        rows = sorted((row for row in told if row.says in _TELLING), key=lambda row: _TELLING.index(row.says))
        if rows:
            yield _web_product(piece, rows[0])


def _web_product(piece: Piece[WebEvidence], row: Fingerprint) -> Identified:
    published = piece.evidence.software_version if row.says is Says.OPEN_API else None
    text = f"the web interface answered as {row.product} does ({row.id})"
    reason = because(Rule.SOFTWARE_WEB, text, piece.cite("answers", "software-version", "over-tls"))
    sure = implementations.confidence("web", row.confidence)
    return Identified(Software(row.product, published, sure, text), (reason,))


def _by_pattern(seen: Seen, announced: Identified) -> Iterator[Identified]:
    """Products told apart by what they grant; not where signs contradict or all is granted."""
    if announced.contradictory:
        return
    for piece in seen.negotiations:
        evidence = piece.evidence
        if evidence.reply is not Reply.ACCEPTED or accepts_anything(evidence):
            continue
        for row in implementations.patterns():
            if row.base == announced.base and row.fits(evidence):
                yield _pattern_product(piece.cite("contexts"), row, announced)
                break


def _pattern_product(
    cited: tuple[str, ...], row: implementations.Pattern, announced: Identified
) -> Identified:
    reason = because(Rule.SOFTWARE_PATTERN, row.says, cited)
    version = announced.software.version if row.keeps_version else None
    built_on = " ".join(filter(None, (row.base, announced.software.version)))
    why = f"it announces {built_on}, and {row.says}"
    return Identified(
        Software(row.product, version, row.confidence, why),
        (reason, *announced.reasons),
        base=row.base,
        aborts_strangers=row.aborts_strangers,
    )


def _with_hint(announced: Identified, port: int) -> Identified:
    for row in implementations.patterns():
        if announced.base == row.base and port == row.default_port:
            why = (
                f"{announced.software.why}; {port} is the default port of {row.product}, which proves nothing"
            )
            return replace(announced, software=replace(announced.software, why=why))
    return announced


def _announced(seen: Seen) -> Identified:
    for piece in seen.associations:
        if piece.evidence.reply is Reply.ACCEPTED:
            return _with_length(piece, _by_identity(piece))
    return _reported(seen) if seen.secondhand else UNKNOWN


def _reported(seen: Seen) -> Identified:
    """By the accounts of others: the identity that they received, or else the product that they name."""
    told = [one for piece in seen.passive for one in (_by_identity(piece), _by_account(piece))]
    return max(told, key=lambda one: one.software.confidence, default=UNKNOWN)


def _by_account(piece: Piece[PassiveEvidence]) -> Identified:
    product, source = piece.evidence.product, piece.evidence.source
    if product is None:
        return UNKNOWN
    text = f"{source} names {product}"
    software = Software(product, None, implementations.factor("reported"), text)
    return Identified(software, (because(Rule.SOFTWARE_REPORTED, text, piece.cite("source", "product")),))


def _by_identity(piece: Piece[AssociateEvidence] | Piece[PassiveEvidence]) -> Identified:
    evidence = piece.evidence
    uid, name = evidence.implementation_class_uid, evidence.implementation_version_name
    found = implementations.match(uid, name) if uid else None
    if found is None:
        return UNKNOWN
    row = found.row
    named = " ".join(filter(None, (row.base or row.product, found.version)))
    account = f", by {evidence.source}'s account" if isinstance(evidence, PassiveEvidence) else ""
    says = f"it announces {named}" + (f" ({row.note})" if row.note else "") + account
    cited = piece.cite("implementation-class-uid", "implementation-version-name")
    sure = implementations.confidence(row.match, row.confidence)
    identified = Identified(
        Software(row.product, found.version, sure, says),
        (because(Rule.SOFTWARE_IMPLEMENTATION, says, cited),),
        base=row.base,
    )
    if found.name_fits:
        return identified
    text = f"the Implementation Class UID is that of {named}, the version name is not"
    return _doubted(identified, because(Rule.SOFTWARE_CONTRADICTION, text, cited), "name_differs")


def _with_length(piece: Piece[AssociateEvidence], announced: Identified) -> Identified:
    row = implementations.length_of(piece.evidence.maximum_length)
    if row is None or announced.base == row["base"]:
        return announced
    cited = piece.cite("maximum-length")
    if announced is UNKNOWN:
        text = f"only {row['product']} sends this maximum length by default"
        software = Software(row["product"], None, implementations.factor("length_alone"), text)
        return Identified(software, (because(Rule.SOFTWARE_LENGTH, text, cited),), base=row["base"])
    text = f"it announces {announced.product}, but its maximum length is the default of {row['product']}"
    return _doubted(announced, because(Rule.SOFTWARE_CONTRADICTION, text, cited), "length_differs")


def _doubted(announced: Identified, reason: Reason, doubt: str) -> Identified:
    software = announced.software
    doubted = replace(
        software,
        confidence=software.confidence * implementations.factor(doubt),
        why=f"{software.why}; {reason.text}",
    )
    return replace(announced, software=doubted, reasons=(*announced.reasons, reason), contradictory=True)
