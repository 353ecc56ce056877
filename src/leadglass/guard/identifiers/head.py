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

__all__ = ["HEAD_TAGS", "STOP", "study_from_head"]

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
