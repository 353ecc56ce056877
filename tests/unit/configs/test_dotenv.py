"""The variables of a compose file that stand in ``.env`` beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadglass.configs.containers.dotenv import variables_in
from leadglass.configs.source import Source, edited
from leadglass.model.verdict import Severity
from leadglass.wiring.linting import lint_files, relint

GOOD = "gT7-vq2_Lmw9zQ"
COMPOSE = """\
services:
  db:
    image: postgres:16
    ports: ["${BIND:-0.0.0.0}:5432:5432"]
    environment:
      POSTGRES_PASSWORD: ${DB_PASSWORD}
"""


def put(folder: Path, variables: str, compose: str = COMPOSE) -> Path:
    (folder / "compose.yaml").write_text(compose)
    (folder / ".env").write_text(variables)
    return folder


def rules(folder: Path) -> dict[str, Severity]:
    return {found.rule: found.severity for found in lint_files([str(folder)]).linted.findings}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("  A = b c  ", "b c"),
        ("A='b $C # d'", "b $C # d"),
        ('A="b # c"  # d', "b # c"),
        ("A=b # c", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("B=c\nA=${B}d", "cd"),
        ("A=${NOBODY}", None),
        ("A='goes\non'", None),
        ('A="with \\n a sign"', None),
    ],
)
def test_values_are_those_that_compose_takes(line: str, value: str | None) -> None:
    assert variables_in(Source(".env", line))["A"] == value


def test_what_is_no_line_of_it_is_passed_over() -> None:
    assert variables_in(Source(".env", "# A=b\n\n<html>\n1A=b\n=c\n")) == {}
    assert variables_in(Source(".env", "A=b\n" * 100_000)) == {}


@pytest.mark.parametrize(
    "line", [f"DB_PASSWORD={GOOD}", f"URL=postgres://keeper:{GOOD}@db/x", 'USERS={"ann": "' + GOOD + '"}']
)
def test_a_good_password_is_set_to_what_is_not_known(line: str) -> None:
    assert set(variables_in(Source(".env", line)).values()) == {None}


def test_an_address_in_it_closes_a_port_and_a_guessed_password_is_found(tmp_path: Path) -> None:
    assert rules(put(tmp_path, f"DB_PASSWORD={GOOD}\n")) == {"LG-COMPOSE-004": Severity.HIGH}
    assert rules(put(tmp_path, f"DB_PASSWORD={GOOD}\nBIND=127.0.0.1\n")) == {}
    assert "LG-CONTAINERS-001" in rules(put(tmp_path, "DB_PASSWORD=postgres\n"))


def test_it_is_no_file_of_an_unknown_kind_and_no_word_of_it_is_told(tmp_path: Path) -> None:
    looked = lint_files([str(put(tmp_path, "DB_PASSWORD=hunter2\n"))])

    assert looked.linted.unknown == ()
    assert "hunter2" not in repr(looked)


def test_it_counts_when_the_compose_file_alone_is_named(tmp_path: Path) -> None:
    put(tmp_path, f"DB_PASSWORD={GOOD}\nBIND=127.0.0.1\n")
    assert not lint_files([str(tmp_path / "compose.yaml")]).linted.findings


def test_it_still_counts_after_a_fix(tmp_path: Path) -> None:
    looked = lint_files([str(put(tmp_path, f"DB_PASSWORD={GOOD}\nBIND=127.0.0.1\n"))])
    path = str(tmp_path / "compose.yaml")
    assert not relint(looked, {path: COMPOSE + "# changed\n"}).linted.findings


def test_a_link_to_another_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("DB_PASSWORD=postgres\n")
    home = tmp_path / "project"
    home.mkdir()
    (home / "compose.yaml").write_text(COMPOSE)
    (home / ".env").symlink_to(tmp_path / "elsewhere")
    assert "LG-CONTAINERS-001" not in rules(home)


# ---- files that a service names


SERVICE = """\
services:
  archive:
    image: orthancteam/orthanc
    ports: ["8042:8042"]
    env_file: {named}
    environment:
      ORTHANC__NAME: archive
"""
OPEN = "ORTHANC__AUTHENTICATION_ENABLED=false\n"


def named(folder: Path, variables: str, naming: str = "archive.env") -> Path:
    (folder / "compose.yaml").write_text(SERVICE.format(named=naming))
    (folder / "archive.env").write_text(variables)
    return folder


@pytest.mark.parametrize(
    "naming", ["archive.env", "[./archive.env]", "[{path: archive.env, required: true}]"]
)
def test_a_file_that_a_service_names_counts_for_it(tmp_path: Path, naming: str) -> None:
    looked = lint_files([str(named(tmp_path, OPEN, naming))])

    assert {"LG-ORTHANC-001", "LG-COMPOSE-002"} <= {found.rule for found in looked.linted.findings}
    assert looked.linted.unknown == ()


def test_its_own_variables_take_the_place_of_those_in_the_file_also_by_a_fix(tmp_path: Path) -> None:
    looked = lint_files([str(named(tmp_path, OPEN))])
    (found,) = (one for one in looked.linted.findings if one.rule == "LG-ORTHANC-001")
    path = str(tmp_path / "compose.yaml")
    after = edited(SERVICE.format(named="archive.env"), found.edits)

    assert "ORTHANC__AUTHENTICATION_ENABLED" in after
    assert not {"LG-ORTHANC-001", "LG-ORTHANC-004"} & {
        one.rule for one in relint(looked, {path: after}).linted.findings
    }


def test_users_in_it_are_judged_and_a_good_password_is_not_kept(tmp_path: Path) -> None:
    found = rules(named(tmp_path, 'ORTHANC__REGISTERED_USERS={"orthanc": "orthanc"}\n'))
    good = lint_files([str(named(tmp_path, 'ORTHANC__REGISTERED_USERS={"ann": "' + GOOD + '"}\n'))])

    assert "LG-ORTHANC-002" in found
    assert GOOD not in repr(good)
    assert not any(one.rule.startswith("LG-ORTHANC-00") for one in good.linted.findings)


def test_a_file_that_is_not_there_or_lies_outside_may_say_anything(tmp_path: Path) -> None:
    (tmp_path / "outside.env").write_text(OPEN)
    home = tmp_path / "project"
    home.mkdir()
    outside, missing = (rules(named(home, "", name)) for name in ("../outside.env", "nothing.env"))

    assert "LG-ORTHANC-001" not in outside
    assert "LG-ORTHANC-004" in outside
    assert outside == missing
