"""What a lint is given: found in order, opened with care, never outside of what was named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leadglass.configs.lint import Broken, Linted
from leadglass.configs.reading import Reading
from leadglass.configs.source import LARGEST, Source
from leadglass.errors import ConfigError, ResourceError
from leadglass.wiring import lint_walk, linting
from leadglass.wiring.lint_fix import write_fixed
from leadglass.wiring.lint_includes import taken_in
from leadglass.wiring.lint_walk import File, find, opened
from leadglass.wiring.linting import lint_files, relint

ARCHIVE = """NetworkTCPPort = 11112
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
{title} /db RW (200, 1024mb) ANY
AETable END
"""


def put(folder: Path, name: str, text: str | bytes = ARCHIVE.format(title="ARCHIVE")) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def paths_of(linted: Linted) -> list[str]:
    return [reading.source.path for reading in linted.readings]


# ---- walking


def test_files_come_in_the_order_of_their_names_and_each_once(tmp_path: Path) -> None:
    for name in ("b/z.cfg", "b/a.cfg", "a.cfg", "c.cfg"):
        put(tmp_path, name)

    found = find([str(tmp_path), str(tmp_path / "c.cfg"), str(tmp_path / "b")])

    assert [os.path.relpath(file.path, tmp_path) for file in found.files] == [
        "a.cfg",
        "c.cfg",
        "b/a.cfg",
        "b/z.cfg",
    ]


def test_a_link_out_of_the_folder_is_not_followed_and_is_told(tmp_path: Path) -> None:
    secret = put(tmp_path, "outside/secret.cfg")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "file.cfg").symlink_to(secret)
    (inside / "folder").symlink_to(secret.parent)

    looked = lint_files([str(inside)])

    assert looked.linted == Linted()
    assert {Path(path).name for path, _ in looked.skipped} == {"file.cfg", "folder"}


def test_a_link_that_is_named_is_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.cfg"
    link.symlink_to(put(tmp_path, "a.cfg"))

    assert paths_of(lint_files([str(link)]).linted) == [str(link)]


def test_a_file_that_became_a_link_after_it_was_found_is_not_followed(tmp_path: Path) -> None:
    link = tmp_path / "link.cfg"
    link.symlink_to(put(tmp_path, "a.cfg"))

    assert isinstance(opened(File(str(link), str(tmp_path), is_named=False)), Broken)


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")

    assert [why for _, why in lint_files([str(tmp_path)]).skipped] == ["no file, not opened"]
    with pytest.raises(ConfigError, match="no file and no folder"):
        lint_files([str(tmp_path / "pipe.json")])


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")

    assert isinstance(opened(File(str(tmp_path / "pipe.json"), str(tmp_path), is_named=False)), Broken)


def test_what_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        find([str(tmp_path / "none.json")])


def test_folders_within_folders_end(tmp_path: Path) -> None:
    put(tmp_path, "/".join(["d"] * 40) + "/a.cfg")

    looked = lint_files([str(tmp_path)])

    assert looked.linted == Linted()
    assert [why for _, why in looked.skipped] == ["more than 32 folders deep"]


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lint_walk, "MOST", 2)
    for name in "abc":
        put(tmp_path, name)

    with pytest.raises(ConfigError, match="more than 2 files"):
        find([str(tmp_path)])


def test_folders_of_other_programs_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, ".git/config.cfg")
    put(tmp_path, "node_modules/x/a.cfg")

    assert find([str(tmp_path)]).files == []


# ---- opening


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", b'{"a": "\xe9"}', b"\xff\xfe\x00\xd8\x00\x00"])
def test_a_configuration_that_is_not_text_is_broken(raw: bytes, tmp_path: Path) -> None:
    (broken,) = lint_files([str(put(tmp_path, "a.json", raw))]).linted.broken

    assert "not text" in broken.why
    assert lint_files([str(tmp_path)]).linted.broken == (broken,)


def test_an_image_in_a_folder_is_of_no_known_kind(tmp_path: Path) -> None:
    path = put(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")

    assert lint_files([str(tmp_path)]).linted == Linted(unknown=(str(path),))


def test_a_page_that_quotes_a_configuration_is_not_broken_unless_it_is_named(tmp_path: Path) -> None:
    path = put(tmp_path, "notes.md", "services:\n  web:\n    image: redis\n  and: [so on\n")

    assert lint_files([str(tmp_path)]).linted.unknown == (str(path),)
    assert len(lint_files([str(path)]).linted.broken) == 1
    for name in ("compose.yml", "front"):
        named = path.rename(tmp_path / name)
        assert len(lint_files([str(tmp_path)]).linted.broken) == 1
        path = named


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with path.open("wb") as stream:
        stream.truncate(LARGEST + 1)

    assert "larger than 10 MiB" in lint_files([str(path)]).linted.broken[0].why
    assert lint_files([str(tmp_path)]).linted.unknown == (str(path),)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_leave_is_broken(tmp_path: Path) -> None:
    path = put(tmp_path, "a.cfg")
    path.chmod(0)

    assert "cannot be read (permission denied)" in lint_files([str(path)]).linted.broken[0].why


def test_a_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    put(tmp_path, os.fsdecode(b"\xff.cfg"))

    assert len(lint_files([str(tmp_path)]).linted.readings) == 1


def test_standard_input_is_a_file_too() -> None:
    looked = lint_files([], ARCHIVE.format(title="A").encode())

    assert paths_of(looked.linted) == ["<stdin>"]
    assert looked.named == {"<stdin>"}
    assert lint_files([], b"\xff").linted.broken[0].path == "<stdin>"


# ---- many


def test_several_processes_say_what_one_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        put(tmp_path, f"{number}.cfg", ARCHIVE.format(title=f"A{number}"))
        put(tmp_path, f"{number}.txt", "nothing")
        put(tmp_path, f"{number}.json", b"\xff")
    alone = lint_files([str(tmp_path)])
    monkeypatch.setattr(linting, "_MANY", 1)
    monkeypatch.setattr(linting, "_CHUNK", 7)

    assert lint_files([str(tmp_path)]) == alone
    assert len(alone.linted.readings) == len(alone.linted.unknown) == len(alone.linted.broken) == 20


def test_all_configurations_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linting, "_LARGEST_TOGETHER", 100)
    put(tmp_path, "a.cfg")

    with pytest.raises(ConfigError, match="lint it in parts"):
        lint_files([str(tmp_path)])


def test_a_changed_text_is_linted_in_the_place_of_the_file(tmp_path: Path) -> None:
    path, other = str(put(tmp_path, "a.cfg")), str(put(tmp_path, "b.cfg"))
    before = lint_files([str(tmp_path)])
    closed = ARCHIVE.format(title="ARCHIVE").replace("ANY", "(CT, ct, 104)")
    again = relint(before, {path: closed})

    assert path in {finding.place.path for finding in before.linted.findings}
    assert {finding.place.path for finding in again.linted.findings} == {other}
    assert next(reading.source.text for reading in again.linted.readings) == closed


# ---- includes


def reading(path: Path, *includes: str) -> Reading:
    return Reading("nginx", Source(str(path), ""), includes=includes)


def test_files_are_taken_in_from_within_the_folder_only(tmp_path: Path) -> None:
    root = tmp_path / "nginx"
    main = put(root, "nginx.conf")
    put(root, "conf.d/a.conf")
    put(root, "conf.d/b.conf")
    put(tmp_path, "outside.conf")
    (root / "conf.d" / "link.conf").symlink_to(tmp_path / "outside.conf")
    given = [File(str(main), str(root), is_named=True)]
    read: list[str] = []

    def read_all(files: list[File]) -> list[Reading]:
        read.extend(file.path for file in files)
        return [reading(Path(file.path)) for file in files]

    names = ("conf.d/*.conf", "../outside.conf", str(tmp_path / "outside.conf"), "gone.conf", "*/*/x.conf")
    taken = taken_in(given, [reading(main, *names)], read_all)  # type: ignore[arg-type]

    assert [os.path.relpath(path, root) for path in read] == ["conf.d/a.conf", "conf.d/b.conf"]
    assert [name for name, _ in taken.missing] == [
        "../outside.conf",
        str(tmp_path / "outside.conf"),
        "gone.conf",
    ]
    assert list(taken.without_loop([])) == []


def test_a_file_that_takes_itself_in_is_told_once(tmp_path: Path) -> None:
    first, second = put(tmp_path, "a.conf"), put(tmp_path, "b.conf")
    given = [File(str(path), str(tmp_path), is_named=False) for path in (first, second)]
    files = [reading(first, "b.conf"), reading(second, "*.conf")]
    (loop,) = taken_in(given, files, lambda _: []).without_loop(files)

    assert isinstance(loop, Broken)

    assert "takes itself in" in loop.why


# ---- writing


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_fixed_file_keeps_mode_encoding_and_line_ends(encoding: str, tmp_path: Path) -> None:
    path = put(tmp_path, "a.cfg", "a = ü\r\n".encode(encoding))
    path.chmod(0o640)
    write_fixed(str(path), "a = ü\r\n", "b = ü\r\n")

    assert path.read_bytes() == "b = ü\r\n".encode(encoding)
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["a.cfg"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_fixed_file_keeps_its_owner(tmp_path: Path) -> None:
    path = put(tmp_path, "a.cfg", "a")
    os.chown(path, 12345, 54321)
    path.chmod(0o4750)
    write_fixed(str(path), "a", "b")

    assert (path.stat().st_uid, path.stat().st_gid, path.stat().st_mode & 0o7777) == (12345, 54321, 0o4750)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    path, link = put(tmp_path, "a.cfg", "a"), tmp_path / "link.cfg"
    link.symlink_to(path)
    write_fixed(str(link), "a", "b")

    assert link.is_symlink()
    assert path.read_text() == "b"


def test_a_file_that_was_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = put(tmp_path, "a.cfg", "somebody's")

    with pytest.raises(ConfigError, match="changed since it was read"):
        write_fixed(str(path), "a", "b")
    assert path.read_text() == "somebody's"


def test_a_file_that_cannot_be_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.cfg", "a")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ResourceError, match="no space left on device"):
        write_fixed(str(path), "a", "b")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["a"]


DEEP = 1 << 17
BOMB = "0: &0 [x]\n" + "".join(f"{i}: &{i} [{', '.join([f'*{i - 1}'] * 9)}]\n" for i in range(1, 9))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "[" * DEEP),
        ("a.json", '{"a":' * DEEP),
        ("a.json", '{"a": '),
        ("a", "[" * DEEP),
        ("a.yml", "[" * DEEP),
        ("a.yaml", "a:\n" + "- " * DEEP),
        ("a.yml", BOMB),
    ],
)
def test_a_named_file_that_cannot_be_read_is_told_and_no_unknown_kind(
    name: str, text: str, tmp_path: Path
) -> None:
    path = put(tmp_path, name, text.encode())
    (broken,) = lint_files([str(path)]).linted.broken

    assert "\n" not in broken.why


def test_what_comes_on_standard_input_and_cannot_be_read_is_told() -> None:
    assert lint_files([], b'{"a":' * DEEP).linted.broken


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"name": "x"}'),
        ("a.json", ""),
        ("a.json", '{{ "a": 1 '),
        ("a.json", '{"a": ${NUMBER} '),
        ("a.yml", "- {% if a %}"),
        ("a.ini", "[PHP]\na = [b\n"),
        ("a.toml", "[[table]]\na = 1\n"),
        ("a.css", "a { b: c }"),
    ],
)
def test_a_named_file_of_something_else_is_of_no_known_kind(name: str, text: str, tmp_path: Path) -> None:
    path = put(tmp_path, name, text.encode())
    assert lint_files([str(path)]).linted.unknown == (str(path),)


def test_a_compose_file_may_extend_its_own_services(tmp_path: Path) -> None:
    text = "services:\n  base:\n    image: postgres\n  db:\n    extends: {file: compose.yml, service: base}\n    ports: ['5432:5432']\n"
    put(tmp_path, "compose.yml", text.encode())
    linted = lint_files([str(tmp_path)]).linted

    assert linted.broken == ()
    assert "LG-COMPOSE-004" in {found.rule for found in linted.findings}
