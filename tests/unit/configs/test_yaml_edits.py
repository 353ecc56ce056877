"""The smallest changes to YAML."""

from __future__ import annotations

import pytest

from leadglass.configs.source import Source, edited
from leadglass.configs.yaml_edits import added_item, added_pair, rewritten
from leadglass.configs.yaml_nodes import Mapping, Scalar, Sequence, documents


def parsed(text: str) -> tuple[Source, Mapping]:
    source = Source("a.yml", text)
    (node,) = documents(source)
    assert isinstance(node, Mapping)
    return source, node


@pytest.mark.parametrize(
    ("text", "word", "after"),
    [
        ("a: 80:80 # why\n", "127.0.0.1:80:80", "a: 127.0.0.1:80:80 # why\n"),
        ("a: '80'\n", "it's", "a: 'it''s'\n"),
        ('a: "80"\n', 'say "x"', 'a: "say \\"x\\""\n'),
        ("a: b\n", "c: d", 'a: "c: d"\n'),
        ("a: b\n", "#c", 'a: "#c"\n'),
        ("a: b\n", "", 'a: ""\n'),
        ("a: {b: 1, c: 2}\n", "x", "a: {b: 1, c: 2}\n"),
    ],
)
def test_a_word_is_rewritten_in_the_quotes_it_has(text: str, word: str, after: str) -> None:
    source, node = parsed(text)
    found = node.get("a")
    edits = rewritten(source, found, word) if isinstance(found, Scalar) else ()

    assert edited(text, edits) == after


@pytest.mark.parametrize(
    "text", ["a: >\n  b\n", "a: |2\n  b\n", "a: &x |\n  b\nc: *x\n", "a: &x b\nc: *x\n", "a: !t b\n"]
)
def test_what_others_depend_on_is_left_to_a_person(text: str) -> None:
    source, node = parsed(text)
    found = node.get("a")

    assert isinstance(found, Scalar)
    assert rewritten(source, found, "c") == ()


def test_an_alias_is_rewritten_where_it_stands() -> None:
    text = "a: &x b\nc: *x\n"
    source, node = parsed(text)
    found = node.get("c")

    assert isinstance(found, Scalar)
    assert edited(text, rewritten(source, found, "d")) == "a: &x b\nc: d\n"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a:\n  b: 1 # one\n\n# end\nc: 2\n", "a:\n  b: 1 # one\n  n: v\n\n# end\nc: 2\n"),
        ("a:\r\n  b: 1\r\nc: 2\r\n", "a:\r\n  b: 1\r\n  n: v\r\nc: 2\r\n"),
        ("a: {b: 1}\n", "a: {b: 1, n: v}\n"),
        ('a:\n    b: "1"', 'a:\n    b: "1"\n    n: "v"'),
        ("a:\n  b: |\n    1\n", "a:\n  b: |\n    1\n"),
        ("a:\n  b:\n", "a:\n  b:\n"),
    ],
)
def test_a_pair_is_added_behind_the_last(text: str, after: str) -> None:
    source, node = parsed(text)
    found = node.get("a")

    assert isinstance(found, Mapping)
    assert edited(text, added_pair(source, found, "n", "v")) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a:\n- b # one\nc: 2\n", "a:\n- b # one\n- n=v\nc: 2\n"),
        ("a:\n  -   b\nc: 2\n", "a:\n  -   b\n  - n=v\nc: 2\n"),
        ("a: [b]\n", 'a: [b, "n=v"]\n'),
        ("a: []\n", "a: []\n"),
    ],
)
def test_an_item_is_added_behind_the_last(text: str, after: str) -> None:
    source, node = parsed(text)
    found = node.get("a")

    assert isinstance(found, Sequence)
    assert edited(text, added_item(source, found, "n=v")) == after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: |\n  b\n", "a: |\n  new\n"),
        ("a: |-\n  {\n    b\n  }\n\n# c\nd: e\n", "a: |-\n  new\n\n# c\nd: e\n"),
        ("x:\n  a: |+\n      b\n\n      c", "x:\n  a: |+\n      new"),
        ("a: |\r\n  b\r\n  c\r\nd: e\r\n", "a: |\r\n  new\r\nd: e\r\n"),
    ],
)
def test_a_literal_block_becomes_one_of_one_line(text: str, after: str) -> None:
    source = Source("a.yml", text)
    (root,) = documents(source)
    assert isinstance(root, Mapping)
    scalar = root.get("a") or root.get("x", "a")
    assert isinstance(scalar, Scalar)

    assert edited(text, rewritten(source, scalar, "new")) == after
