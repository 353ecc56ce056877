"""What a sample says of the data: identifiable, de-identified, synthetic, non-human, or nothing."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from leadglass.judge.knowledge import table
from leadglass.judge.rules import Rule, because
from leadglass.model.evidence import SampleEvidence
from leadglass.model.verdict import Data, Reason

__all__ = ["data_of"]

_Z = 1.959964
"""The 97.5 % point of the normal distribution."""
_SOME = 0.05
"""The share of studies from which on a mark speaks against a line."""


class _Line(NamedTuple):
    data: Data
    features: frozenset[str]
    least: float
    unless: frozenset[str]


def data_of(samples: Sequence[tuple[SampleEvidence, tuple[str, ...]]]) -> tuple[Data, tuple[Reason, ...]]:
    """What the data are, from samples and the facts to cite for them; unknown where no line is sure.

    Marks of several features may sit on one study, so that the most frequent of a line stands for it.
    """
    studies = sum(sample.studies for sample, _ in samples)
    counts = _summed(sample for sample, _ in samples)
    cited = tuple(fact for _, facts in samples for fact in facts)
    for line in _lines():
        marked, against = (
            max((counts.get(feature, 0) for feature in features), default=0)
            for features in (line.features, line.unless)
        )
        if studies and _surely(marked, studies) > line.least and _surely(against, studies) <= _SOME:
            text = (
                f"{line.data}: {marked} of {studies} studies bear the marks of it, in whichever way most do"
            )
            return line.data, (because(Rule.DATA_SAMPLE, text, cited),)
    return Data.UNKNOWN, ()


def _summed(samples: Iterable[SampleEvidence]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for sample in samples:
        for count in sample.features:
            counts[count.feature] = counts.get(count.feature, 0) + count.studies
    return counts


def _surely(marked: int, studies: int) -> float:
    """The lower end of Wilson's 95 % interval."""
    share, spread = marked / studies, _Z * _Z / studies
    middle = share + spread / 2
    half = _Z * math.sqrt(share * (1 - share) / studies + spread / (4 * studies))
    return (middle - half) / (1 + spread)


@functools.cache
def _lines() -> tuple[_Line, ...]:
    return tuple(
        _Line(
            Data(row["data"]),
            frozenset(row["features"]),
            float(row["least"]),
            frozenset(row.get("unless", ())),
        )
        for row in table("features")["data"]
    )
