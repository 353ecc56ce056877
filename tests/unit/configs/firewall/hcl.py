"""A reader of as much of HCL 2 as Terraform files are made of, to see that what was written can be read.

Strings are read as the language says: escapes, and no template in them, because a template would be run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Block", "Value", "blocks"]

Value: TypeAlias = "str | int | bool | Reference | list[Value]"

_TOKEN = re.compile(
    r'(?P<space>[ \t]+|\#[^\n]*)|(?P<line>\n)|"(?P<text>(?:[^"\\\n]|\\.)*)"'
    r"|(?P<number>\d+)|(?P<name>[A-Za-z_][A-Za-z0-9_.()-]*)|(?P<mark>[{}\[\]=,])"
)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\nrt]))|\$\$\{|%%\{|\$\{|%\{|\\')
_PLAIN = {"n": "\n", "r": "\r", "t": "\t"}


class Reference(str):
    """An expression: a variable, an attribute of another block."""

    __slots__ = ()


@dataclass
class Block:
    """``kind "label" { key = value }``."""

    kind: str
    labels: list[str]
    values: dict[str, Value] = field(default_factory=dict)
    inner: list[Block] = field(default_factory=list)


def blocks(text: str) -> list[Block]:
    """The blocks of a file; ``ValueError`` where it is no HCL."""
    tokens = [token for token in _tokens(text) if token[0] != "space"]
    found, at = _body(tokens, 0)
    if at != len(tokens) or found.values:
        raise ValueError(f"something is left over: {tokens[at : at + 3]}")
    return found.inner


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"no token: {text[at : at + 20]!r}")
        kind = str(match.lastgroup)
        found.append((kind, _unescaped(match[kind]) if kind == "text" else match[kind]))
        at = match.end()
    return found


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match[0] in {"${", "%{", "\\"}:
            raise ValueError(f"a template or a broken escape: {text!r}")
        if match[0] in {"$${", "%%{"}:
            return match[0][1:]
        code = match[1] or match[2]
        return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])

    return _ESCAPE.sub(plain, text)


def _body(tokens: list[tuple[str, str]], at: int) -> tuple[Block, int]:
    body = Block("", [])
    while at < len(tokens) and tokens[at] != ("mark", "}"):
        if tokens[at][0] == "line":
            at += 1
            continue
        kind, name = tokens[at]
        if kind != "name":
            raise ValueError(f"{tokens[at]} where a name belongs")
        at += 1
        if tokens[at] == ("mark", "="):
            body.values[name], at = _value(tokens, at + 1)
        else:
            inner, at = _block(tokens, at, name)
            body.inner.append(inner)
        if tokens[at][0] != "line":
            raise ValueError(f"{tokens[at]} where a line should end")
    return body, at


def _block(tokens: list[tuple[str, str]], at: int, kind: str) -> tuple[Block, int]:
    labels = []
    while tokens[at][0] == "text":
        labels.append(tokens[at][1])
        at += 1
    if tokens[at : at + 2] != [("mark", "{"), ("line", "\n")]:
        raise ValueError(f"{tokens[at]} where a block begins")
    body, at = _body(tokens, at + 1)
    if at >= len(tokens):
        raise ValueError("a block without an end")
    return Block(kind, labels, body.values, body.inner), at + 1


def _value(tokens: list[tuple[str, str]], at: int) -> tuple[Value, int]:
    kind, text = tokens[at]
    if kind == "text":
        return text, at + 1
    if kind == "number":
        return int(text), at + 1
    if kind == "name":
        return (text == "true" if text in {"true", "false"} else Reference(text)), at + 1
    if (kind, text) != ("mark", "["):
        raise ValueError(f"{text!r} where a value belongs")
    found: list[Value] = []
    at += 1
    while tokens[at] != ("mark", "]"):
        value, at = _value(tokens, at)
        found.append(value)
        if tokens[at] == ("mark", ","):
            at += 1
    return found, at + 1
