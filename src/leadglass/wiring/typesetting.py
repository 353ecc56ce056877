"""Pages and pictures by Typst, with the fonts that it brings: the same on every machine. Needs the extra ``pdf``.

It is handed everything as text and reads no file, and its packages, which it would download, are never named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import typst

from leadglass.errors import LocalProtocolError

__all__ = ["PDFStandard", "families", "pdf", "png", "unset"]

PDFStandard: TypeAlias = Literal["a-2a", "ua-1"]
"""PDF/A-2a: to be kept for long. PDF/UA-1: to be read by everybody. One document may keep to both."""

_PICTURE = (
    b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")\n'
)
_EACH = b"""
#let given = json(bytes(sys.inputs.given))
#set page(width: 40pt, height: 40pt, margin: 0pt)
#set text(font: given.families, size: 20pt)
#for char in given.chars [#char #pagebreak(weak: true)]
"""
"""A page for each character."""
_NOTHING = "\U0010fff0"
"""No font has it."""
_DOTS = 144.0
"""Dots an inch: two for each of a screen."""


def pdf(
    source: str,
    inputs: Mapping[str, str],
    moment: int,
    folder: Path | None = None,
    standards: Sequence[PDFStandard] = (),
) -> bytes:
    """The PDF of a Typst ``source``, which finds ``inputs`` in ``sys.inputs``; made at ``moment``, POSIX seconds.

    ``folder`` holds more fonts; ``standards`` are profiles of PDF that it keeps to.
    """
    return _compiled(source.encode(), inputs, "pdf", moment, _fonts(folder), standards=standards)


def png(svg: str) -> bytes:
    """An SVG drawing as a PNG picture."""
    return _compiled(_PICTURE, {"svg": svg}, "png", 0, _fonts(None))


def families(folder: Path | None) -> tuple[str, ...]:
    """The fonts that ``folder`` and all in it add to Typst's own."""
    own = set(_fonts(None).families())
    return tuple(name for name in _fonts(folder).families() if name not in own)


def unset(characters: str, folder: Path | None) -> str:
    """Those of ``characters`` for which neither Typst's fonts nor those in ``folder`` have a picture."""
    chars = [_NOTHING, _NOTHING, *(char for char in characters if char.isprintable() and not char.isspace())]
    given = json.dumps({"chars": chars, "families": ["Libertinus Serif", *families(folder)]})
    fonts = _fonts(folder)
    pages = typst.compile(
        _EACH, format="svg", sys_inputs={"given": given}, font_paths=fonts, ignore_system_fonts=True
    )
    assert isinstance(pages, list)  # there are two of them at least
    return "".join(char for char, page in zip(chars[2:], pages[2:], strict=True) if page == pages[0])


def _fonts(folder: Path | None) -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, font_paths=[] if folder is None else [str(folder)])


def _compiled(
    source: bytes,
    inputs: Mapping[str, str],
    form: Literal["pdf", "png"],
    moment: int,
    fonts: typst.Fonts,
    *,
    standards: Sequence[PDFStandard] = (),
) -> bytes:
    try:
        return typst.compile(
            source,
            format=form,
            ppi=_DOTS,
            sys_inputs=dict(inputs),
            font_paths=fonts,
            ignore_system_fonts=True,
            timestamp=moment,
            pdf_standards=list(standards),
        )
    except typst.TypstError as exc:
        raise LocalProtocolError(f"a page cannot be set ({str(exc).splitlines()[0]})") from exc
