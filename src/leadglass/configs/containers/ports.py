"""What a compose file publishes: the short and the long form of ``ports``.

https://docs.docker.com/reference/compose-file/services/#ports
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from leadglass.configs.containers.variables import resolved
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Reach
from leadglass.configs.yaml_nodes import Mapping, Node, Scalar, Sequence, text_of

__all__ = ["Published", "published", "reach_of"]

_NUMBERS = r"\d{1,5}(?:-\d{1,5})?"
_SHORT = re.compile(
    rf"(?:(?P<ip>\[[0-9a-fA-F:.]*\]|[^:\[\]]*):)??(?:(?P<outside>{_NUMBERS})?:)?(?P<inside>{_NUMBERS})(?:/(?P<protocol>\w+))?"
)
_BARE_IPV6 = re.compile(
    rf"(?P<ip>[0-9a-fA-F:]*::[0-9a-fA-F:]*):(?P<outside>{_NUMBERS}):(?P<inside>{_NUMBERS})"
)
_ALL = frozenset({"", "*", "0.0.0.0", "::", "0:0:0:0:0:0:0:0"})  # noqa: S104  # compared with
_LAST = 65535
_LONGEST = 256
"""Characters of an entry; a longer one is none."""


@dataclass(frozen=True, slots=True)
class Published:
    """One entry of ``ports``: a port, or a range of them."""

    inside: range
    outside: range | None
    """As long as ``inside``, or longer when one of several is taken; None: any free port, or not known."""
    reach: Reach
    node: Node
    """The entry, a text or a mapping."""
    offset: int
    """Where it stands."""
    protocol: str = "tcp"
    sure: bool = True
    """No variable decides."""

    def at(self, inside: int) -> int | None:
        """The port on the host for one in the container; None: any."""
        if self.outside is None:
            return None
        step = inside - self.inside.start
        return self.outside.start + step if step < len(self.outside) else self.outside.start

    def __str__(self) -> str:
        shown = self.outside or self.inside
        return str(shown.start) if len(shown) == 1 else f"{shown.start}-{shown[-1]}"


def published(node: Node | None, environment: Environment) -> tuple[Published, ...]:
    """What the list ``ports`` of a service publishes. Entries that are none are left out."""
    some = node.items if isinstance(node, Sequence) else ()
    found = (_entry(item, environment) for item in some)
    return tuple(one for one in found if one is not None)


def reach_of(address: str | None) -> Reach:
    """Who reaches a port that is bound to a host's address; None: the address is not known."""
    if address is None:
        return Reach.UNKNOWN
    bare = address.strip().strip("[]").lower()
    if bare in _ALL:
        return Reach.EVERYWHERE
    if bare == "localhost":
        return Reach.LOOPBACK
    try:
        return Reach.LOOPBACK if ipaddress.ip_address(bare).is_loopback else Reach.NAMED
    except ValueError:
        return Reach.UNKNOWN


def _entry(item: Node, environment: Environment) -> Published | None:
    if isinstance(item, Scalar):
        return _short(item, environment)
    return _long(item, environment) if isinstance(item, Mapping) else None


def _short(item: Scalar, environment: Environment) -> Published | None:
    if len(item.value) > _LONGEST:
        return None
    found = resolved(item.value.strip(), environment)
    text = _placed(item.value.strip(), environment) if found.value is None else found.value
    match = _BARE_IPV6.fullmatch(text) or _SHORT.fullmatch(text)
    inside = _range(match["inside"]) if match else None
    if match is None or inside is None:
        return None
    protocol = match.groupdict().get("protocol") or "tcp"
    address = match["ip"]
    reach = Reach.UNKNOWN if address == "?" else reach_of(address or "")
    return Published(
        inside, _range(match["outside"]), reach, item, item.span[0], protocol.lower(), not found.outside
    )


def _placed(text: str, environment: Environment) -> str:
    """An entry of which a variable is not known: that part becomes ``?`` for an address, and nothing for a port."""
    parts = re.split(r":(?![^${]*\})", text)
    known = [resolved(part, environment).value for part in parts]
    if known[-1] is None:
        return ""
    shown = [*("?" if part is None else part for part in known[:-2]), *(part or "" for part in known[-2:])]
    return ":".join(shown)


def _long(item: Mapping, environment: Environment) -> Published | None:
    def said(name: str) -> tuple[str | None, bool]:
        word = text_of(item.get(name))
        found = resolved(word, environment) if word is not None else None
        return (None, True) if found is None else (found.value, not found.outside)

    target, sure = said("target")
    inside = _range(target)
    if inside is None:
        return None
    outside, outside_sure = said("published")
    address = said("host_ip")[0]
    reach = reach_of(address if address is not None or item.get("host_ip") is not None else "")
    protocol = said("protocol")[0] or "tcp"
    return Published(
        inside, _range(outside), reach, item, item.span[0], protocol.lower(), sure and outside_sure
    )


def _range(text: str | None) -> range | None:
    """``80`` or ``80-90``; None when it is neither, or out of bounds."""
    match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", text or "")
    if match is None:
        return None
    first, last = int(match[1]), int(match[2] or match[1])
    return range(first, last + 1) if 0 < first <= last <= _LAST else None
