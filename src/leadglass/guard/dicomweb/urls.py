"""The archive's own addresses in metadata, made into ours, as the text streams by.

Metadata tell where bulk data are (PS3.18 F.2.6), under the archive's name, which is not reachable, or
not meant to be. Any URL in a JSON string whose path begins as the archive's DICOMweb does is changed.
"""

from __future__ import annotations

import functools
import re

__all__ = ["UrlWriter"]

_LONGEST = 600
"""Bytes before the part of a URL that is kept."""


class UrlWriter:
    """Text in pieces in, the same text with our URLs out."""

    def __init__(self, root: str, public: str) -> None:
        """``root`` is the path of DICOMweb at the archive, ``public`` our URL of it."""
        self._url = _url_below(root)
        self._public = b'"' + public.encode("ascii")
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be told now: all but a URL that may go on."""
        text = self._held + data
        cut = text.rfind(b'"', max(0, len(text) - _LONGEST))
        if cut < 0 or not _may_go_on(text[cut + 1 : cut + 5]):
            cut = len(text)
        self._held = text[cut:]
        return self._change(text[:cut])

    def finish(self) -> bytes:
        """The rest."""
        rest, self._held = self._held, b""
        return self._change(rest)

    def _change(self, text: bytes) -> bytes:
        if b'"http' not in text:
            return text
        return self._url.sub(lambda match: self._public + match[1], text)


@functools.lru_cache(maxsize=4)
def _url_below(root: str) -> re.Pattern[bytes]:
    # JSON may write a slash with a backslash before it.
    slashed = re.escape(root).replace("/", r"\\?/")
    url = rf'"https?:(?:\\?/){{2}}[A-Za-z0-9._:\[\]-]{{1,300}}{slashed}(\\?/(?:studies|series|instances)\b)'
    return re.compile(url.encode("ascii"))


def _may_go_on(start: bytes) -> bool:
    return b"http".startswith(start) or start == b"http"
