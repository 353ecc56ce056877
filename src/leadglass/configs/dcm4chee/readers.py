"""The readers of this family, the surest first."""

from __future__ import annotations

import re

from leadglass.configs.dcm4chee.archive import read_directory, read_export
from leadglass.configs.dcm4chee.export import is_export
from leadglass.configs.dcm4chee.ldif import is_ldif
from leadglass.configs.kinds import Reader
from leadglass.configs.source import Source

__all__ = ["READERS"]

_OURS = re.compile(
    r"\bdicom(?:DeviceName|AETitle|NetworkConnection)\b|\bdcm4che|^userPassword:", re.MULTILINE
)


def _is_directory(source: Source) -> bool:
    return is_ldif(source.text) and _OURS.search(source.text) is not None


READERS: tuple[Reader, ...] = (
    Reader("dcm4chee-ldif", _is_directory, read_directory),
    Reader("dcm4chee-json", is_export, read_export),
)
