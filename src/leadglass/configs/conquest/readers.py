"""The readers of this family, the surest first."""

from __future__ import annotations

from leadglass.configs.conquest.destinations import is_map, read_map
from leadglass.configs.conquest.server import read_server
from leadglass.configs.conquest.server_file import is_server
from leadglass.configs.kinds import Reader

__all__ = ["READERS"]

READERS: tuple[Reader, ...] = (
    Reader("conquest", is_server, read_server),
    Reader("conquest-map", is_map, read_map),
)
