"""The line of every key, in layouts that people and programs write."""

from __future__ import annotations

import tomllib

import pytest

from leadglass.settings.lines import Path, line_of, lines

NASTY = '''\
# A comment with [brackets] and "quotes"
name = "a # is no comment here"   # this is one
"quoted key" = 1
'literal "key"' = 2
"esc\\u0061pe" = 3
a.b."c d" = 4

[ table ]   # spaced
x = """
three = "not a key"
lines""" # y = 1
z = \'\'\'
[not.a.table]
\'\'\'

[table . "sub.dotted"]
y = 1

[[targets]]
range = "192.0.2.0/28"
ports = [
  104,  # first ] here
  # 105,
  "20000-20207",
  [ 1,
    2 ],
]

[[targets]]
inline = { a = 1, b = [ 2, 3 ], c = { d = "}" } }
[targets.below]
deep = true

[[targets.list]]
one = 1
[[targets.list]]
two = 2
[targets.list.inner]
three = 3

[[targets]]
# an empty one

[last]
strings = ["""a""""", """"b""", \'\'\'c\'\'\'\'\', "\\"]"]
date = 2027-01-31 00:00:00
after = 1'''

EXPECTED: dict[Path, int] = {
    ("name",): 2,
    ("quoted key",): 3,
    ('literal "key"',): 4,
    ("escape",): 5,
    ("a", "b", "c d"): 6,
    ("table",): 8,
    ("table", "x"): 9,
    ("table", "z"): 12,
    ("table", "sub.dotted"): 16,
    ("table", "sub.dotted", "y"): 17,
    ("targets", 0): 19,
    ("targets", 0, "range"): 20,
    ("targets", 0, "ports"): 21,
    ("targets", 0, "ports", 0): 22,
    ("targets", 0, "ports", 1): 24,
    ("targets", 0, "ports", 2): 25,
    ("targets", 0, "ports", 2, 0): 25,
    ("targets", 0, "ports", 2, 1): 26,
    ("targets", 1): 29,
    ("targets", 1, "inline", "a"): 30,
    ("targets", 1, "inline", "b", 1): 30,
    ("targets", 1, "inline", "c", "d"): 30,
    ("targets", 1, "below"): 31,
    ("targets", 1, "below", "deep"): 32,
    ("targets", 1, "list", 0): 34,
    ("targets", 1, "list", 0, "one"): 35,
    ("targets", 1, "list", 1): 36,
    ("targets", 1, "list", 1, "two"): 37,
    ("targets", 1, "list", 1, "inner", "three"): 39,
    ("targets", 2): 41,
    ("last", "strings"): 45,
    ("last", "strings", 3): 45,
    ("last", "date"): 46,
    ("last", "after"): 47,
}


@pytest.mark.parametrize(("path", "line"), EXPECTED.items())
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_every_key_of_a_nasty_file_has_its_line(path: Path, line: int, ending: str) -> None:
    assert lines(NASTY.replace("\n", ending))[path] == line


def every_path(value: object, path: Path = ()) -> set[Path]:
    """What one can index a document with."""
    found = {path} if path else set()
    if isinstance(value, dict):
        for key, below in value.items():
            found |= every_path(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            found |= every_path(below, (*path, index))
    return found


def test_every_path_of_a_document_has_a_line_and_there_are_no_others() -> None:
    assert set(lines(NASTY)) == every_path(tomllib.loads(NASTY))


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        (
            "targets = [\n{range = 1},\n{\nrange = 2}]\n".replace("{\nrange", "{ range"),
            ("targets", 1, "range"),
            3,
        ),
        ("targets = [{ a = 1 },\n\n# b\n{ a = 2 }\n]", ("targets", 1, "a"), 4),
        ("limits.rate = 5\nlimits.hours = 'x'", ("limits", "hours"), 2),
        ("limits = { rate = 5, hours = 'x' }", ("limits", "hours"), 1),
        ("[limits]\n\n\n'rate' = 5", ("limits", "rate"), 4),
        ("a = 1_000 # x\nb = -inf\nc = 1e5\nd = 07:32:00\ne = 0xFF", ("e",), 5),
        ("a = [\n\n]\nb = 2", ("b",), 4),
        ("a = {}\nb = 2", ("b",), 2),
        ("\ufeff"[1:] + "\n\n\na = 1", ("a",), 4),
        ("a = ''''quoted'\nlines'''\nb = 1", ("b",), 3),
        ('a = "x\\\\"\nb = "\\""\nc = 1', ("c",), 3),
    ],
)
def test_other_layouts_are_followed(text: str, path: Path, line: int) -> None:
    tomllib.loads(text)

    assert lines(text)[path] == line


def test_what_is_not_written_down_is_looked_for_where_it_would_be() -> None:
    found = lines(
        "name = 'x'\n[authorisation]\nbasis = 'owner'\n[[targets]]\n[[targets]]\nports = [\n1,\n2]\n"
    )

    assert line_of(found, ("authorisation", "contact")) == 2
    assert line_of(found, ("targets", 1, "range")) == 5
    assert line_of(found, ("targets", 1, "ports", 1, "x")) == 8
    assert line_of(found, ("limits", "deepest")) == 1
    assert line_of(found, ()) == 1
    assert line_of({}, ("a",)) == 1
