"""JSON as its servers take it: every value with its place, and the smallest changes."""

from __future__ import annotations

import json

import pytest

from leadglass.configs.json_nodes import (
    DEEPEST,
    MOST,
    Array,
    Json,
    Object,
    Scalar,
    Variable,
    inserted,
    parse_json,
    plain,
    removed,
    replaced,
)
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError


def read(text: str) -> Json:
    return plain(parse_json(Source("a.json", text)))


def root_of(text: str) -> tuple[Source, Object]:
    source = Source("a.json", text)
    root = parse_json(source)
    assert isinstance(root, Object)
    return source, root


def with_new(text: str, *names: str, after: str | None = None) -> str:
    source, root = root_of(text)
    return edited(text, [inserted(source, root, name, 1, after=after) for name in names])


def without(text: str, name: str) -> str:
    source, root = root_of(text)
    member = next(member for member in root.members if member.name == name)
    return edited(text, removed(source, root, member))


# ---- what is taken


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ("// first\n{ /* in */ }", {}),
        ('{"a": [1, 2.5, -3, 1e2, true, false, null, "x"]}', {"a": [1, 2.5, -3, 100.0, True, False, None, "x"]}),
        ('{"a": [1,],}', {"a": [1]}),
        ('{"a": /* here */ 1 /* and */, // there\n "b": 2}', {"a": 1, "b": 2}),
        ('{"a": "http://x/*no comment*/"}', {"a": "http://x/*no comment*/"}),
        ('{"a": "tab\there"}', {"a": "tab\there"}),
        (r'{"a": "\u00e9\n\"\/"}', {"a": 'é\n"/'}),
        ('{"a": 1} whatever }', {"a": 1}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('{"a": ${PORT:-4242}}', {"a": "${PORT:-4242}"}),
        ('{"a": 012}', {"a": 12}),
        ('{"a": 123456789012345678901234567890}', {"a": 123456789012345678901234567890.0}),
        ('{\r\n"a"\r\n:\r\n1}', {"a": 1}),
        ("[]", []),
    ],
)  # fmt: skip
def test_what_the_servers_take_is_read(text: str, value: Json) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ("   // nothing\n", 2, 1),
        ("{", 1, 2),
        ('{"a" 1}', 1, 6),
        ('{"a" /* no */ : 1}', 1, 6),
        ('{"a": 1 "b": 2}', 1, 9),
        ('{"a": 1,\n, "b": 2}', 2, 1),
        ("{'a': 1}", 1, 2),
        ('{"a": True}', 1, 7),
        ('{"a": NaN}', 1, 7),
        ('{"a": .5}', 1, 7),
        ('{"a": 1-2}', 1, 7),
        ('{"a": 1e999}', 1, 7),
        ('{"a": [1, 2}', 1, 12),
        ('{"a": "x}', 1, 7),
        (r'{"a": "\q"}', 1, 8),
        (r'{"a": "\ud800"}', 1, 7),
        ("# no\n{}", 1, 1),
        ('{"a": /* open', 1, 7),
    ],
)
def test_what_they_refuse_is_refused_at_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert caught.value.where == f"a.json:{line}:{column}"


def test_a_fault_does_not_repeat_a_password() -> None:
    with pytest.raises(ConfigError) as caught:
        read('{"RegisteredUsers": {"admin": "kV9#mQ2x!rTz}')

    assert "kV9" not in str(caught.value)


def test_nesting_has_an_end() -> None:
    assert read("[" * DEEPEST + "]" * DEEPEST)

    with pytest.raises(ConfigError, match="deep"):
        read("[" * 10_000_000)


def test_the_number_of_values_has_an_end() -> None:
    with pytest.raises(ConfigError, match="more than"):
        read("[" + "0," * (MOST + 1))


def test_megabytes_of_comments_are_passed_over() -> None:
    assert read("//\n" * 1_000_000 + "{}") == {}
    assert read("/**/" * 1_000_000 + "{}") == {}


# ---- places


def test_every_value_has_its_span() -> None:
    text = '{ "a" : [ "x", ${N} ], // c\n "b": {"c": -1.5} }'
    _, root = root_of(text)
    listed, inner = root.get("a"), root.get("b")
    assert isinstance(listed, Array)
    assert isinstance(inner, Object)
    word, variable = listed.items
    number = inner.get("c")
    assert isinstance(word, Scalar)
    assert isinstance(variable, Variable)

    spans = [text[node.start : node.end] for node in (listed, word, variable, inner)]
    assert spans == ['[ "x", ${N} ]', '"x"', "${N}", '{"c": -1.5}']
    assert number is not None
    assert text[number.start : number.end] == "-1.5"
    assert [text[member.start] for member in root.members] == ['"', '"']


