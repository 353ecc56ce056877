"""What the DICOM probes propose: titles, contexts, and who we say we are.

A blank title is never sent: it leaves some servers hanging until the caller goes away.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from leadglass.errors import LocalProtocolError
from leadglass.wire.pdu import AAssociateRQ, PresentationContextRQ, UserInformation
from leadglass.wire.uids import (
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    IMPLICIT_VR_LE,
)

__all__ = ["MAXIMUM_LENGTH", "proposal"]

MAXIMUM_LENGTH = 16384
"""Maximum Length Received that we announce, in bytes. We expect commands, not images."""

_TRANSFER_SYNTAXES = (IMPLICIT_VR_LE,)
"""The default transfer syntax, which everybody has to accept (PS3.5 10.1)."""


@lru_cache(maxsize=64)
def proposal(called_ae: str, calling_ae: str, abstract_syntaxes: tuple[str, ...]) -> AAssociateRQ:
    """An A-ASSOCIATE-RQ with one context for each abstract syntax, ids 1, 3, 5 ... in order.

    Made once for many targets: the same titles and services are the same object, encoded once.
    """
    if not called_ae.strip() or not calling_ae.strip():
        raise LocalProtocolError("a blank AE title is never sent")
    return AAssociateRQ(
        called_ae_title=called_ae,
        calling_ae_title=calling_ae,
        presentation_contexts=_contexts(abstract_syntaxes),
        user_information=UserInformation(
            maximum_length=MAXIMUM_LENGTH,
            implementation_class_uid=IMPLEMENTATION_CLASS_UID,
            implementation_version_name=IMPLEMENTATION_VERSION_NAME,
        ),
    )


def _contexts(abstract_syntaxes: Sequence[str]) -> tuple[PresentationContextRQ, ...]:
    return tuple(
        PresentationContextRQ(2 * i + 1, uid, _TRANSFER_SYNTAXES) for i, uid in enumerate(abstract_syntaxes)
    )
