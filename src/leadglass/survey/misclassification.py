"""Shares as they are, from shares as a classifier says, whose errors are counted themselves.

With two classes: Rogan and Gladen's estimate (1978), (p + Sp - 1) / (Se + Sp - 1), and the interval of Lang and
Reiczigel ("Confidence limits for prevalence of disease adjusted for estimated sensitivity and specificity",
2014), which counts the uncertainty of both errors. With more classes the same by matrix: what was called j is the sum
over i of what is i and called j, so shares are the called ones times the inverse; variances by the delta
method, with counts moved towards equal shares as Lang and Reiczigel do for two.

All of this holds if the errors were counted on a random part of the same servers. Counted elsewhere they
need not hold here, and only bounds are given: see ``bounds``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadglass.survey.distributions import normal_quantile
from leadglass.survey.interval import LEVEL, Interval, clipped, require, require_counts
from leadglass.survey.linear import Matrix, inverse, product
from leadglass.survey.proportion import clopper_pearson

__all__ = [
    "Bounds",
    "Confusion",
    "Corrected",
    "Validation",
    "bounds",
    "by_class",
    "is_like_the_rest",
    "ranges",
    "require_matrix",
    "rogan_gladen",
]

_LEAST_YOUDEN = 0.05
"""A classifier that tells so little apart has no inverse worth the name."""
_UNLIKE = 0.999
"""A random part differs from the rest so seldom by more that it was hardly drawn at random."""


@dataclass(frozen=True, slots=True)
class Validation:
    """How a classifier did where the truth is known, in counts."""

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def positives(self) -> int:
        """How many are so in truth."""
        return self.true_positive + self.false_negative

    @property
    def negatives(self) -> int:
        """How many are not."""
        return self.false_positive + self.true_negative

    @property
    def called(self) -> int:
        """How many were called so."""
        return self.true_positive + self.false_positive

    @property
    def sensitivity(self) -> float:
        """The share of what is so that is called so."""
        return self.true_positive / self.positives

    @property
    def specificity(self) -> float:
        """The share of what is not so that is not called so."""
        return self.true_negative / self.negatives


@dataclass(frozen=True, slots=True)
class Corrected:
    """A share after correction."""

    called: float
    """The share as the classifier says."""
    raw: float
    """The estimate before it was held between 0 and 1."""
    interval: Interval

    @property
    def share(self) -> float:
        """The estimate."""
        return min(max(self.raw, 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What can be said without a validated part of the same servers."""

    called: float
    share: Interval
    """Between these the share lies, if the errors lie in the ranges below."""
    sensitivity: Interval
    specificity: Interval