def test_a_scalar_does_not_show_its_value() -> None:
    assert "kV9" not in repr(parse_json(Source("a.json", '{"p": "kV9#mQ2x!rTz"}')))


# ---- changes


def test_a_value_is_replaced_and_nothing_else() -> None:
    text = '{\n  // why\n  "a" : false, // said so\n  "b": [1]\n}\n'
    source, root = root_of(text)
    node = root.get("a")
    assert node is not None

    assert edited(text, [replaced(source, node, {"x": True})]) == text.replace("false", '{ "x" : true }')


@pytest.mark.parametrize(
    ("text", "name", "left"),
    [
        ('{\n  "a": 1,\n  "b": 2,\n  "c": 3\n}', "b", '{\n  "a": 1,\n  "c": 3\n}'),
        ('{\n  "a": 1,\n  "b": 2 // why\n}', "b", '{\n  "a": 1\n}'),
        ('{\r\n  "a": 1,\r\n  "b": 2,\r\n  "c": 3\r\n}', "b", '{\r\n  "a": 1,\r\n  "c": 3\r\n}'),
        ('{"a": 1, "b": 2, "c": 3}', "b", '{"a": 1, "c": 3}'),
        ('{"a": 1, "b": 2}', "b", '{"a": 1 }'),
        ('{"a": 1}', "a", "{}"),
        ('{"a": {\n "x": 1\n},\n"b": 2}', "a", '{\n"b": 2}'),
        ('{\n  "a": 1\n  , "b": 2\n}', "a", '{\n  "b": 2\n}'),
        ('{\n  "a": 1, // one\n  "b": 2, // two\n}', "b", '{\n  "a": 1, // one\n}'),
    ],
)
def test_a_member_is_removed_with_its_line_and_its_comma(text: str, name: str, left: str) -> None:
    result = without(text, name)

    assert result == left
    values = read(text)
    assert isinstance(values, dict)
    assert read(result) == {key: value for key, value in values.items() if key != name}


@pytest.mark.parametrize(
    ("text", "after", "result"),
    [
        ('{\n  "a": 1,\n  "b": 2\n}', "a", '{\n  "a": 1,\n  "n": 1,\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2\n}', "b", '{\n  "a": 1,\n  "b": 2,\n  "n": 1\n}'),
        ('{\n  "a": 1, // why\n  "b": 2\n}', "a", '{\n  "a": 1, // why\n  "n": 1,\n  "b": 2\n}'),
        ('{\n  "a": 1,\n  "b": 2 // why\n}', "b", '{\n  "a": 1,\n  "n": 1,\n  "b": 2 // why\n}'),
        ('{\n\t"a": 1 // why\n}', "a", '{\n\t"n" : 1,\n\t"a": 1 // why\n}'),
        ('{\r\n  "a": 1,\r\n  "b": 2\r\n}', "a", '{\r\n  "a": 1,\r\n  "n": 1,\r\n  "b": 2\r\n}'),
        ('{"a": 1, "b": 2}', "a", '{"a": 1, "n": 1, "b": 2}'),
        ('{"a": 1}', "absent", '{"a": 1, "n": 1}'),
        ('{"a": 1, // why\n}', "a", '{"a": 1, "n": 1, // why\n}'),
        ("{}", None, '{ "n" : 1 }'),
        ("{ // nothing\n}", None, '{\n  "n" : 1\n // nothing\n}'),
        ('{\n  "a": 1,\n}', None, '{\n  "a": 1,\n  "n": 1,\n}'),
        ('{\n  "a": 1 /* x\n */ , "b": 2\n}', "a", '{\n  "a": 1 /* x\n */ ,\n  "n": 1, "b": 2\n}'),
    ],
)
def test_a_member_is_inserted_in_the_manner_of_its_neighbours(
    text: str, after: str | None, result: str
) -> None:
    assert with_new(text, "n", after=after) == result
    values = read(text)
    assert isinstance(values, dict)
    assert read(result) == {**values, "n": 1}


@pytest.mark.parametrize("text", ['{"a": 1}', '{\n "a": 1\n}', '{\n "a": 1 // x\n}', '{"a": 1, "b": 2,}'])
def test_several_members_are_inserted_at_once(text: str) -> None:
    values = read(with_new(text, "n", "m", "o"))

    assert isinstance(values, dict)
    assert {"n", "m", "o"} < values.keys()


def test_what_is_written_is_what_is_read() -> None:
    value: Json = {"a": {"b": ["${X:-{}}", {}]}, "c": [], 'd"': "}"}
    source, root = root_of('{"n": 0}')
    node = root.get("n")
    assert node is not None

    assert read(edited(source.text, [replaced(source, node, value)])) == {"n": value}


def test_an_inserted_name_is_written_as_json() -> None:
    assert json.loads(with_new("{}", 'a"b')) == {'a"b': 1}
