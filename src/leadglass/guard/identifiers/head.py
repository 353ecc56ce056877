"""The head of a data set that is stored: as much as a policy reads, and as proves what the command set claims.

Whoever reads a C-STORE data set element by element keeps the values of ``HEAD_TAGS`` and stops at
the first tag from ``STOP`` on: in ascending order (PS3.5 7.1) nothing of the head comes after it.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadglass.guard.identifiers import keys
from leadglass.guard.identifiers.attributes import READ, study_from_values
from leadglass.guard.identifiers.encoding import single_uid
from leadglass.guard.identifiers.refusal import CANNOT_UNDERSTAND, IDENTIFIER_DOES_NOT_MATCH, Refused
from leadglass.model.access import Study

__all__ = ["HEAD_TAGS", "STOP", "Heads", "study_from_head"]

HEAD_TAGS = (READ | {keys.SOP_CLASS_UID, keys.SOP_INSTANCE_UID}) - {keys.MODALITIES_IN_STUDY}
"""Tags whose values are kept."""
STOP = max(HEAD_TAGS) + 1
"""The first tag that is no longer of the head."""


def study_from_head(
    found: Mapping[int, bytes], *, sop_class_uid: str, sop_instance_uid: str
) -> Study | Refused:
    """The study that an object says it is of.

    The UIDs are those of the command set: an archive goes by the ones or by the others, so a data set
    that has different ones, or none, is refused. Modality counts as the modalities of the study.
    """
    claimed = (sop_class_uid, sop_instance_uid)
    if claimed != (single_uid(found.get(keys.SOP_CLASS_UID)), single_uid(found.get(keys.SOP_INSTANCE_UID))):
        return Refused(IDENTIFIER_DOES_NOT_MATCH, "the data set is not the object of the command")
    study = study_from_values({tag: found[tag] for tag in HEAD_TAGS & found.keys()})
    return study or Refused(CANNOT_UNDERSTAND, "the data set names no study")


class Heads:
    """Reads the heads of one sender's objects; those of one study differ in their SOP Instance UID alone."""

    def __init__(self) -> None:
        self._last: Mapping[int, bytes] = {}
        self._study: Study | None = None

    def study(
        self, found: Mapping[int, bytes], *, sop_class_uid: str, sop_instance_uid: str
    ) -> Study | Refused:
        """As ``study_from_head``."""
        own = {tag: value for tag, value in found.items() if tag != keys.SOP_INSTANCE_UID}
        if self._study is not None and own == self._last:
            same = single_uid(found.get(keys.SOP_INSTANCE_UID)) == sop_instance_uid
            if same and single_uid(found.get(keys.SOP_CLASS_UID)) == sop_class_uid:
                return self._study
        study = study_from_head(found, sop_class_uid=sop_class_uid, sop_instance_uid=sop_instance_uid)
        if isinstance(study, Study):
            self._last, self._study = own, study
        return study
