"""What was done to a chain, and where: each kind of tampering by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from leadglass.ledger.chain import GENESIS, Chain, Head, read_entry
from leadglass.ledger.verify import Break, Broken, Verified, verify

AT = dt.datetime(2026, 11, 21, 5, 0, tzinfo=dt.UTC)


def made(count: int, head: Head = GENESIS, text: str = "was asked") -> list[bytes]:
    """``count`` entries after ``head``."""
    chain = Chain(head)
    return [chain.append({"what": f"{text} {i}"}, AT) for i in range(count)]


LINES = made(9)


def head(line: bytes) -> Head:
    entry = read_entry(line)
    assert entry is not None
    return entry.head


def fault(lines: Sequence[bytes], *anchors: Head) -> tuple[int, Break]:
    found = verify(lines, *anchors)
    assert isinstance(found, Broken)
    return found.n, found.what


def test_a_whole_chain_is_verified() -> None:
    assert verify(LINES) == Verified(head(LINES[-1]))
    assert verify([]) == Verified(GENESIS)
    assert verify(LINES, head(LINES[3]), head(LINES[-1])) == Verified(head(LINES[-1]))


def test_an_edited_entry_is_told() -> None:
    lines = [*LINES[:4], LINES[4].replace(b"asked", b"asken"), *LINES[5:]]

    assert fault(lines) == (5, Break.EDITED)


def test_an_entry_with_a_digest_made_anew_is_told() -> None:
    lines = [*LINES[:4], *made(1, head(LINES[3]), "was not asked"), *LINES[5:]]

    assert fault(lines) == (5, Break.EDITED)


def test_a_first_entry_that_does_not_begin_a_chain_is_told() -> None:
    assert fault(made(2, Head(0, "ab" * 32))) == (1, Break.EDITED)


def test_a_chain_written_anew_is_told_by_an_anchor_only() -> None:
    anew = made(9, text="was never asked")

    assert verify(anew) == Verified(head(anew[-1]))
    assert fault(anew, head(LINES[6])) == (7, Break.EDITED)


def test_of_anchors_that_contradict_each_other_one_was_forged() -> None:
    anew = made(9, text="was never asked")

    assert fault(anew, head(anew[6]), head(LINES[6])) == (7, Break.EDITED)
    assert fault(LINES, head(LINES[6]), head(anew[6])) == (7, Break.EDITED)


def test_deleted_entries_are_told() -> None:
    assert fault([*LINES[:4], *LINES[5:]]) == (5, Break.DELETED)
    assert fault(LINES[3:]) == (1, Break.DELETED)
    assert verify([*LINES[:4], *LINES[7:]]) == Broken(5, Break.DELETED, "entries 5 to 7 are missing")


def test_an_invented_entry_that_does_not_fit_is_told() -> None:
    for stranger in (*made(1, Head(4, "ab" * 32)), *made(1, Head(700, "ab" * 32)), b"nothing\n"):
        assert fault([*LINES[:4], stranger, *LINES[4:]]) == (5, Break.INSERTED)


def test_an_invented_entry_that_fits_is_told_by_the_true_one() -> None:
    assert fault([*LINES[:4], *made(1, head(LINES[3])), *LINES[4:]]) == (5, Break.INSERTED)


def test_entries_in_another_order_are_told() -> None:
    assert fault([*LINES[:4], LINES[5], LINES[4], *LINES[6:]]) == (6, Break.REORDERED)
    assert fault([*LINES[:2], *LINES[3:7], LINES[2], *LINES[7:]]) == (3, Break.REORDERED)
    assert fault([*LINES[:2], LINES[6], *LINES[2:6], *LINES[7:]]) == (7, Break.REORDERED)


def test_the_last_entry_moved_forward_is_told_by_an_anchor() -> None:
    lines = [*LINES[:2], LINES[8], *LINES[2:8]]

    assert fault(lines, head(LINES[8])) == (9, Break.REORDERED)


def test_entries_twice_are_told() -> None:
    assert fault([*LINES[:5], LINES[4], *LINES[5:]]) == (5, Break.DUPLICATED)
    assert fault([*LINES, LINES[2]]) == (3, Break.DUPLICATED)
    assert fault([*LINES, *made(1, Head(2, "ab" * 32))]) == (3, Break.DUPLICATED)


def test_an_end_that_is_cut_off_is_told_by_an_anchor_only() -> None:
    assert verify(LINES[:7]) == Verified(head(LINES[6]))
    assert verify(LINES[:7], head(LINES[8])) == Broken(8, Break.CUT, "entries 8 to 9 are missing at the end")
    assert fault([], head(LINES[0])) == (1, Break.CUT)


def test_only_the_first_fault_is_told() -> None:
    lines = [*LINES[:2], LINES[2].replace(b"asked", b"ASKED"), *LINES[4:]]

    assert fault(lines) == (3, Break.EDITED)


def test_a_stream_is_not_kept() -> None:
    # A generator can be read once only.
    assert isinstance(verify(line for line in LINES), Verified)
    assert fault([line for line in LINES if line is not LINES[4]]) == (5, Break.DELETED)


@pytest.mark.parametrize("line", [b"", b"\n", b"{" * 100_000, b'{"at":"' * 10_000])
def test_rubbish_is_told_and_takes_no_time(line: bytes) -> None:
    assert fault([LINES[0], line, *LINES[1:]]) == (2, Break.INSERTED)
    assert fault([LINES[0], line, *LINES[2:]]) == (2, Break.EDITED)
