"""The readers of this family, the surest first."""

from __future__ import annotations

import re

from leadglass.configs.dcmtk.archive import read_archive
from leadglass.configs.dcmtk.archive_file import KNOWN
from leadglass.configs.dcmtk.servers import read_script, read_unit
from leadglass.configs.dcmtk.starting import is_script, is_unit
from leadglass.configs.kinds import Reader
from leadglass.configs.source import Source

__all__ = ["READERS"]

_ARCHIVE = re.compile(
    r"^[ \t]*(?:HostTable|VendorTable|AETable)(?:[ \t]+(?:BEGIN|END)\b|:)|^NetworkTCPPort[ \t]*=?[ \t]",
    re.MULTILINE,
)
_FIRST_WORD = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*+[ \t]*([A-Za-z]+)")


def _is_archive(source: Source) -> bool:
    """Whether it has a table, and begins as such a file does: a manual that shows one does not."""
    first = _FIRST_WORD.match(source.text)
    return first is not None and first[1].lower() in KNOWN and _ARCHIVE.search(source.text) is not None


READERS: tuple[Reader, ...] = (
    Reader("dcmqrscp", _is_archive, read_archive),
    Reader("unit", is_unit, read_unit),
    Reader("script", is_script, read_script),
)
