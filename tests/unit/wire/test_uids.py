"""Unique identifiers: the standard's, ours, and the grammar."""

from __future__ import annotations

import pydicom.uid
import pytest

from leadglass.wire import uids

CONSTANTS = [getattr(uids, name) for name in uids.__all__ if isinstance(getattr(uids, name), str)]


def test_each_name_is_the_one_in_the_standard() -> None:
    assert dict(uids.NAMES) == {uid: pydicom.uid.UID_dictionary[uid][0] for uid in uids.NAMES}


def test_every_constant_has_a_name_but_our_own() -> None:
    ours = {uids.IMPLEMENTATION_CLASS_UID, uids.IMPLEMENTATION_VERSION_NAME}

    assert set(CONSTANTS) - ours == set(uids.NAMES)
    assert len(CONSTANTS) == len(set(CONSTANTS))


def test_we_name_ourselves_as_the_standard_allows() -> None:
    assert uids.is_valid(uids.IMPLEMENTATION_CLASS_UID)
    assert uids.IMPLEMENTATION_CLASS_UID.startswith("2.25.")
    assert int(uids.IMPLEMENTATION_CLASS_UID.removeprefix("2.25.")) < 2**128
    assert 1 <= len(uids.IMPLEMENTATION_VERSION_NAME) <= 16


def test_the_grammar_takes_what_the_standard_uses() -> None:
    taken = [*uids.NAMES, "0.0", "2.999", "1." + "2" * 62]

    assert [uid for uid in taken if not uids.is_valid(uid)] == []


@pytest.mark.parametrize(
    "uid",
    [
        "",
        "1",
        ".",
        "1.",
        ".1",
        "1..2",
        "1.02",
        "01.2",
        "1.2 ",
        "1.2\0",
        "1.2\n",
        "1.a",
        "1.-2",
        "1.٣",
        "1." + "2" * 63,
    ],
)
def test_the_grammar_refuses(uid: str) -> None:
    assert not uids.is_valid(uid)


@pytest.mark.parametrize("path", ["../../etc/passwd", "1.2/../3", "1.2\\3"])
def test_a_path_is_no_uid(path: str) -> None:
    assert not uids.is_valid(path)
