"""The smallest change that binds what a compose file publishes to the machine itself."""

from __future__ import annotations

import re

from leadglass.configs.containers.ports import Published
from leadglass.configs.containers.variables import resolved
from leadglass.configs.kinds import Environment
from leadglass.configs.source import Source
from leadglass.configs.yaml_edits import added_pair, rewritten
from leadglass.configs.yaml_nodes import Mapping, Scalar
from leadglass.model.finding import Edit

__all__ = ["to_loopback"]

_LOOPBACK = "127.0.0.1"
_COLON = re.compile(r":(?![^${}]*\})")
"""Between the parts of an entry, not within a variable."""


def to_loopback(source: Source, entry: Published, environment: Environment) -> tuple[Edit, ...]:
    """Bind an entry to 127.0.0.1; none where the entry is one variable, which says it all."""
    if isinstance(entry.node, Mapping):
        address = entry.node.get("host_ip")
        if isinstance(address, Scalar):
            return rewritten(source, address, _LOOPBACK)
        return added_pair(source, entry.node, "host_ip", _LOOPBACK)
    if not isinstance(entry.node, Scalar):
        return ()
    text = _bound(entry.node.value.strip(), environment)
    return () if text is None else rewritten(source, entry.node, text)


def _bound(text: str, environment: Environment) -> str | None:
    if text.startswith("["):
        return _LOOPBACK + text.partition("]")[2]
    parts = _COLON.split(text)
    if len(parts) > 3 or any(":" in (resolved(part, environment).value or "") for part in parts):
        return None
    rest = parts[1:] if len(parts) == 3 else parts if len(parts) == 2 else ["", *parts]
    return ":".join((_LOOPBACK, *rest))
