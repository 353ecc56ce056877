"""``${VARIABLE}`` in a compose file: what it stands for, as far as that is known.

Compose interpolation: https://docs.docker.com/reference/compose-file/interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from leadglass.configs.kinds import Environment

__all__ = ["Resolved", "resolved"]

_DEEPEST = 8
"""Variables within the default of a variable, one in the other."""
_LONGEST = 1 << 16
"""Characters; what a longer text with variables stands for is not looked into."""
_NAME = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*))"
)
_MARK, _DOLLAR = re.compile(r"[$}]"), re.compile(r"\$")
_OPERATOR = re.compile(r":?[-?+]")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a text stands for."""

    value: str | None = field(repr=False)
    """None: a variable in it is not known."""
    outside: bool = False
    """A variable decides, that something else may set."""


def resolved(text: str, environment: Environment) -> Resolved:
    """The text with its variables replaced: by what is known of them, or else by their defaults."""
    if "$" not in text:
        return Resolved(text)
    if len(text) > _LONGEST:
        return Resolved(None, outside=True)
    value, end = _Reader(text, environment).until_end(0, 0)
    return Resolved(value if end == len(text) else text, outside=value != text)


@dataclass(frozen=True, slots=True)
class _Reader:
    text: str
    environment: Mapping[str, str | None]

    def until_end(self, start: int, depth: int) -> tuple[str | None, int]:
        """What stands from ``start`` to the end, or to the brace that closes the variable it is in."""
        parts: list[str | None] = []
        here = start
        while here < len(self.text):
            mark = (_MARK if depth else _DOLLAR).search(self.text, here)
            stop = mark.start() if mark else len(self.text)
            parts.append(self.text[here:stop])
            here = stop
            if mark is None or mark[0] == "}":
                break
            part, here = self._variable(stop, depth)
            parts.append(part)
        return None if None in parts else "".join(part for part in parts if part), here

    def _variable(self, at: int, depth: int) -> tuple[str | None, int]:
        match = _NAME.match(self.text, at)
        if match is None:
            return "$", at + 1
        if match["escaped"]:
            return "$", match.end()
        if match["bare"]:
            return self.environment.get(match["bare"]), match.end()
        return self._braced(match["name"], match.end(), depth)

    def _braced(self, name: str, at: int, depth: int) -> tuple[str | None, int]:
        known = self.environment.get(name)
        operator = _OPERATOR.match(self.text, at)
        if operator is None or depth >= _DEEPEST:
            return known, self._closed(self.text.find("}", at))
        word, end = self.until_end(operator.end(), depth + 1)
        return _chosen(operator[0], known, word, name in self.environment), self._closed(end)

    def _closed(self, brace: int) -> int:
        return len(self.text) if brace < 0 else min(brace + 1, len(self.text))


def _chosen(operator: str, known: str | None, word: str | None, is_set: bool) -> str | None:
    if operator.endswith("?"):
        return known
    if operator.endswith("+"):
        return word if is_set else ""
    if known is None and is_set:
        return None
    empty = not known if operator.startswith(":") else known is None
    return word if empty else known
