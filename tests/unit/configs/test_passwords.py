"""How good a password is, by what stands in the file alone."""

from __future__ import annotations

import pytest

from leadglass.configs.passwords import GUESSABLE, quality, worst
from leadglass.configs.reading import Login


@pytest.mark.parametrize(
    ("user", "password", "login"),
    [
        ("orthanc", "orthanc", Login.DEFAULT),
        ("Orthanc", "ORTHANC", Login.DEFAULT),
        ("minioadmin", "minioadmin", Login.DEFAULT),
        ("pacs", "pacs", Login.DEFAULT),
        ("vip", "Set_a_strong_password_here", Login.PLACEHOLDER),
        ("admin", "change-me", Login.PLACEHOLDER),
        ("admin", "changeit", Login.PLACEHOLDER),
        ("admin", "YOUR_DB_PASSWORD", Login.PLACEHOLDER),
        ("admin", "<password>", Login.PLACEHOLDER),
        ("admin", "xxxxxxxx", Login.PLACEHOLDER),
        ("admin", "", Login.WEAK),
        ("admin", "123456", Login.WEAK),
        ("admin", "20240101", Login.WEAK),
        ("admin", "password", Login.WEAK),
        ("admin", "P@ssw0rd2024!", Login.WEAK),
        ("admin", "orthanc123", Login.WEAK),
        ("admin", "OrthancAdmin2024!", Login.WEAK),
        ("marie", "Marie1980", Login.WEAK),
        ("admin", "aaaaaaaaaaaaaaa", Login.WEAK),
        ("admin", "qwertyuiop", Login.WEAK),
        ("admin", "kV9#mQ2x!rTz", Login.PUBLISHED),
        ("admin", "correct horse battery staple", Login.PUBLISHED),
        ("admin", "d41d8cd98f00b204e9800998", Login.PUBLISHED),
        ("admin", "<redacted>", Login.PUBLISHED),
        ("admin", "********", Login.PUBLISHED),
        ("admin", "${PACS_PASSWORD}", Login.EXTERNAL),
        ("admin", "${PACS_PASSWORD:?set it}", Login.EXTERNAL),
        ("admin", "$PACS_PASSWORD", Login.EXTERNAL),
        ("admin", "{{ .Values.password }}", Login.EXTERNAL),
        ("admin", "%orthanc_http_password%", Login.EXTERNAL),
        ("admin", "@PACS_PASSWORD@", Login.EXTERNAL),
        ("admin", "fakepassword", Login.WEAK),
        ("postgres", "pgpassword", Login.WEAK),
        ("orthanc", "${PACS_PASSWORD:-orthanc}", Login.DEFAULT),
        ("admin", "${PACS_PASSWORD:-kV9#mQ2x!rTz}", Login.PUBLISHED),
    ],
)
def test_a_password_is_judged_by_the_worst_that_is_true_of_it(user: str, password: str, login: Login) -> None:
    assert quality(password, user) is login


def test_a_very_long_password_costs_no_more_than_a_long_one() -> None:
    assert quality("kV9#mQ2x!rTz" * 1_000_000) is Login.PUBLISHED


def test_of_several_the_easiest_counts() -> None:
    assert worst(Login.EXTERNAL, Login.WEAK, Login.PUBLISHED) is Login.WEAK


def test_what_stands_well_made_in_a_file_is_not_guessable() -> None:
    assert Login.PUBLISHED not in GUESSABLE
    assert Login.PLACEHOLDER in GUESSABLE
