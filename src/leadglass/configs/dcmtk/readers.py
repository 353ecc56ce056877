"""The readers of this family, the surest first."""

from __future__ import annotations

import re

from leadglass.configs.dcmtk.archive import read_archive
from leadglass.configs.dcmtk.servers import read_script, read_unit
from leadglass.configs.dcmtk.starting import is_script, is_unit
from leadglass.configs.kinds import Reader
from leadglass.configs.source import Source

__all__ = ["READERS"]

_ARCHIVE = re.compile(
    r"^[ \t]*(?:HostTable|VendorTable|AETable)(?:[ \t]+(?:BEGIN|END)\b|:)|^NetworkTCPPort[ \t]*=?[ \t]",
    re.MULTILINE,
)


def _is_archive(source: Source) -> bool:
    return _ARCHIVE.search(source.text) is not None and not source.text.startswith("#!")


READERS: tuple[Reader, ...] = (
    Reader("dcmqrscp", _is_archive, read_archive),
    Reader("unit", is_unit, read_unit),
    Reader("script", is_script, read_script),
)
