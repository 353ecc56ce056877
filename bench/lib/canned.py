"""What is said on the wire, as bytes: by the C client, and by the server to everybody.

Made by Leadglass's own encoders, so that the C client says what Leadglass says.
"""

from __future__ import annotations

from leadglass.probe.proposal import proposal
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRQ, CEchoRSP
from leadglass.wire.pdata import fragment
from leadglass.wire.pdu import (
    AAssociateAC,
    AReleaseRP,
    AReleaseRQ,
    PresentationContextAC,
    UserInformation,
    encode,
)
from leadglass.wire.uids import IMPLICIT_VR_LE, VERIFICATION

__all__ = ["ANSWERS", "QUESTIONS"]

_CONTEXT, _MESSAGE, _MAXIMUM_LENGTH = 1, 1, 16384

QUESTIONS = (
    encode(proposal("ANY-SCP", "LEADGLASS", (VERIFICATION,)))
    + fragment(_CONTEXT, encode_command(CEchoRQ(_MESSAGE)), None, _MAXIMUM_LENGTH)
    + encode(AReleaseRQ())
)
"""A-ASSOCIATE-RQ, P-DATA-TF with a C-ECHO-RQ, A-RELEASE-RQ."""

ANSWERS = (
    encode(
        AAssociateAC(
            "ANY-SCP",
            "LEADGLASS",
            (PresentationContextAC(_CONTEXT, 0, IMPLICIT_VR_LE),),
            UserInformation(
                maximum_length=_MAXIMUM_LENGTH,
                implementation_class_uid="1.2.3",
                implementation_version_name="CANNED",
            ),
        )
    )
    + fragment(_CONTEXT, encode_command(CEchoRSP(_MESSAGE, 0, VERIFICATION)), None, _MAXIMUM_LENGTH)
    + encode(AReleaseRP())
)
"""A-ASSOCIATE-AC, P-DATA-TF with a C-ECHO-RSP, A-RELEASE-RP."""
