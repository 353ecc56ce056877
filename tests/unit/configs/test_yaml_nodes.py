"""YAML with places, within limits."""

from __future__ import annotations

import pytest

from leadglass.configs.source import Source
from leadglass.configs.yaml_nodes import (
    DEEPEST,
    Mapping,
    Scalar,
    Sequence,
    documents,
    scalars,
    text_of,
    truth,
)
from leadglass.errors import ConfigError


def one(text: str) -> Mapping:
    (node,) = documents(Source("a.yml", text))
    assert isinstance(node, Mapping)
    return node


def test_a_node_spans_its_text_and_nothing_behind_it() -> None:
    text = "é: '日本'  # why\r\nb:\r\n- x: 1\r\n  y: |\r\n    z\r\n\r\n# end\r\nc: [1, 2]\r\n"
    node = one(text)

    def written(name: str) -> str:
        found = node.get(name)
        assert found is not None
        return text[slice(*found.span)]

    assert [written(name) for name in ("é", "b", "c")] == ["'日本'", "- x: 1\r\n  y: |\r\n    z", "[1, 2]"]


def test_an_alias_is_the_node_at_a_place_of_its_own() -> None:
    text = "a: &x [1, 2]\nb: *x\n"
    found = one(text).get("b")

    assert isinstance(found, Sequence)
    assert [text_of(item) for item in found.items] == ["1", "2"]
    assert (text[slice(*found.span)], text[found.start : found.end]) == ("*x", "&x [1, 2]")


def test_merge_keys_give_what_does_not_stand_there() -> None:
    node = one("a: &a {p: 1, q: 2}\nb: &b {q: 3, r: 4}\nc:\n  q: 5\n  <<: [*a, *b]\n")

    assert {name: text_of(node.get("c", name)) for name in "pqr"} == {"p": "1", "q": "5", "r": "4"}


def test_of_a_key_that_stands_twice_the_last_counts_and_the_second_is_told() -> None:
    node = one("a: 1\nb: 2\na: 3\n")

    assert text_of(node.get("a")) == "3"
    assert [pair.key.start for pair in node.twice] == [10]


def test_every_document_that_holds_something_is_there() -> None:
    nodes = documents(Source("a.yml", "---\n# nothing\n---\na: &x 1\n---\n- 2\n"))

    assert [type(node) for node in nodes] == [Mapping, Sequence]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yes", True),
        ("'True'", True),
        ("off", False),
        ('"false"', False),
        ("1", None),
        ("", None),
        ("[]", None),
    ],
)
def test_yes_and_no_have_many_spellings(text: str, says: bool | None) -> None:
    assert truth(one(f"a: {text}").get("a")) is says


def test_one_word_is_a_list_of_one() -> None:
    node = one("a: x\nb: [x, y, {z: 1}, ~]\n")

    assert [[word.value for word in scalars(node.get(name))] for name in "abc"] == [["x"], ["x", "y"], []]


def test_a_null_is_nothing_and_a_quoted_one_is_a_word() -> None:
    node = one("a:\nb: ~\nc: null\nd: ''\ne: 'null'\n")

    assert [text_of(node.get(name)) for name in "abcde"] == [None, None, None, "", "null"]


def test_tags_are_told_and_never_obeyed() -> None:
    found = one("a: !!python/object/apply:os.getcwd []\nb: !override [1]\n").get("b")

    assert found is not None
    assert found.tag == "!override"


def test_a_node_never_shows_what_it_says() -> None:
    assert "hidden" not in repr(Scalar(start=0, end=6, value="hidden"))


LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "more than 100,000 values"),
        ("[" * (10 << 20), f"nested deeper than {DEEPEST}"),
        ("- " * (5 << 20), f"nested deeper than {DEEPEST}"),
        ("{a: " * (5 << 19), f"nested deeper than {DEEPEST}"),
        ("a: &a [*a]", "an alias that names nothing"),
        ("a: *b", "an alias that names nothing"),
        ("a: &a 1\n---\nb: *a", "an alias that names nothing"),
        ("a:\n\t- b", "not YAML"),
        ("a: 'b", "not YAML"),
        ("a: \x00", "control character"),
        ("a: \ud800", "control character"),
        ("%YAML 9.9\n---\na: b", "not YAML"),
        ("\t" * (10 << 20), "not YAML"),
        ("[" + "[]," * 110_000, "more than 100,000 values"),
        ("x" * 30 + ": " + "&a " * 5, "not YAML"),
    ],
    ids=range(15),
)
def test_what_is_broken_or_hostile_is_one_error_at_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^a.yml:\\d+:\\d+: .*{says}"):
        documents(Source("a.yml", text))


def test_depth_counts_what_aliases_bring() -> None:
    steps = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, DEEPEST + 2))

    with pytest.raises(ConfigError, match="nested deeper"):
        documents(Source("a.yml", steps))
