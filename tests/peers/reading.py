"""Somebody who reads studies through a guard, with pynetdicom: queries, retrieves, who they say they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation, UserIdentityNegotiation
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    MRImageStorage,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
    UltrasoundImageStorage,
    Verification,
)
from tests.peers.guarded import Guard
from tests.peers.taking_turns import take_turns

__all__ = ["Reader", "Reading", "by_name", "by_passcode"]

_STORAGE = (CTImageStorage, MRImageStorage, ComputedRadiographyImageStorage, UltrasoundImageStorage)
_SERVICES = (
    Verification,
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    PatientRootQueryRetrieveInformationModelMove,
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)
_PENDING = (0xFF00, 0xFF01)
_KEYS = {
    "PATIENT": "PatientID",
    "STUDY": "StudyInstanceUID",
    "SERIES": "SeriesInstanceUID",
    "IMAGE": "SOPInstanceUID",
}


def by_name(name: str) -> UserIdentityNegotiation:
    """User identity type 1 (PS3.7 D.3.3.7)."""
    item = UserIdentityNegotiation()
    item.user_identity_type = 1
    item.primary_field = name.encode()
    item.positive_response_requested = True
    return item


def by_passcode(name: str, passcode: str) -> UserIdentityNegotiation:
    """Type 2."""
    item = by_name(name)
    item.user_identity_type = 2
    item.secondary_field = passcode.encode()
    return item


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: through what is enrolled, and as which person."""

    device: str
    title: str
    person: UserIdentityNegotiation | None = None
    tls: bool = True

    @contextlib.contextmanager
    def at(self, guard: Guard, called: str) -> Iterator[Reading]:
        """An association through ``guard``."""
        ae = AE(ae_title=self.title)
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 20
        for uid in (*_SERVICES, *_STORAGE):
            ae.add_requested_context(uid)
        came: list[str] = []
        association = ae.associate(
            guard.host,
            guard.ports["dicom" if self.tls else "plain"],
            ae_title=called,
            ext_neg=[*map(_taken, _STORAGE), *([self.person] if self.person else [])],
            evt_handlers=[(evt.EVT_C_STORE, _keep, [came])],
            tls_args=(guard.context(self.device), guard.host) if self.tls else None,
        )
        assert association.is_established, "the guard let nobody in"
        take_turns(association)
        try:
            yield Reading(association, came)
        finally:
            association.release()
            ae.shutdown()


def _taken(uid: str) -> SCP_SCU_RoleSelectionNegotiation:
    role = SCP_SCU_RoleSelectionNegotiation()
    role.sop_class_uid = uid
    role.scu_role, role.scp_role = False, True
    return role


def _keep(event: Any, came: list[str]) -> int:
    came.append(str(event.request.AffectedSOPInstanceUID))
    return 0


@dataclass(frozen=True, slots=True)
class Reading:
    """An association that stands."""

    association: Association
    _came: list[str]

    def accepts(self, abstract_syntax: str) -> bool:
        """Whether a context for it was accepted."""
        return any(
            context.abstract_syntax == abstract_syntax for context in self.association.accepted_contexts
        )

    def echo(self) -> int | None:
        """The status of a C-ECHO."""
        return _status(self.association.send_c_echo())

    def find(
        self, level: str, *, root: str = "S", **keys: str | Sequence[str]
    ) -> tuple[set[str], int | None]:
        """Unique keys of the matches at ``level``, and the final status."""
        model = (
            StudyRootQueryRetrieveInformationModelFind
            if root == "S"
            else PatientRootQueryRetrieveInformationModelFind
        )
        found, last = set(), None
        for status, match in self.association.send_c_find(_identifier(level, keys), model):
            last = _status(status)
            if last in _PENDING and match is not None:
                found.add(str(match[_KEYS[level]].value))
        return found, last

    def get(self, level: str, *, root: str = "S", **keys: str | Sequence[str]) -> tuple[set[str], int | None]:
        """SOP Instance UIDs that C-GET brought, and the final status."""
        model = (
            StudyRootQueryRetrieveInformationModelGet
            if root == "S"
            else PatientRootQueryRetrieveInformationModelGet
        )
        self._came.clear()
        last = _last(self.association.send_c_get(_identifier(level, keys), model))
        return set(self._came), last

    def move(
        self, destination: str, level: str, *, root: str = "S", **keys: str | Sequence[str]
    ) -> int | None:
        """The final status of a C-MOVE."""
        model = (
            StudyRootQueryRetrieveInformationModelMove
            if root == "S"
            else PatientRootQueryRetrieveInformationModelMove
        )
        return _last(self.association.send_c_move(_identifier(level, keys), destination, model))


def _identifier(level: str, keys: dict[str, Any]) -> Dataset:
    made = Dataset()
    made.QueryRetrieveLevel = level
    setattr(made, _KEYS[level], "")
    for name, value in keys.items():
        setattr(made, name, list(value) if not isinstance(value, str) else value)
    return made


def _last(responses: Any) -> int | None:
    last = None
    for status, _ in responses:
        last = _status(status)
    return last


def _status(status: Dataset) -> int | None:
    return int(status.Status) if "Status" in status else None
