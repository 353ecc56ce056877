"""The spool on an ordinary disk: what is written is there, whatever happened to its writer."""

from __future__ import annotations

import os
import shutil
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from tests.unit.store.spools import NOW, WRITER, behind, bodies, opened, verified, written

from leadglass.errors import ConfigError, ResourceError
from leadglass.ledger.chain import read_entry
from leadglass.ledger.verify import Break, Broken, Verified, verify
from leadglass.store.spool import open_spool
from leadglass.store.spooled import (
    START,
    anchors_of,
    files_of,
    keep_anchors,
    keep_position,
    lines_of,
    unfinished,
    writers_of,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


# ---- writing


def test_what_is_appended_is_there_at_once(folder: Path) -> None:
    with opened(folder) as spool:
        spool.append({"what": "Zoë"})

        (line,) = lines_of(files_of(WRITER, folder))
        entry = read_entry(line)
        assert entry is not None
        assert (entry.n, entry.at, entry.body) == (1, "2026-11-21T05:00:00.000120Z", {"what": "Zoë"})


def test_everything_is_for_its_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        written(folder, 3)
        keep_position(folder, WRITER, START)
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert len(modes) == 5
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_root_leaves_belongs_to_the_owner_of_the_folder(folder: Path) -> None:
    folder.mkdir()
    os.chown(folder, 12_345, 23_456)

    written(folder, 3)
    keep_position(folder, WRITER, START)

    owners = {(path.stat().st_uid, path.stat().st_gid) for path in folder.iterdir()}
    assert owners == {(12_345, 23_456)}


def test_the_chain_goes_on_from_file_to_file(folder: Path) -> None:
    written(folder, 30, rotate_at=1000)

    files = files_of(WRITER, folder)
    assert len(files) > 3
    assert files[0].name == "spool-worker-0-000000000001.jsonl"
    assert bodies(folder) == [{"i": i} for i in range(30)]
    assert isinstance(verified(folder), Verified)


def test_each_file_that_was_closed_has_an_anchor(folder: Path) -> None:
    written(folder, 30, rotate_at=1000)

    files = files_of(WRITER, folder)
    ends = [read_entry(path.read_bytes().splitlines(keepends=True)[-1]) for path in files]
    assert list(anchors_of(folder, WRITER)) == [entry.head for entry in ends if entry]
    files_of(WRITER, folder)[-1].unlink()
    found = verified(folder)
    assert isinstance(found, Broken)
    assert found.what is Break.CUT


def test_the_chain_goes_on_from_one_start_to_the_next(folder: Path) -> None:
    written(folder, 3)
    written(folder, 3)

    assert len(files_of(WRITER, folder)) == 1
    assert len(bodies(folder)) == 6
    assert verified(folder) == Verified(opened(folder).head)


def test_writers_do_not_share_a_chain(folder: Path) -> None:
    written(folder, 2)
    with open_spool(folder, "worker-1", lambda: NOW, reserve=0) as other:
        other.append({"i": 9})

        assert other.head.n == 1
    assert writers_of(folder) == ["worker-0", "worker-1"]
    assert len(bodies(folder)) == 2


def test_a_chain_has_one_writer(folder: Path) -> None:
    with opened(folder), pytest.raises(ResourceError, match="another process"):
        opened(folder)
    opened(folder).close()


@pytest.mark.parametrize("writer", ["", "../x", "a b", "A", "-a", "a--b", "a" * 65])
def test_a_writer_has_a_name_that_can_stand_in_a_file_name(folder: Path, writer: str) -> None:
    with pytest.raises(ConfigError):
        open_spool(folder, writer, lambda: NOW)

    assert not folder.exists()


def test_sync_has_something_to_do_only_after_something_was_written(folder: Path) -> None:
    with opened(folder) as spool:
        assert not spool.is_dirty
        spool.append({})
        assert spool.is_dirty
        spool.sync()
        assert not spool.is_dirty


# ---- what cannot be written


def test_a_folder_that_has_gone_is_an_error_and_nothing_is_written(folder: Path) -> None:
    with opened(folder) as spool:
        spool.append({})
        shutil.rmtree(folder)

        for _ in range(2):
            with pytest.raises(ResourceError, match="cannot be written"):
                spool.append({}, reserved=True)

        assert spool.head.n == 1


def test_a_file_that_was_deleted_is_noted_and_missed(folder: Path) -> None:
    with opened(folder) as spool:
        spool.append({"i": 0})
        files_of(WRITER, folder)[0].unlink()
        spool.append({"i": 1})
        spool.append({"i": 2})

    assert {"note": "file-lost", "last": 1} in bodies(folder)
    assert verified(folder) == Broken(1, Break.DELETED, "entry 1 is missing")


def test_a_place_where_nothing_can_be_made_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="cannot be kept here"):
        opened(tmp_path / "file" / "audit")


