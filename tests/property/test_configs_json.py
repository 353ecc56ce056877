"""JSON in every dress that its servers take, and Orthanc's options with any values: changes change what they mean to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leadglass.configs.json_nodes import Object, inserted, parse_json, plain, removed, replaced
from leadglass.configs.orthanc.options import core, sections
from leadglass.configs.orthanc.readers import merge
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Finding

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)
NAMES = st.one_of(st.text(max_size=6), st.sampled_from(["a", "b", "c", "// d", "/* e */", '"', "${F}"]))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)
SPACES = ("", " ", "\n", "\r\n\t", " // c, } ]\n", '/* ", { */', "\n    ", "  /**/ // x\n")
COLONS = ("", " ", "\n")
ENDS = ("", " ", "\n", " // said\n", "\n/* so */\n")


def dressed(value: Any, draw: st.DataObject) -> str:
    """A value as JSON, with white space, comments and commas to spare."""
    if not isinstance(value, dict | list):
        return json.dumps(value)
    named = value.items() if isinstance(value, dict) else [(None, item) for item in value]
    parts = [
        draw.draw(st.sampled_from(SPACES))
        + ("" if name is None else f"{json.dumps(name)}{draw.draw(st.sampled_from(COLONS))}:")
        + ("" if name is None else draw.draw(st.sampled_from(SPACES)))
        + dressed(item, draw)
        + draw.draw(st.sampled_from(ENDS))
        for name, item in named
    ]
    one_more: bool = draw.draw(st.booleans())
    spare = "," if parts and one_more else ""
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}{','.join(parts)}{spare}{draw.draw(st.sampled_from(ENDS))}{right}"


def read(text: str) -> tuple[Source, Object]:
    source = Source("x.json", text)
    root = parse_json(source)
    assert isinstance(root, Object)
    return source, root


def after(text: str, *edits: Any) -> Any:
    return plain(read(edited(text, edits))[1])


@given(OBJECTS, st.data())
def test_what_is_dressed_up_is_read_as_it_was(value: dict[str, Any], draw: st.DataObject) -> None:
    assert plain(read(dressed(value, draw))[1]) == value


@given(OBJECTS.filter(bool), VALUES, st.data())
def test_a_value_that_is_replaced_is_the_only_one_that_changes(
    value: dict[str, Any], other: Any, draw: st.DataObject
) -> None:
    source, root = read(dressed(value, draw))
    member = draw.draw(st.sampled_from(root.members))

    assert after(source.text, replaced(source, member.node, other)) == {**value, member.name: other}


@given(OBJECTS.filter(bool), st.data())
def test_a_member_that_is_removed_is_the_only_one_that_is_gone(
    value: dict[str, Any], draw: st.DataObject
) -> None:
    source, root = read(dressed(value, draw))
    member = draw.draw(st.sampled_from(root.members))
    left = {name: one for name, one in value.items() if name != member.name}

    assert after(source.text, *removed(source, root, member)) == left


@given(OBJECTS, VALUES, st.data())
def test_a_member_that_is_inserted_is_the_only_one_that_is_new(
    value: dict[str, Any], new: Any, draw: st.DataObject
) -> None:
    source, root = read(dressed(value, draw))
    behind = draw.draw(st.sampled_from([None, "absent", *value]))
    edit = inserted(source, root, "a new one", new, after=behind)

    assert after(source.text, edit) == {**value, "a new one": new}


@given(st.text(alphabet='{}[]:,"\\/*\n\r 01.eE+-tfnru${}:a\u2028\ud800', max_size=60))
def test_any_text_is_json_or_a_fault_at_a_place_in_it(text: str) -> None:
    try:
        parse_json(Source("x.json", text))
    except ConfigError as error:
        said = str(error)
        assert said.startswith("x.json:")
        assert "\n" not in said


GOOD = "kV9#mQ2x!rTz"
WORDS = st.sampled_from(["", "orthanc", "change-me", "123", "${X}", "${X:-y}", "true", "false", "8042", GOOD])
ANY = st.one_of(
    st.booleans(),
    st.none(),
    st.integers(-1, 5),
    WORDS,
    st.lists(WORDS, max_size=3),
    st.dictionaries(WORDS, WORDS, max_size=2),
)
PEER = st.one_of(
    st.tuples(WORDS, WORDS, st.integers(0, 70000)).map(list),
    st.fixed_dictionaries({"AET": WORDS}, optional={"Host": WORDS, "Port": ANY, "AllowStore": ANY}),
)
FLAGS = st.sampled_from(
    sorted(name for name, option in core().items() if option.type == "bool" and option.safe is not None)
)
ORTHANC = st.builds(
    lambda *parts: {name: value for part in parts for name, value in part.items()},
    st.dictionaries(FLAGS, st.booleans(), max_size=6),
    st.dictionaries(
        st.sampled_from([*core(), *sections(), "dicomAet", "DicomAlwaysAlowStore", "_note", "Xyz"]),
        ANY,
        max_size=4,
    ),
    st.one_of(
        st.just({}), st.fixed_dictionaries({"RegisteredUsers": st.dictionaries(WORDS, WORDS, max_size=2)})
    ),
    st.one_of(
        st.just({}), st.fixed_dictionaries({"DicomModalities": st.dictionaries(WORDS, PEER, max_size=2)})
    ),
)


def name_of(found: Finding) -> tuple[str, str]:
    return found.rule, found.option


@given(ORTHANC, st.data())
def test_whatever_orthanc_is_given_each_finding_with_edits_is_closed_by_them(
    options: Mapping[str, Any], draw: st.DataObject
) -> None:
    source = Source("orthanc.json", dressed(options, draw))
    before = merge([source], {})
    for found in before.findings:
        if found.edits:
            again = merge([Source(source.path, edited(source.text, found.edits))], {})
            assert name_of(found) not in {name_of(one) for one in again.findings}


@given(ORTHANC, st.sampled_from(["RegisteredUsers", "PostgreSQL", "OrthancPeers"]))
def test_a_good_password_is_never_told_and_a_line_is_one(options: Mapping[str, Any], section: str) -> None:
    secret = {"Password\n\x00": GOOD, "Password": GOOD, "p": ["http://a/", "b", GOOD]}
    safe = {name: value for name, value in options.items() if GOOD not in json.dumps(value)}
    reading = merge([Source("orthanc.json", json.dumps({**safe, section: secret, "strange\nname": 1}))], {})

    assert GOOD not in repr(reading)
    assert all((found.says + found.option).isprintable() for found in reading.findings)
    assert {found.listener for found in reading.findings} <= {None, *(one.name for one in reading.listeners)}
