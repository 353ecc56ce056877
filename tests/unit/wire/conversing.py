"""Associations brought to every state through their public methods, and what to feed them there."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from leadglass.wire import command, dimse, pdata, pdu, uids
from leadglass.wire.association import Association, Role, State

INFORMATION = pdu.UserInformation(16384, uids.IMPLEMENTATION_CLASS_UID, uids.IMPLEMENTATION_VERSION_NAME)
RQ = pdu.AAssociateRQ(
    "ANY-SCP",
    "LEADGLASS",
    (
        pdu.PresentationContextRQ(1, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),
        pdu.PresentationContextRQ(3, uids.STUDY_ROOT_FIND, (uids.IMPLICIT_VR_LE,)),
    ),
    INFORMATION,
)
AC = pdu.AAssociateAC(
    "ANY-SCP",
    "LEADGLASS",
    (pdu.PresentationContextAC(1, 0, uids.IMPLICIT_VR_LE), pdu.PresentationContextAC(3, 3, None)),
    INFORMATION,
)
RJ = pdu.AAssociateRJ(1, 1, 3)
ECHO = pdata.fragment(1, command.encode_command(dimse.CEchoRQ(1)), None, 0)
RELEASE_RQ, RELEASE_RP = pdu.encode(pdu.AReleaseRQ()), pdu.encode(pdu.AReleaseRP())
ABORT = pdu.encode(pdu.AAbort(0, 0))
RQ_BYTES, AC_BYTES, RJ_BYTES = pdu.encode(RQ), pdu.encode(AC), pdu.encode(RJ)

Deed = Callable[[Association, float], object]

DEEDS: Mapping[str, Deed] = {
    "associate": lambda a, now: a.associate(RQ, now),
    "opened": lambda a, now: a.connection_opened(now),
    "accept": lambda a, now: a.accept(AC, now),
    "reject": lambda a, now: a.reject(RJ, now),
    "send": lambda a, now: a.send(ECHO, now),
    "release": lambda a, now: a.release(now),
    "reply": lambda a, now: a.release_reply(now),
    "abort": lambda a, now: a.abort(0, 0, now),
    "closed": lambda a, now: a.connection_closed(now),
    "RQ": lambda a, now: list(a.receive(RQ_BYTES, now)),
    "AC": lambda a, now: list(a.receive(AC_BYTES, now)),
    "RJ": lambda a, now: list(a.receive(RJ_BYTES, now)),
    "DATA": lambda a, now: list(a.receive(ECHO, now)),
    "RELEASE-RQ": lambda a, now: list(a.receive(RELEASE_RQ, now)),
    "RELEASE-RP": lambda a, now: list(a.receive(RELEASE_RP, now)),
    "ABORT": lambda a, now: list(a.receive(ABORT, now)),
    "GARBAGE": lambda a, now: list(a.receive(b"\xff", now)),
}
"""Everything that can be done to an association, by a name; capitals are what a peer sends."""

PATHS: Mapping[tuple[Role, State], str] = {
    (Role.REQUESTOR, State.STA1): "",
    (Role.REQUESTOR, State.STA4): "associate",
    (Role.REQUESTOR, State.STA5): "associate opened",
    (Role.REQUESTOR, State.STA6): "associate opened AC",
    (Role.REQUESTOR, State.STA7): "associate opened AC release",
    (Role.REQUESTOR, State.STA8): "associate opened AC RELEASE-RQ",
    (Role.REQUESTOR, State.STA9): "associate opened AC release RELEASE-RQ",
    (Role.REQUESTOR, State.STA11): "associate opened AC release RELEASE-RQ reply",
    (Role.REQUESTOR, State.STA13): "associate opened AC RELEASE-RQ reply",
    (Role.ACCEPTOR, State.STA1): "",
    (Role.ACCEPTOR, State.STA2): "opened",
    (Role.ACCEPTOR, State.STA3): "opened RQ",
    (Role.ACCEPTOR, State.STA6): "opened RQ accept",
    (Role.ACCEPTOR, State.STA7): "opened RQ accept release",
    (Role.ACCEPTOR, State.STA8): "opened RQ accept RELEASE-RQ",
    (Role.ACCEPTOR, State.STA10): "opened RQ accept release RELEASE-RQ",
    (Role.ACCEPTOR, State.STA12): "opened RQ accept release RELEASE-RQ RELEASE-RP",
    (Role.ACCEPTOR, State.STA13): "opened RQ reject",
}
"""The shortest way to every state that a role can be in."""


def brought(role: Role, path: str, *, now: float = 100.0) -> Association:
    """An association after the deeds in ``path``, with nothing left to send."""
    association = Association(role, artim=30.0, idle=60.0)
    for deed in path.split():
        DEEDS[deed](association, now)
    association.data_to_send()
    return association
