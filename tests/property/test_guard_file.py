"""Whatever somebody writes into ``guard.toml``: settings, or one line that says what is wrong with it."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.settings.test_guard_file import FULL

from leadglass.errors import ConfigError
from leadglass.guard.enrol.template import Draft, guard_text
from leadglass.settings.guard import Address
from leadglass.settings.guard_file import read_guard
from leadglass.settings.guard_kinds import address, duration, host, network, size

LINES = FULL.splitlines()
VALUES = st.one_of(
    st.sampled_from(
        ["true", "-1", "1e9", "[]", '[""]', "{}", "2026-11-21", '"\\u0000"', '"::1"', "nan", "[[]]"]
    ),
    st.text(max_size=20).map(lambda text: f'"{text}"'),
    st.integers().map(str),
)


@given(line=st.integers(0, len(LINES) - 1), value=VALUES)
def test_any_value_at_any_key_is_read_or_refused_in_one_line(line: int, value: str) -> None:
    key = LINES[line].partition(" = ")[0]
    text = "\n".join(
        [*LINES[:line], f"{key} = {value}" if " = " in LINES[line] else value, *LINES[line + 1 :]]
    )
    said = "guard.toml"
    try:
        read_guard(text, filename="guard.toml", folder="guard")
    except ConfigError as error:
        said = str(error)
    assert said.startswith("guard.toml")
    assert "\n" not in said


@given(st.text(max_size=60))
def test_any_text_is_of_a_kind_or_refused(text: str) -> None:
    for read in (address, duration, host, network, size):
        with contextlib.suppress(ValueError):
            read(text)


@given(
    host=st.one_of(
        st.ip_addresses().map(str), st.from_regex(r"[a-z][a-z0-9]{0,10}(\.[a-z]{2,5})?", fullmatch=True)
    ),
    port=st.integers(1, 65535),
)
def test_every_address_survives_being_written_and_read(host: str, port: int) -> None:
    assert address(str(Address(host, port))) == (host, port)


@given(name=st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and text.isprintable()))
def test_every_name_survives_being_written_and_read(name: str) -> None:
    text = guard_text(Draft(name, Address("127.0.0.1", 104), "ARCHIVE", ("guard.example.org",)))

    assert read_guard(text, filename="guard.toml", folder="guard").name == name.strip()
