"""Pages and pictures by Typst, with the fonts that it brings: the same on every machine. Needs the extra ``pdf``.

It is handed everything as text and reads no file, and its packages, which it would download, are never named.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import typst

from leadglass.errors import LocalProtocolError

__all__ = ["pdf", "png"]

_PICTURE = (
    b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")\n'
)
_DOTS = 144.0
"""Dots an inch: two for each of a screen."""


def pdf(source: str, inputs: Mapping[str, str], moment: int) -> bytes:
    """The PDF of a Typst ``source``, which finds ``inputs`` in ``sys.inputs``; made at ``moment``, POSIX seconds."""
    return _compiled(source.encode(), inputs, "pdf", moment)


def png(svg: str) -> bytes:
    """An SVG drawing as a PNG picture."""
    return _compiled(_PICTURE, {"svg": svg}, "png", 0)


def _compiled(source: bytes, inputs: Mapping[str, str], form: Literal["pdf", "png"], moment: int) -> bytes:
    try:
        return typst.compile(
            source,
            format=form,
            ppi=_DOTS,
            sys_inputs=dict(inputs),
            ignore_system_fonts=True,
            timestamp=moment,
        )
    except typst.TypstError as exc:
        raise LocalProtocolError(f"a page cannot be set ({str(exc).splitlines()[0]})") from exc
