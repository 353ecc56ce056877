"""Counterexamples for the lint as a whole: files that were bent, linted together, reported and fixed."""

from __future__ import annotations

import io
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from tests.source import ROOT

from leadglass.configs.accepting import Weighed
from leadglass.configs.fixing import fixed
from leadglass.configs.lint import Linted, lint
from leadglass.configs.source import Source, decoded, edited
from leadglass.model.verdict import Severity
from leadglass.report.lint_contract import LintReport
from leadglass.report.lint_forms import LintFormat
from leadglass.report.lint_writer import write_lint

FIXTURES = {
    str(path.relative_to(ROOT / "tests" / "fixtures" / "configs")): decoded(path.name, path.read_bytes()).text
    for path in sorted((ROOT / "tests" / "fixtures" / "configs").rglob("*"))
    if path.is_file()
}
MARKS = "{}[]()<>\"'\\:;,=#*&!|$%@-+?\n\r\t\0 \u202e\ufeff0"


@st.composite
def bent(draw: st.DrawFn) -> Source:
    """A fixture with pieces taken out, doubled, moved, or replaced by marks that mean something somewhere."""
    name = draw(st.sampled_from(sorted(FIXTURES)))
    text = FIXTURES[name]
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 60)))
        new = draw(st.one_of(st.text(MARKS, max_size=6), st.text(max_size=6), st.just(text[start:end] * 2)))
        text = text[:start] + new + text[end:]
    return Source(name, text)


def without_doubles(sources: list[Source]) -> list[Source]:
    return list({source.path: source for source in sources}.values())


SOME = st.lists(bent(), min_size=1, max_size=4).map(without_doubles)


@given(SOME)
def test_bent_files_are_read_or_broken_and_every_place_lies_in_its_file(sources: list[Source]) -> None:
    linted = lint(sources)
    lines = {source.path: len(source.text.splitlines()) + 1 for source in sources}

    assert len(linted.readings) + len(linted.unknown) + len({one.path for one in linted.broken}) >= len(
        sources
    )
    for finding in linted.findings:
        assert 1 <= finding.place.line <= lines[finding.place.path]
        assert finding.place.column >= 1
    assert all("\n" not in broken.why for broken in linted.broken)


@given(SOME)
def test_the_order_of_bent_files_does_not_matter(sources: list[Source]) -> None:
    assert lint(sources) == lint(reversed(sources))


@given(SOME)
def test_every_edit_can_be_made_by_itself(sources: list[Source]) -> None:
    texts = {source.path: source.text for source in sources}
    for finding in lint(sources).findings:
        for path in {edit.path for edit in finding.edits}:
            edits = [edit for edit in finding.edits if edit.path == path]
            assert all(0 <= edit.start <= edit.end <= len(texts[path]) for edit in edits)
            edited(texts[path], edits)


@given(SOME)
def test_a_fix_of_bent_files_ends_and_leaves_nothing_that_an_edit_could_close_twice(
    sources: list[Source],
) -> None:
    texts = {source.path: source.text for source in sources}

    def again(changed: Mapping[str, str]) -> Linted:
        return lint(Source(path, text) for path, text in {**texts, **changed}.items())

    before = again({})
    after = again(fixed(before, lambda linted: linted.findings, again))
    fixable = {(one.rule, one.place.path, one.option) for one in before.findings if one.edits}
    assert {one.path for one in after.broken} <= {one.path for one in before.broken}
    assert len(after.findings) <= len(before.findings) + len(fixable)


@given(SOME)
def test_every_report_of_bent_files_is_written(sources: list[Source]) -> None:
    linted = lint(sources)
    report = LintReport(
        linted, Weighed(linted.findings), Severity.MEDIUM, "1.0", named=frozenset(linted.unknown)
    )
    for form in LintFormat:
        stream = io.StringIO()
        write_lint(form, report, stream)
        assert stream.getvalue().endswith("\n")
