"""The smallest change: edits that go together are made together, and files that were not read are left alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from tests.unit.configs.linting import found

from leadglass.configs.fixing import fixed
from leadglass.configs.lint import Broken, Linted
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source
from leadglass.model.finding import Edit, Finding

BEFORE = '{"a": 1, "b": 1}'
"""Each 1 is found, and closed by a 0."""


def toy(texts: Mapping[str, str]) -> Linted:
    """A lint that finds every 1."""
    findings = [
        found(path, text=text, line=1, option=str(at), edits=(Edit(path, at, at + 1, "0"),))
        for path, text in texts.items()
        for at, char in enumerate(text)
        if char == "1"
    ]
    readings = tuple(Reading("orthanc", Source(path, text)) for path, text in texts.items())
    return Linted(readings=readings, findings=tuple(findings))


def everything(linted: Linted) -> Iterable[Finding]:
    return linted.findings


def test_every_finding_that_is_wanted_is_closed() -> None:
    assert fixed(toy({"a": BEFORE}), everything, toy) == {"a": '{"a": 0, "b": 0}'}


def test_what_is_not_wanted_stays() -> None:
    texts = fixed(toy({"a": BEFORE, "b": BEFORE}), lambda linted: linted.findings[:0], toy)

    assert texts == {}


def test_a_file_that_was_not_read_is_never_changed() -> None:
    before = toy({"a": "2"})
    elsewhere = found("a", text="2", line=1, edits=(Edit("/etc/passwd", 0, 0, "x"), Edit("a", 0, 1, "3")))

    assert fixed(before, lambda _: [elsewhere], toy) == {}


def test_edits_that_overlap_are_made_one_after_the_other() -> None:
    def insertions(texts: Mapping[str, str]) -> Linted:
        text = texts["a"]
        missing = [name for name in ("x", "y", "z") if name not in json.loads(text)]
        findings = [
            found("a", text=text, line=1, option=name, edits=(Edit("a", 1, 1, f'"{name}": 1, '),))
            for name in missing
        ]
        return Linted(readings=(Reading("orthanc", Source("a", text)),), findings=tuple(findings))

    texts = fixed(insertions({"a": '{"w": 0}'}), everything, insertions)

    assert json.loads(texts["a"]) == {"w": 0, "x": 1, "y": 1, "z": 1}


def test_an_edit_that_closes_nothing_is_made_once() -> None:
    def stubborn(texts: Mapping[str, str]) -> Linted:
        text = texts["a"]
        finding = found("a", text=text, line=1, edits=(Edit("a", 0, 0, "#"),))
        return Linted(readings=(Reading("orthanc", Source("a", text)),), findings=(finding,))

    assert fixed(stubborn({"a": "x"}), everything, stubborn) == {"a": "#x"}


def test_two_findings_may_share_an_edit() -> None:
    same = Edit("a", 0, 1, "y")

    def two(texts: Mapping[str, str]) -> Linted:
        readings = (Reading("orthanc", Source("a", texts["a"])),)
        if texts["a"] != "x":
            return Linted(readings=readings)
        findings = tuple(found("a", text="x", line=1, option=o, edits=(same,)) for o in ("one", "two"))
        return Linted(readings=readings, findings=findings)

    assert fixed(two({"a": "x"}), everything, two) == {"a": "y"}


def test_edits_that_break_the_file_together_are_made_one_by_one_as_far_as_they_do_no_harm() -> None:
    def brittle(texts: Mapping[str, str]) -> Linted:
        """Two 0 in a row break the file."""
        return Linted(broken=(Broken("a", "a: broken"),)) if "00" in texts["a"] else toy(texts)

    assert fixed(brittle({"a": "11 1"}), everything, brittle) == {"a": "01 0"}