def test_a_link_is_not_followed(folder: Path) -> None:
    folder.mkdir()
    (folder / "spool-worker-0.lock").symlink_to(folder / "elsewhere")

    with pytest.raises(ConfigError):
        opened(folder)

    assert not (folder / "elsewhere").exists()


# ---- taken up again


def test_a_torn_line_is_cut_off_and_kept_in_a_note(folder: Path) -> None:
    torn = b'{"at":"2026-11-21T05:00:00.000120Z","bo'
    written(folder, 3)
    path = files_of(WRITER, folder)[0]
    with path.open("ab") as stream:
        stream.write(torn)
    assert unfinished([path]) == 39

    written(folder, 1)

    assert bodies(folder)[3:] == [
        {
            "note": "cut",
            "octets": 39,
            "sha256": sha256(torn).hexdigest(),
            "text": torn.decode(),
        },
        {"i": 0},
    ]
    assert isinstance(verified(folder), Verified)
    assert unfinished([path]) == 0


def test_damaged_lines_at_the_end_are_cut_off_and_kept_in_a_note(folder: Path) -> None:
    written(folder, 3)
    path = files_of(WRITER, folder)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"i":1', b'"i":7') + b"\xff\0\n")

    written(folder, 1)

    first, cut, lost, last = bodies(folder)
    assert (first, last) == ({"i": 0}, {"i": 0})
    assert '"i":7' in cut["text"]
    # They had been whole once: the anchor that was kept when the file was closed says so.
    assert lost == {"note": "lost", "first": 2, "last": 3}
    assert verified(folder) == Broken(2, Break.DELETED, "entries 2 to 3 are missing")


def test_what_is_too_long_for_a_note_is_kept_beside(folder: Path) -> None:
    written(folder, 1)
    with files_of(WRITER, folder)[0].open("ab") as stream:
        stream.write(b"x" * 10_000)

    written(folder, 1)

    (aside,) = folder.glob("cut-*")
    assert aside.read_bytes() == b"x" * 10_000
    assert bodies(folder)[1]["octets"] == 10_000
    assert isinstance(verified(folder), Verified)


def test_a_file_without_a_whole_line_is_taken_up_with_the_chain_of_the_one_before(folder: Path) -> None:
    written(folder, 12, rotate_at=1000)
    files = files_of(WRITER, folder)
    files[-1].write_bytes(b'{"at"')
    keep_anchors(folder, WRITER, anchors_of(folder, WRITER)[:-1])  # it was not closed

    with opened(folder, rotate_at=1000) as spool:
        spool.append({"i": "again"})

    assert [body for body in bodies(folder) if body == {"i": "again"} or "note" in body][-1] == {"i": "again"}
    found = verify(lines_of(files_of(WRITER, folder)))
    assert isinstance(found, Verified)


def test_an_empty_file_is_used(folder: Path) -> None:
    folder.mkdir()
    (folder / "spool-worker-0-000000000001.jsonl").touch(0o600)

    written(folder, 2)

    assert len(files_of(WRITER, folder)) == 1
    assert isinstance(verified(folder), Verified)


def test_what_the_collector_has_is_not_numbered_again(folder: Path) -> None:
    written(folder, 5)
    *_, (_, position) = behind(folder)
    keep_position(folder, WRITER, position)
    path = files_of(WRITER, folder)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))

    written(folder, 1)

    assert bodies(folder)[3:] == [{"note": "lost", "first": 4, "last": 5}, {"i": 0}]
    assert [entry.n for entry, _ in behind(folder, position) if entry] == [6, 7]
    assert verified(folder) == Broken(4, Break.DELETED, "entries 4 to 5 are missing")


# ---- the reserve


def test_the_reserve_is_there_before_it_is_needed(folder: Path) -> None:
    with opened(folder) as spool:
        assert spool.has_reserve

    reserve = folder / "reserve-worker-0"
    assert reserve.stat().st_size == 1 << 16
    assert reserve.stat().st_blocks * 512 >= 1 << 16


def test_a_reserve_of_another_size_is_made_anew(folder: Path) -> None:
    opened(folder).close()
    opened(folder, reserve=1 << 15).close()

    assert (folder / "reserve-worker-0").stat().st_size == 1 << 15
