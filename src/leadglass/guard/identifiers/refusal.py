"""A request that is answered by the guard itself, and the statuses it answers with (PS3.4, PS3.7 annex C)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CANNOT_UNDERSTAND",
    "IDENTIFIER_DOES_NOT_MATCH",
    "INVALID_ATTRIBUTE_VALUE",
    "MISSING_ATTRIBUTE",
    "NOT_AUTHORISED",
    "OUT_OF_RESOURCES",
    "SOP_CLASS_NOT_SUPPORTED",
    "UNABLE_TO_PERFORM",
    "UNABLE_TO_PROCESS",
    "Refused",
]

INVALID_ATTRIBUTE_VALUE = 0x0106
MISSING_ATTRIBUTE = 0x0120
SOP_CLASS_NOT_SUPPORTED = 0x0122
NOT_AUTHORISED = 0x0124
OUT_OF_RESOURCES = 0xA700
UNABLE_TO_PERFORM = 0xA702
"""Sub-operations."""
IDENTIFIER_DOES_NOT_MATCH = 0xA900
"""The identifier, or of C-STORE the data set, does not match the SOP class."""
CANNOT_UNDERSTAND = 0xC000
UNABLE_TO_PROCESS = 0xC001


@dataclass(frozen=True, slots=True)
class Refused:
    """The request goes no further."""

    status: int
    """DIMSE status for the response."""
    reason: str
    """For the log and the Error Comment (0000,0902): at most 64 characters, and nothing a client sent."""
