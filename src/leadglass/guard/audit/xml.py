"""XML as text, from values that anybody may have chosen.

What XML 1.0 cannot hold is left out (production 2, ``Char``), what it would read as markup is escaped,
and every text has a length.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["attributes", "element", "text"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
_PLAIN = re.compile(r"[A-Za-z0-9 .,:;/+=@_^()-]*")


def text(value: str, most: int) -> str:
    """At most ``most`` characters of ``value``, for between tags or quotation marks."""
    cut = value if len(value) <= most else f"{value[: most - 3]}..."
    if _PLAIN.fullmatch(cut):
        return cut
    return _NOT_XML.sub("", cut).translate(_ESCAPES)


def attributes(most: int, **values: str | None) -> str:
    """Attributes in the order given, each after a blank; what is None is left out."""
    return "".join(f' {name}="{text(value, most)}"' for name, value in values.items() if value is not None)


def element(name: str, attributes: str = "", content: Iterable[str] | str = "") -> str:
    """An element; ``content`` is text that was escaped, or elements."""
    inner = content if isinstance(content, str) else "".join(content)
    return f"<{name}{attributes}>{inner}</{name}>" if inner else f"<{name}{attributes}/>"
