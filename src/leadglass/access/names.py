"""When two ways of writing a person's name mean the same: PN, PS3.5 6.2.1.

A policy is shown names in this form only, on both sides, so that it can compare them for equality.
It is strict: a title or a middle name more makes another name, because to let
somebody see a stranger's patients is worse than to ask the operator for one more spelling.
"""

from __future__ import annotations

import unicodedata

__all__ = ["physician_key"]


def physician_key(name: str) -> str:
    """The normal form of a person name; "" where the name says nothing, which equals no other name.

    Only the alphabetic component group counts (PS3.5 6.2.1.2: groups are separated by ``=``).
    Components are separated by ``^``; case, padding and trailing empty components do not matter
    (6.2.1.1), nor does how an accent was encoded.
    """
    alphabetic = _caseless(name.partition("=")[0])
    return "^".join(" ".join(part.split()) for part in alphabetic.split("^")).rstrip("^")


def _caseless(text: str) -> str:
    # The Unicode Standard 3.13, D145: canonical caseless matching.
    folded = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", folded)
