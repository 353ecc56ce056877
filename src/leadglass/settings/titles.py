"""Application entity titles: what one may look like.

A blank title is never sent: some archives let it in where they ask others for a name, so sending
one would be a guess. This module says no before anything else can say yes.
"""

from __future__ import annotations

__all__ = ["ae_title"]

_LIMIT = 16
"""Characters in an AE value (PS3.5 table 6.2-1)."""


def ae_title(text: str) -> str:
    """The title without its padding: 1 to 16 characters, PS3.5 6.2 (AE) and PS3.8 9.3.2.

    Leading and trailing spaces are not significant. ``ValueError`` for a title that is blank,
    too long, holds a backslash or a character outside the default repertoire (ISO 646 G0).
    """
    title = text.strip(" ")
    if not title:
        raise ValueError("an AE title may not be blank: a blank title is a guess, and is never sent")
    if len(title) > _LIMIT:
        raise ValueError(f"the AE title {title!r} has {len(title)} characters, {_LIMIT} are allowed")
    for character in title:
        if character == "\\" or not " " <= character <= "~":
            raise ValueError(f"the AE title {title!r} may not hold {character!r}")
    return title
