"""Small matrices: those of a handful of lists or classes. Rows of rows of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

__all__ = ["Matrix", "inverse", "product", "solve"]

Matrix: TypeAlias = list[list[float]]

_SINGULAR = 1e-9
"""A pivot so small, beside the largest entry, tells that rows are the same but for rounding."""


def product(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> Matrix:
    """``left`` times ``right``."""
    columns = list(zip(*right, strict=True))
    return [[sum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


def inverse(matrix: Sequence[Sequence[float]]) -> Matrix | None:
    """The inverse; None if there is none."""
    size = len(matrix)
    return solve(matrix, [[float(i == j) for j in range(size)] for i in range(size)])


def solve(matrix: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> Matrix | None:
    """What ``matrix`` times gives ``right``, by elimination with pivots; None if the matrix is singular."""
    size = len(matrix)
    rows = [[*left, *more] for left, more in zip(matrix, right, strict=True)]
    scale = max((abs(value) for row in matrix for value in row), default=0.0)
    for column in range(size):
        best = max(range(column, size), key=lambda i: abs(rows[i][column]))
        if abs(rows[best][column]) <= _SINGULAR * scale:
            return None
        rows[column], rows[best] = rows[best], rows[column]
        pivot = rows[column]
        for i in range(size):
            if i != column and rows[i][column]:
                factor = rows[i][column] / pivot[column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], pivot, strict=True)]
    return [[value / row[i] for value in row[size:]] for i, row in enumerate(rows)]
