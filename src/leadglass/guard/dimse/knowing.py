"""What the archive tells of studies when the guard itself asks, as ``guard.studies`` wants to know it."""

from __future__ import annotations

from collections.abc import Callable

from leadglass.guard.dimse.asking import SYNTAX_UID, Asker
from leadglass.guard.identifiers.attributes import lacking, with_series
from leadglass.guard.identifiers.questions import (
    Membership,
    ask_all_series,
    ask_instance,
    ask_patient_studies,
    ask_series,
    ask_study,
    membership_from,
    study_from,
)
from leadglass.model.access import Study
from leadglass.wire.elements import Syntax, syntax_of

__all__ = ["Knowing"]

_TOLD_BY_SERIES = frozenset({"modalities", "institution", "referring_physician", "performing_physicians"})


class Knowing:
    """Asks about studies; ``needed`` names the attributes that policies read now."""

    def __init__(self, asker: Asker, needed: Callable[[], frozenset[str]]) -> None:
        self._asker = asker
        self._needed = needed
        syntax = syntax_of(SYNTAX_UID)
        assert syntax is not None
        self._syntax: Syntax = syntax

    async def study(self, uid: str) -> Study | None:
        """The study, with what its series tell where it tells nothing itself; None if there is none."""
        needed = self._needed() | {"patient_id"}
        matches = await self._asker.find(ask_study(uid, needed, self._syntax))
        found = [study for match in matches if (study := study_from(match, self._syntax)) is not None]
        if len(found) != 1 or found[0].study_instance_uid != uid:
            return None  # two answers for one UID cannot be told apart: neither is believed
        return await self._completed(found[0], needed)

    async def of_patient(self, patient_id: str, charset: bytes) -> list[Study]:
        """The patient's studies, with the same."""
        needed = self._needed() | {"patient_id"}
        matches = await self._asker.find(ask_patient_studies(patient_id, needed, self._syntax, charset))
        found = [study for match in matches if (study := study_from(match, self._syntax)) is not None]
        return [await self._completed(study, needed) for study in found]

    async def _completed(self, study: Study, needed: frozenset[str]) -> Study:
        if not lacking(study, needed & _TOLD_BY_SERIES):
            return study
        series = await self._asker.find(ask_all_series(study.study_instance_uid, needed, self._syntax))
        return with_series(study, [s for match in series if (s := study_from(match, self._syntax))])

    async def contains(self, study: str, series: str, instance: str) -> bool:
        """Whether the archive says that the series, and the instance unless empty, is the study's."""
        question = (
            ask_instance(instance, series, study, self._syntax)
            if instance
            else ask_series(series, study, self._syntax)
        )
        wanted = Membership(study, series, instance or None)
        matches = await self._asker.find(question)
        found = [membership_from(match, self._syntax) for match in matches]
        return bool(found) and all(_agrees(each, wanted) for each in found)

    async def holder(self, instance: str) -> str | None:
        """The study of an instance; None if the archive names none or several.

        It is asked without the keys above (PS3.4 C.4.1.2.2.1): an archive that does not allow that refuses,
        which is a ``TransportError``.
        """
        matches = await self._asker.find(ask_instance(instance, "", "", self._syntax))
        found = [membership_from(match, self._syntax) for match in matches]
        studies = {each.study for each in found if each.instance == instance}
        return studies.pop() if len(studies) == 1 else None


def _agrees(found: Membership, wanted: Membership) -> bool:
    return (
        found.study == wanted.study
        and found.series == wanted.series
        and (wanted.instance is None or found.instance == wanted.instance)
    )
