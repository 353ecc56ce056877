"""The readers of this family, the surest first."""

from __future__ import annotations

from leadglass.configs.containers import compose, kubernetes
from leadglass.configs.kinds import Reader

__all__ = ["READERS"]

READERS: tuple[Reader, ...] = (
    Reader("kubernetes", kubernetes.recognises, kubernetes.read),
    Reader("compose", compose.recognises, compose.read),
)
"""In the order in which they are asked."""
