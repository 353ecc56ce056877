"""TLS versions and cipher suites that are retired, in OpenSSL's words, which both fronts use."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["retired", "weak_ciphers"]

_RETIRED = {"sslv2": "SSLv2", "sslv3": "SSLv3", "tlsv1": "TLSv1", "tlsv1.0": "TLSv1", "tlsv1.1": "TLSv1.1"}
"""RFC 8996 and 7568; PS3.15 B.12 follows."""

_WEAK = re.compile(
    r"(?<![a-z])(null|enull|anull|adh|aecdh|exp(ort)?\d*|low|des-cbc3|des-cbc|des|3des|rc4|rc2|md5|idea|seed|all|complementofdefault)(?![a-z])",
    re.IGNORECASE,
)
_LONGEST = 4000


def retired(versions: Iterable[str]) -> tuple[str, ...]:
    """The versions among these that nobody should offer any more."""
    return tuple(dict.fromkeys(_RETIRED[v.lower()] for v in versions if v.lower() in _RETIRED))


def weak_ciphers(text: str) -> tuple[str, ...]:
    """The words of a cipher list by which suites without protection, or with little, are added.

    A word is taken back by another with ``!``; ``ALL`` is weak unless what is without authentication is taken out.
    """
    words = [word for word in re.split(r"[:, ]+", text[:_LONGEST]) if word]
    banned = {word[1:].lower() for word in words if word.startswith(("!", "-"))}
    added = [word.lstrip("+") for word in words if not word.startswith(("!", "-", "@", "+"))]
    return tuple(dict.fromkeys(word for word in added if _is_weak(word, banned)))


def _is_weak(word: str, banned: set[str]) -> bool:
    found = _WEAK.search(word)
    if found is None:
        return False
    name = found[1].lower()
    if name in {"all", "complementofdefault"}:
        return word.lower() == name and not banned & {"anull", "adh"}
    return name not in banned and not _same(name) & banned


def _same(name: str) -> set[str]:
    """Other words for it."""
    groups = ({"3des", "des-cbc3"}, {"anull", "adh", "aecdh"}, {"null", "enull"}, {"exp", "export", "low"})
    return next((group for group in groups if name in group), {name})
