"""Command lines, cut into words with their places."""

from __future__ import annotations

import pytest

from leadglass.configs.dcmtk.shell import SHELL, SYSTEMD, commands, expanded

VARIABLES = {"PORT": "104", "OPTS": "-od /in --fork", "EMPTY": "", "SET": None}


def words(text: str, **variables: str | None) -> list[list[str]]:
    known = {**VARIABLES, **variables}
    return [
        [word.text for word in command.words]
        for command in commands(text, 0, len(text), known)
        if command.words
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("a 'b c' \"d e\" f\\ g", [["a", "b c", "d e", "f g"]]),
        ("a \"b'c\" 'd\"e'", [["a", "b'c", 'd"e']]),
        ('a "b\\"c" "d\\\\e"', [["a", 'b"c', "d\\e"]]),
        ("a \\\n  b\\\nc", [["a", "bc"]]),
        ("a; b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("a # b\nc#d", [["a"], ["c#d"]]),
        ("a >out 2>&1 b <in c >> log", [["a", "b", "c"]]),
        ("(a b)\n{ c; }", [["a", "b"], ["{", "c"], ["}"]]),
        ("a 'b", [["a", "'b"]]),
        ("a $PORT ${PORT} \"$PORT\" '$PORT'", [["a", "104", "104", "104", "$PORT"]]),
        ('a $OPTS "$OPTS"', [["a", "-od", "/in", "--fork", "-od /in --fork"]]),
        ("a $EMPTY b", [["a", "b"]]),
        ("a ${NO:-5} ${NO-6} $NO $SET ${SET:-7} $1", [["a", "5", "6", "$NO", "$SET", "7", "$1"]]),
    ],
)
def test_words_are_what_a_shell_makes_of_them(text: str, meant: list[list[str]]) -> None:
    assert words(text) == meant


def test_a_place_encloses_the_word_with_its_quotes() -> None:
    text = "run 'a b' \\\n $OPTS"
    (command,) = commands(text, 0, len(text), VARIABLES, SHELL)

    assert [text[word.start : word.end] for word in command.words] == ["run", "'a b'", *["$OPTS"] * 3]


def test_systemd_knows_neither_separators_nor_comments() -> None:
    text = "run a;b #c"
    (command,) = commands(text, 0, len(text), {}, SYSTEMD)

    assert [word.text for word in command.words][-1] == "#c"


def test_variables_that_grow_are_not_followed() -> None:
    value = "x" * 3000

    assert len(expanded("$A$A$A", {"A": value})) <= 4096


def test_half_a_million_quotes_are_read_in_one_go() -> None:
    text = "'" + '"' * 500_001

    assert sum(len(command.words) for command in commands(text, 0, len(text), {})) >= 1
