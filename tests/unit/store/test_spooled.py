"""Reading a spool while it is written: positions, whole lines, what was moved away."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.spools import WRITER, behind, bodies, opened, written

from leadglass.errors import ConfigError
from leadglass.ledger.chain import GENESIS
from leadglass.ledger.verify import Verified, verify
from leadglass.store.spooled import (
    START,
    anchors_of,
    files_of,
    keep_position,
    lines_of,
    position_of,
    unfinished,
    writers_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def test_a_reader_goes_on_where_it_was(folder: Path) -> None:
    with opened(folder, rotate_at=1000) as spool:
        position, seen = START, []
        for i in range(30):
            spool.append({"i": i})
            if i % 4 == 0:
                found = list(behind(folder, position))
                seen += [entry.body["i"] for entry, _ in found if entry]
                position = found[-1][1]
        seen += [entry.body["i"] for entry, _ in behind(folder, position) if entry]

    assert seen == list(range(30))


def test_a_position_is_kept(folder: Path) -> None:
    assert position_of(folder, WRITER) == START
    written(folder, 3)
    *_, (_, position) = behind(folder)
    keep_position(folder, WRITER, position)

    assert position_of(folder, WRITER) == position
    assert list(behind(folder, position)) == []


def test_a_reader_does_not_see_a_line_that_is_being_written(folder: Path) -> None:
    written(folder, 2)
    path = files_of(WRITER, folder)[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])

    *_, (entry, position) = behind(folder)
    assert entry is not None
    assert entry.n == 1
    path.write_bytes(whole)
    assert [entry.n for entry, _ in behind(folder, position) if entry] == [2]


def test_a_damaged_line_is_told_once_and_passed(folder: Path) -> None:
    written(folder, 3)
    path = files_of(WRITER, folder)[0]
    path.write_bytes(path.read_bytes().replace(b'"i":1', b'"i":8'))

    found = list(behind(folder))

    assert [entry.n if entry else None for entry, _ in found] == [1, None, 3]
    assert [entry.n if entry else None for entry, _ in behind(folder, found[1][1])] == [3]


def test_a_file_that_was_moved_away_is_passed(folder: Path) -> None:
    written(folder, 30, rotate_at=1000)
    files = files_of(WRITER, folder)
    files[0].rename(folder / "archived")

    numbers = [entry.n for entry, _ in behind(folder) if entry]
    assert numbers == list(range(numbers[0], 31))
    assert numbers[0] > 1


def test_files_in_an_archive_belong_to_their_chain(folder: Path, tmp_path: Path) -> None:
    written(folder, 30, rotate_at=1000)
    archive = tmp_path / "archive"
    archive.mkdir()
    for path in files_of(WRITER, folder)[:2]:
        path.rename(archive / path.name)

    files = files_of(WRITER, folder, archive)
    assert [path.parent for path in files[:3]] == [archive, archive, folder]
    assert verify(lines_of(files)) == Verified(anchors_of(folder, WRITER)[-1])


def test_a_room_that_was_taken_beforehand_is_no_entry(folder: Path) -> None:
    written(folder, 2)
    path = files_of(WRITER, folder)[0]
    with path.open("ab") as stream:
        stream.write(bytes(5000))

    assert len(bodies(folder)) == 2
    assert [entry.n for entry, _ in behind(folder) if entry] == [1, 2]
    assert unfinished([path]) == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"n":1}', '{"n":"x","digest":"","file":"","offset":0}', "5"]
)
def test_a_position_that_nobody_wrote_is_an_error(folder: Path, text: str) -> None:
    written(folder, 1)
    (folder / "cursor-worker-0.json").write_text(text)

    with pytest.raises(ConfigError, match="not what the guard wrote"):
        position_of(folder, WRITER)


def test_there_is_nothing_to_read_before_anything_was_written(folder: Path) -> None:
    opened(folder).close()

    assert writers_of(folder) == []
    assert list(behind(folder)) == []
    assert unfinished([]) == 0
    assert opened(folder).head == GENESIS


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        writers_of(tmp_path / "nowhere")
