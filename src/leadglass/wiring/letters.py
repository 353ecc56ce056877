"""Sets a notice as a letter. Needs the extra ``pdf``."""

from __future__ import annotations

from pathlib import Path

from leadglass import wiring
from leadglass.errors import ConfigError
from leadglass.notice.as_typst import as_typst, characters
from leadglass.notice.message import Message
from leadglass.wiring import typesetting

__all__ = ["letter"]

_SHOWN = 8
"""Characters without a font that a message names."""


def letter(message: Message, folder: Path | None) -> bytes:
    """The letter as PDF, with the fonts in ``folder`` beside Typst's own.

    ``ConfigError`` if a character in it has no font: it would be printed as an empty box.
    """
    missing = typesetting.unset(characters(message), folder)
    if missing:
        more = "..." if len(missing) > _SHOWN else ""
        raise ConfigError(
            f"no font has {len(missing)} of the letter's characters ({missing[:_SHOWN]}{more})",
            where="--fonts" if folder is None else f"--fonts {folder}",
            then="name a folder with fonts that do, such as Noto CJK or IPA for Japanese",
        )
    source, inputs = as_typst(message, typesetting.families(folder))
    return typesetting.pdf(source, inputs, int(wiring.clock().posix()), folder)