@dataclass(frozen=True, slots=True)
class Confusion:
    """How a classifier did where the truth is known: ``counts[i][j]`` are i in truth and were called j."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def rogan_gladen(positive: int, sampled: int, validation: Validation, level: float = LEVEL) -> Corrected:
    """The share corrected by errors that were counted on a random part of the same servers.

    ``UsageError`` if a count cannot be, or the classifier tells too little apart.
    """
    _require_validation(validation)
    require_counts(positive, sampled)
    called = positive / sampled
    youden = validation.sensitivity + validation.specificity - 1
    raw = (called + validation.specificity - 1) / youden
    return Corrected(called, raw, _lang_reiczigel(called, sampled, validation, level))


def _lang_reiczigel(called: float, sampled: int, validation: Validation, level: float) -> Interval:
    """Equations 4, 6, 7, 15 to 17 there."""
    z = normal_quantile(level)
    size, positives, negatives = sampled + z * z, validation.positives + 2, validation.negatives + 2
    near = (sampled * called + z * z / 2) / size
    sensitivity = (validation.true_positive + 1) / positives
    specificity = (validation.true_negative + 1) / negatives
    youden = sensitivity + specificity - 1
    share = (near + specificity - 1) / youden
    missed = sensitivity * (1 - sensitivity) / positives
    mistaken = specificity * (1 - specificity) / negatives
    shift = 2 * z * z * (share * missed - (1 - share) * mistaken)
    variance = near * (1 - near) / size + share * share * missed + (1 - share) ** 2 * mistaken
    half = z * math.sqrt(variance) / abs(youden)
    return clipped(share + shift - half, share + shift + half)


def is_like_the_rest(called: float, sampled: int, validation: Validation) -> bool:
    """Whether the validated may be a random part of ``sampled``, of which the share ``called`` was called so.

    Those who were chosen by what they were called, and servers of another sort, are not.
    """
    size = validation.positives + validation.negatives
    together = (called * sampled + validation.called) / (sampled + size)
    spread = math.sqrt(together * (1 - together) * (1 / sampled + 1 / size))
    return abs(called - validation.called / size) <= normal_quantile(_UNLIKE) * spread


def bounds(
    positive: int, sampled: int, sensitivity: Interval, specificity: Interval, level: float = LEVEL
) -> Bounds:
    """The smallest and the largest share with errors in these ranges; chance enters by Clopper-Pearson.

    A range that reaches where the classifier tells nothing apart gives the bounds 0 and 1. ``UsageError`` if no
    share goes with such errors.
    """
    require_counts(positive, sampled)
    called = clopper_pearson(positive, sampled, level)
    if sensitivity.low + specificity.low - 1 <= 0:
        share = Interval(0.0, 1.0)
    else:
        # The estimate falls in the sensitivity and rises in the specificity and in the called share.
        low = (called.low + specificity.low - 1) / (sensitivity.high + specificity.low - 1)
        high = (called.high + specificity.high - 1) / (sensitivity.low + specificity.high - 1)
        require(
            low <= 1 and high >= 0,
            f"{'fewer' if high < 0 else 'more'} were called private than goes with such errors, whatever the share",
            then="validate a random part of these servers: --validation",
        )
        share = clipped(low, high)
    return Bounds(positive / sampled, share, sensitivity, specificity)


def ranges(validation: Validation, level: float = LEVEL) -> tuple[Interval, Interval]:
    """The ranges in which sensitivity and specificity lay where they were counted."""
    require(validation.positives > 0 and validation.negatives > 0, "a validation needs both kinds of server")
    return (
        clopper_pearson(validation.true_positive, validation.positives, level),
        clopper_pearson(validation.true_negative, validation.negatives, level),
    )


def by_class(
    called: Mapping[str, int], confusion: Confusion, level: float = LEVEL
) -> Mapping[str, Corrected]:
    """The share of each class, from how many were called it; ``UsageError`` if the matrix cannot be inverted."""
    require_matrix(called, confusion)
    sampled = sum(called.values())
    counts = [called.get(name, 0) for name in confusion.classes]
    raw = product(_inverted(confusion, 0.0), [[count / sampled] for count in counts])
    middle, spread = _moved(counts, confusion, normal_quantile(level))
    return {
        name: Corrected(
            counts[i] / sampled,
            raw[i][0],
            clipped(middle[i] - spread[i], middle[i] + spread[i]).around(min(max(raw[i][0], 0.0), 1.0)),
        )
        for i, name in enumerate(confusion.classes)
    }


def require_matrix(called: Mapping[str, int], confusion: Confusion) -> None:
    """``UsageError`` unless every class was validated, and all that was called is among the classes."""
    unknown = sorted(set(called) - set(confusion.classes))
    require(not unknown, f"the validation says nothing of {', '.join(unknown)}")
    require(all(count >= 0 for count in called.values()), "a count is not negative")
    require(sum(called.values()) > 0, "nothing was classified, so nothing follows")
    require(len(confusion.classes) > 1, "a classifier has two classes or more")
    for name, row in zip(confusion.classes, confusion.counts, strict=True):
        require(
            sum(row) > 0,
            f"no validated server is {name} in truth",
            then="validate more, or put that class together with another",
        )


def _require_validation(validation: Validation) -> None:
    require(
        validation.positives > 0 and validation.negatives > 0,
        "the validated servers are all of one kind, so one error is unknown",
        then="validate more of them",
    )
    require(
        validation.sensitivity + validation.specificity - 1 > _LEAST_YOUDEN,
        "by its validation the classifier tells next to nothing apart",
        then="give bounds instead: --validated-elsewhere",
    )


def _inverted(confusion: Confusion, added: float) -> Matrix:
    """What turns called shares into true ones; to each count ``added`` was added."""
    rows = [[(count + added) / (sum(row) + added * len(row)) for count in row] for row in confusion.counts]
    turned = inverse([list(column) for column in zip(*rows, strict=True)])
    require(
        turned is not None,
        "by its validation the classifier cannot tell two classes apart",
        then="put them together",
    )
    assert turned is not None
    return turned


def _moved(counts: Sequence[int], confusion: Confusion, z: float) -> tuple[list[float], list[float]]:
    """For each class, the middle of its interval and half its width."""
    classes = len(counts)
    size = sum(counts) + z * z
    near = [(count + z * z / classes) / size for count in counts]
    turned = _inverted(confusion, 2 / classes)
    shares = [row[0] for row in product(turned, [[share] for share in near])]
    variance = _spread(near, size)
    for share, row in zip(shares, confusion.counts, strict=True):
        total = sum(row) + 2
        errors = _spread([(count + 2 / classes) / total for count in row], total)
        for i in range(classes):
            for j in range(classes):
                variance[i][j] += share * share * errors[i][j]
    covariance = product(product(turned, variance), [list(column) for column in zip(*turned, strict=True)])
    return shares, [z * math.sqrt(max(covariance[i][i], 0.0)) for i in range(classes)]


def _spread(shares: Sequence[float], size: float) -> Matrix:
    """The covariance of the shares of a multinomial sample."""
    return [
        [(p * (1 - p) if i == j else -p * q) / size for j, q in enumerate(shares)]
        for i, p in enumerate(shares)
    ]
