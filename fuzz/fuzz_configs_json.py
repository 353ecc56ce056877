# Any text: values with their places, or ConfigError; never another exception, never unbounded memory or time.
"""JSON with comments, and Orthanc's files and folders.

Input: three bytes (which member, what is done to it, and where a folder is cut in two), then the file. A change must
change what it is for and nothing else, and the edits of a finding must close it.
"""

from __future__ import annotations

from pathlib import Path

import atheris

with atheris.instrument_imports(include=["leadglass.configs", "leadglass.errors"]):
    from leadglass.configs.json_nodes import Json, Object, inserted, parse_json, plain, removed, replaced
    from leadglass.configs.orthanc.readers import READERS, merge
    from leadglass.configs.source import Source, decoded, edited

# A script finds its neighbours in its own folder; mypy counts modules from the root.
from harness import run  # type: ignore[import-not-found]

from leadglass.errors import ConfigError

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures" / "configs" / "orthanc"
HEAD = 3
NEW: Json = {"${NEW}": ["\N{REPLACEMENT CHARACTER}", 1]}


def in_one_line(refusal: ConfigError) -> None:
    """What the user reads."""
    assert "\n" not in str(refusal)


def values(text: str) -> Json:
    """The values alone."""
    return plain(parse_json(Source("a.json", text)))


def changed(source: Source, root: Object, which: int, how: int) -> None:
    """One change to one member, when no name comes twice."""
    before = values(source.text)
    if not isinstance(before, dict) or len(before) != len(root.members) or "a new one" in before:
        return
    if how % 3 == 0 or not root.members:
        edit = inserted(source, root, "a new one", NEW, after=next(iter(before), None) if how & 4 else None)
        assert values(edited(source.text, [edit])) == {**before, "a new one": NEW}
        return
    member = root.members[which % len(root.members)]
    left = {name: value for name, value in before.items() if name != member.name}
    if how % 3 == 1:
        assert values(edited(source.text, removed(source, root, member))) == left
    else:
        assert values(edited(source.text, [replaced(source, member.node, NEW)])) == {
            **before,
            member.name: NEW,
        }


def judged(sources: list[Source]) -> None:
    """Read them as one, and make the changes that are proposed one by one."""
    try:
        reading = merge(sources, {"SET": "1", "TOLD": None})
    except ConfigError as exc:
        in_one_line(exc)
        return
    texts = {source.path: source.text for source in sources}
    names = [listener.name for listener in reading.listeners]
    for found in reading.findings:
        assert found.listener in {None, *names}
        assert (found.says + found.option).isprintable()
        for path, text in texts.items():
            values(edited(text, [edit for edit in found.edits if edit.path == path]))


def target(data: bytes) -> None:
    """What the fuzzer calls."""
    if len(data) < HEAD:
        return
    try:
        source = decoded("a.json", data[HEAD:])
        READERS[0].recognises(source)
        root = parse_json(source)
    except ConfigError as exc:
        in_one_line(exc)
        return
    if not isinstance(root, Object):
        return
    # A value that is no number equals not even itself.
    if "nan" not in source.text.lower():
        changed(source, root, data[0], data[1])
    judged(
        [source] if data[2] & 1 else [source, Source("b.json", '{"DicomAet": "B", "RegisteredUsers": {}}')]
    )


def seeds() -> list[bytes]:
    """The fixtures, each change to each."""
    files = sorted(FIXTURES.glob("**/*.json"))
    return [bytes((1, how, how)) + file.read_bytes() for file in files for how in range(6)]


if __name__ == "__main__":
    run(target, seeds())
