"""Which question would tell most about what stands behind a server, in bits."""

from __future__ import annotations

import functools
import math
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from leadglass.judge.features import features
from leadglass.judge.knowledge import table
from leadglass.judge.signs import rates, signs
from leadglass.model.verdict import Kind

__all__ = ["information", "open_bits", "questions"]


class _Question(NamedTuple):
    groups: frozenset[str]
    says: str
    rates: tuple[Mapping[Kind, float], ...]


def questions(shares: Mapping[Kind, float], asked: Collection[str]) -> tuple[str, ...]:
    """What could still be asked, the most telling first; ``asked`` are the groups that have answered."""
    return _questions_left(tuple(shares.items()), frozenset(asked))


@functools.lru_cache(maxsize=4096)
def _questions_left(pairs: tuple[tuple[Kind, float], ...], asked: frozenset[str]) -> tuple[str, ...]:
    """The same; most servers of a scan stand at the prior or at one of few distributions."""
    shares = dict(pairs)
    open_ = open_bits(shares)
    found = sorted(
        (
            (max(information(shares, rate) for rate in question.rates), question.says)
            for question in _questions()
            if not question.groups & asked
        ),
        reverse=True,
    )
    return tuple(f"{says}; expected to tell {bits:.2f} of {open_:.2f} bits." for bits, says in found)


def open_bits(shares: Mapping[Kind, float]) -> float:
    """How much is not known: the entropy of the distribution, in bits."""
    return -math.fsum(share * math.log2(share) for share in shares.values() if share)


def information(shares: Mapping[Kind, float], rates_: Mapping[Kind, float]) -> float:
    """How much the answer to "does it show this?" is expected to tell: the mutual information, in bits."""
    shows = math.fsum(share * rates_[kind] for kind, share in shares.items())
    return _entropy(shows) - math.fsum(share * _entropy(rates_[kind]) for kind, share in shares.items())


def _entropy(share: float) -> float:
    return -math.fsum(p * math.log2(p) for p in (share, 1 - share) if p > 0)


@functools.cache
def _questions() -> tuple[_Question, ...]:
    return tuple(_question(row) for row in table("nature")["question"])


def _question(row: Mapping[str, object]) -> _Question:
    groups = frozenset(map(str, row["groups"]))  # type: ignore[call-overload]
    return _Question(groups, str(row["says"]), tuple(_rates(str(row["of"]), groups)))


def _rates(of: str, groups: Collection[str]) -> Iterator[Mapping[Kind, float]]:
    if of == "features":
        yield from (feature.share for feature in features() if feature.group in groups)
    else:
        yield from (rates(sign.id) for sign in signs() if sign.group in groups)
