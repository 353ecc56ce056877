from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from tests.unit.report.conftest import Render, render
from tests.unit.report.samples import archive, hostile, silent

import leadglass.report
from leadglass.model.verdict import Access, Kind, Severity, State
from leadglass.report.writer import Format

VOID = {"meta", "br"}
REFERRING = {
    "href",
    "src",
    "srcset",
    "action",
    "data",
    "poster",
    "xlink:href",
    "formaction",
    "background",
    "ping",
}


class Page(HTMLParser):
    """A page as a list of elements, checked for balance on the way."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], str]] = []
        self.text: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}, " ".join(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raise AssertionError(f"<{tag}/> means nothing in HTML")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.text.setdefault(self._open[-1], []).append(data)

    def all(self, tag: str) -> Iterator[dict[str, str]]:
        return (attributes for name, attributes, _ in self.elements if name == tag)


@pytest.fixture(scope="module")
def text() -> str:
    return render(Format.HTML)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


# ---- it needs nothing else


def test_nothing_outside_the_file_is_referred_to(page: Page) -> None:
    referred = [
        value for _, attributes, _ in page.elements for name, value in attributes.items() if name in REFERRING
    ]

    assert referred
    assert all(value.startswith("#") for value in referred)


def test_the_style_sheet_loads_nothing(page: Page) -> None:
    (style,) = page.text["style"]

    assert not re.search(r"url\(|@import|image-set|src\(|//", style)


def test_there_is_no_script_and_no_handler(page: Page) -> None:
    tags = {tag for tag, _, _ in page.elements}
    attributes = {name for _, attributes, _ in page.elements for name in attributes}

    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "img", "audio", "video"}
    assert not {name for name in attributes if name.startswith("on") or name == "style"}


def test_the_policy_allows_only_the_style_sheet_that_is_there(page: Page) -> None:
    (policy,) = (
        meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"
    )
    (style,) = page.text["style"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_references_lead_somewhere(page: Page) -> None:
    ids = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    wanted = {attributes["href"][1:] for _, attributes, _ in page.elements if "href" in attributes}
    wanted |= {a["aria-labelledby"] for _, a, _ in page.elements if "aria-labelledby" in a}

    assert len(ids) == len(set(ids))
    assert wanted <= set(ids)


# ---- everybody can read it


def test_the_page_says_its_language_and_has_one_title(page: Page) -> None:
    assert [html.get("lang") for html in page.all("html")] == ["en"]
    assert len(page.text["title"]) >= 1
    assert len(list(page.all("h1"))) == 1


def test_headings_skip_no_level(page: Page) -> None:
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]

    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_every_table_has_a_caption_and_scoped_headings(page: Page) -> None:
    tables = [tag for tag, _, _ in page.elements if tag in {"table", "caption"}]

    assert tables == ["table", "caption"] * (len(tables) // 2)
    assert all(heading.get("scope") in {"col", "row"} for heading in page.all("th"))


def test_every_picture_has_words_or_is_hidden_from_those_who_listen(page: Page) -> None:
    outer = [a for tag, a, around in page.elements if tag == "svg" and "svg" not in around.split()]

    assert all(a.get("aria-hidden") == "true" or (a.get("role") == "img" and a["aria-label"]) for a in outer)


def test_severity_is_never_told_by_colour_alone(page: Page) -> None:
    """Wherever a colour stands, a word stands beside it, in the text or in its title."""
    coloured = [
        (tag, around) for tag, a, around in page.elements if set(a.get("class", "").split()) & set(Severity)
    ]
    shapes = [a for a in page.all("use") if a["href"].startswith("#sev-")]

    assert coloured
    assert all(tag == "rect" or "span" in around or tag == "svg" for tag, around in coloured)
    assert len(shapes) >= len([tag for tag, _ in coloured if tag == "svg"])
    assert len(page.text["title"]) == 1 + len([1 for tag, _ in coloured if tag == "rect"]) + len(
        [1 for tag, a, _ in page.elements if tag == "svg" and "shape" in a.get("class", "")]
    )


CSS = (Path(leadglass.report.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")


def palettes() -> Iterator[dict[str, str]]:
    """The colours of each scheme: light, dark, paper."""
    found = [
        dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{([^}]*)\}", CSS)
    ]
    return (palette for palette in found if palette)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


PALETTES = [
    pytest.param(palette, id=name)
    for name, palette in zip(("light", "dark", "print"), palettes(), strict=True)
]


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("text", ["ink", "soft", "glass"])
@pytest.mark.parametrize("behind", ["page", "paper", "wash"])
def test_text_stands_out_from_what_is_behind_it(palette: dict[str, str], text: str, behind: str) -> None:
    assert contrast(palette[text], palette[behind]) >= 4.5


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("severity", Severity)
def test_shapes_stand_out_from_the_paper(palette: dict[str, str], severity: Severity) -> None:
    assert contrast(palette[f"{severity}-edge"], palette["paper"]) >= 3


@pytest.mark.parametrize("palette", PALETTES)
def test_severities_differ_in_lightness_for_those_who_see_no_hue(palette: dict[str, str]) -> None:
    distances = [contrast(palette[severity], palette["paper"]) for severity in Severity]

    assert distances == sorted(distances, reverse=True)
    assert all(worse / milder >= 1.15 for worse, milder in pairwise(distances))


@pytest.mark.parametrize("label", ["red", "amber", "green", "clear"])
def test_a_tlp_label_stands_out_from_its_black_ground(label: str) -> None:
    light = next(palettes())

    assert light["tlp"] == "#000000"
    assert contrast(light[f"tlp-{label}"], light["tlp"]) >= 4.5


def test_every_colour_is_a_name_of_the_palette() -> None:
    rules = re.sub(r":root \{[^}]*\}", "", CSS)

    assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?!-)|rgb|hsl", rules)


def test_it_is_made_for_the_dark_and_for_paper() -> None:
    assert "@media (prefers-color-scheme: dark)" in CSS
    assert "@media print" in CSS


# ---- it says what there is to say


@pytest.mark.parametrize("word", [*Access, *Severity, *State, *Kind])
def test_every_word_is_explained(word: str, page: Page) -> None:
    assert word in {said.strip() for said in (*page.text["th"], *page.text["span"])}


def test_hostile_text_is_shown_and_not_obeyed(text: str) -> None:
    assert "&lt;script&gt;alert(" in text
    assert "\\x1b[31mred" in text
    assert "\\u202egnp.exe" in text
    assert "{{ 7 * 7 }} {% raw %}" in text
    assert not set(map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x2028, 0x202E])) & set(text)


def test_each_endpoint_has_its_evidence_folded_away(page: Page) -> None:
    assert len([said for said in page.text["summary"] if said.startswith("Evidence: ")]) == 13


def test_the_scope_and_its_leave_are_named(text: str) -> None:
    for said in (
        "Example Radiology, external addresses",
        "owner",
        "Dr. Müller, head of practice",
        "change 4711",
    ):
        assert said in text


def test_where_it_was_seen_from_and_what_that_cannot_say(text: str) -> None:
    assert "Seen from outside the owner&#39;s network." in text
    assert "Nothing here says that a server cannot be reached from elsewhere." in text


def test_what_was_not_looked_at_is_said(text: str) -> None:
    for said in (
        "excluded by the scope (life support network)",
        "may be asked no deeper than negotiate",
        "filtered",
    ):
        assert said in text


def test_an_interruption_is_said_at_the_top(render: Render) -> None:
    assert render(Format.HTML, finished=False).index("The scan was interrupted.") < render(
        Format.HTML, finished=False
    ).index("Overview")


@pytest.mark.parametrize("records", [(), silent(), silent()[:1], archive()[:1], (hostile(),)], ids=len)
def test_any_scan_makes_a_whole_page(records: tuple[object, ...], render: Render) -> None:
    page = Page(render(Format.HTML, records))

    assert len(list(page.all("main"))) == 1
