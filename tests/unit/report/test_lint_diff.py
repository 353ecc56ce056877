"""The difference that a fix shows: what changes, but no password, and nothing that a terminal would obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.report.lint_diff import diff_lines

SECRET = "correct horse"


def shown(before: str, after: str) -> str:
    return "\n".join(diff_lines("a.json", before, after))


@pytest.mark.parametrize(
    "line",
    [
        f'  "RegisteredUsers": {{"alice": "{SECRET}"}},',
        f"POSTGRES_PASSWORD: {SECRET}",
        f"      - POSTGRES_PASSWORD={SECRET}",
        f'      - ORTHANC__REGISTERED_USERS={{"alice": "{SECRET}"}}',
        f'ORTHANC_JSON: "{{\\"Password\\": \\"{SECRET}\\"}}"',
        f"url: postgres://user:{SECRET.replace(' ', '%20')}@db/x",
        f"  secret-key '{SECRET}';",
        f"  command: run --token {SECRET}",
        f"proxy_set_header Authorization 'Basic {SECRET}==';",
        f"secret 'a={SECRET}'",
        f"password {SECRET}",
        f"passwords:\n  - {SECRET}",
        f"PASSWORD: |\n  {SECRET}",
    ],
)
def test_a_line_that_may_hold_a_password_is_shown_without_it(line: str) -> None:
    text = shown(f"{line}\nx: 1\n", f"{line}\nx: 2\n") + shown(f"{line}\n", "")

    assert "horse" not in text
    assert "***" in text
    assert "-x: 1" in text


def test_passwords_of_a_list_of_users_are_not_shown() -> None:
    text = shown('{"RegisteredUsers": {\n  "alice": "horse"\n},\n"Name": "a"}\n', '{"Name": "b"}\n')

    assert "horse" not in text
    assert '"Name": "a"' in text


def test_a_variable_that_is_put_in_the_place_of_a_password_is_shown() -> None:
    text = shown("{\n}\n", '{\n  "RegisteredUsers": { "admin" : "${ADMIN_PASSWORD}" },\n}\n')

    assert '+  "RegisteredUsers": { "admin" : "${ADMIN_PASSWORD}" },' in text


def test_what_a_terminal_obeys_is_shown_as_an_escape() -> None:
    assert "\x1b" not in shown("a\x1b[2J\n", "b\n")
    assert "-\ta" in shown("\ta\n", "b\n")


@given(st.text(), st.text())
def test_any_texts_have_a_difference_that_can_be_shown(before: str, after: str) -> None:
    assert all(line.replace("\t", "").isprintable() for line in diff_lines("a", before, after))


@pytest.mark.parametrize(
    "line",
    [
        "auth_basic_user_file users;",
        "AuthUserFile /etc/apache2/users",
        "  POSTGRES_PASSWORD_FILE: /run/secrets/db",
        "- POSTGRES_PASSWORD_FILE=/run/secrets/db",
        "http:",
    ],
)
def test_the_name_of_a_file_with_passwords_is_no_password(line: str) -> None:
    assert f" {line}" in list(diff_lines("x", f"{line}\na\n", f"{line}\nb\n"))


def test_of_a_file_in_one_line_all_but_strings_and_numbers_is_shown() -> None:
    before = '{"AuthenticationEnabled":false,"RegisteredUsers":{"ann":"gT7-vq2","bob":4711}}\n'
    shown = list(diff_lines("x", before, before.replace("false", "true")))

    assert shown[-1] == '+{"AuthenticationEnabled":true,"RegisteredUsers":{"ann":"***","bob":***}}'
    assert not [line for line in shown if "gT7" in line or "4711" in line]


@pytest.mark.parametrize("begins", ["|", "|-", ">+", "|2-", "|  # who", ">", "", "# who", '"{'])
def test_no_line_of_a_block_of_users_is_shown(begins: str) -> None:
    before = f'  ORTHANC__REGISTERED_USERS: {begins}\n    {{\n      "ann": "gT7-vq2"\n    }}\n  A: b\n'
    shown = list(diff_lines("x", before, before.replace("gT7-vq2", "${ANN}").replace("A: b", "A: c")))

    assert "gT7" not in "\n".join(shown)
    assert "+  A: c" in shown
