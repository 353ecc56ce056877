"""What the three clouds' rules share: Terraform's language, written and never templated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from leadglass.configs.firewall.words import port_ranges

__all__ = ["Value", "block", "names", "port_texts", "text", "variable"]

Value: TypeAlias = str | int | bool | Sequence[str]
"""Of an argument. A string that begins with ``=`` is an expression and is written as it stands."""


def text(value: str) -> str:
    """A quoted string in which nothing is a template (HCL native syntax, "String Literals" and "Templates")."""
    escaped = "".join(map(_escaped, value)).replace("${", "$${").replace("%{", "%%{")
    return f'"{escaped}"'


def _escaped(char: str) -> str:
    if char in {'"', "\\"}:
        return f"\\{char}"
    if " " <= char <= "~":
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def block(
    kind: str, labels: Iterable[str], body: Mapping[str, Value], inner: Iterable[str] = ()
) -> list[str]:
    """The lines of one block; ``inner`` are lines of blocks inside it."""
    width = max(map(len, body), default=0)
    arguments = [f"  {key.ljust(width)} = {_value(value)}" for key, value in body.items()]
    return [
        " ".join([kind, *map(text, labels), "{"]),
        *arguments,
        *(f"  {line}" for line in inner),
        "}",
    ]


def variable(name: str, says: str, *, kind: str = "string") -> list[str]:
    """What whoever applies the file has to say."""
    return block("variable", [name], {"type": f"={kind}", "description": says})


def names(wanted: Iterable[str], most: int) -> Iterator[str]:
    """Each name once, and no longer than ``most``: what was there before gets a number."""
    taken: set[str] = set()
    for name in wanted:
        found, number = name[:most].rstrip("-"), 1
        while found in taken:
            number += 1
            end = f"-{number}"
            found = name[: most - len(end)].rstrip("-") + end
        taken.add(found)
        yield found


def port_texts(ports: Iterable[int]) -> list[str]:
    """``104``, ``20000-20207``."""
    return [f"{first}-{last}" if last > first else str(first) for first, last in port_ranges(ports)]


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value[1:] if value.startswith("=") else text(value)
    return f"[{', '.join(map(text, value))}]"
