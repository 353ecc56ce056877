"""What the guard knows of studies: asked once, kept for a bounded time, bounded in number.

A study that does not exist is remembered as well, so that asking for it takes as long as asking for
one that is hidden.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from leadglass.model.access import Study

__all__ = ["UNKNOWN", "Studies", "Unknown"]

T = TypeVar("T")


class Unknown:
    """Nothing is known: the archive has to be asked."""


UNKNOWN = Unknown()

FindStudy: TypeAlias = Callable[[str], Awaitable[Study | None]]
FindOfPatient: TypeAlias = Callable[[str, bytes], Awaitable[list[Study]]]
Contains: TypeAlias = Callable[[str, str, str], Awaitable[bool]]
Holder: TypeAlias = Callable[[str], Awaitable[str | None]]

_LIFETIME = 60.0
"""Seconds that an answer is believed."""
_MOST = 20_000
_MOST_MEMBERS = 50_000
_MOST_STORED = 20_000
"""Instances whose study is remembered since they were stored."""


class Studies:
    """Attributes of studies by UID, studies of patients, and which series and instances are theirs."""

    def __init__(
        self,
        study: FindStudy,
        of_patient: FindOfPatient,
        contains: Contains,
        holder: Holder,
        now: Callable[[], float],
    ) -> None:
        self._ask_study = study
        self._ask_patient = of_patient
        self._ask_contains = contains
        self._ask_holder = holder
        self._now = now
        self._studies: OrderedDict[str, tuple[float, Study | None]] = OrderedDict()
        self._members: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._stored: OrderedDict[str, Study] = OrderedDict()
        self._latest_stored: Study | None = None
        self._asking: dict[str, asyncio.Task[Study | None]] = {}

    def known(self, uid: str) -> Study | Unknown | None:
        """What is remembered: attributes, None for a study that does not exist, or nothing."""
        held = self._studies.get(uid)
        if held is None or held[0] < self._now():
            return UNKNOWN
        return held[1]

    async def study(self, uid: str) -> Study | None:
        """Its attributes; None if there is no such study. ``TransportError`` if nobody can say."""
        known = self.known(uid)
        if not isinstance(known, Unknown):
            return known
        task = self._asking.get(uid)
        if task is None:
            task = self._asking[uid] = asyncio.ensure_future(self._find(uid))
            task.add_done_callback(lambda done: self._asked(uid, done))
        return await asyncio.shield(task)

    async def present(self, uid: str) -> Study | None:
        """As ``study``, but that there is none is not believed for long: who adds to a study wants to know now."""
        if self.known(uid) is None:
            del self._studies[uid]
        return await self.study(uid)

    async def of_patient(self, patient_id: str, charset: bytes) -> list[Study]:
        """All studies of a patient, asked anew each time; ``charset`` tells how the ID is to be read."""
        found = await self._ask_patient(patient_id, charset)
        for study in found:
            self.learn(study.study_instance_uid, study)
        return found

    async def contains(self, study: str, series: str, instance: str) -> bool:
        """Whether the series (and, unless empty, the instance) is one of the study's."""
        key = (study, series, instance)
        if self._members.get(key, 0.0) >= self._now():
            return True
        if not await self._ask_contains(study, series, instance):
            return False
        _keep(self._members, key, self._now() + _LIFETIME, _MOST_MEMBERS)
        return True

    def stored(self, instance: str) -> Study | None:
        """The study that an instance was stored in, by what the object told, as far as that came by here."""
        return self._stored.get(instance)

    def learn_instance(self, instance: str, study: Study) -> None:
        """An object was stored."""
        latest = self._latest_stored
        self._latest_stored = latest if latest == study else study  # one for all its instances
        _keep(self._stored, instance, self._latest_stored, _MOST_STORED)

    async def of_instance(self, instance: str) -> Study | None:
        """The attributes of its study; None if the archive knows none. ``TransportError`` if nobody can say."""
        stored = self._stored.get(instance)
        uid = await self._ask_holder(instance) if stored is None else stored.study_instance_uid
        return None if uid is None else await self.study(uid)

    def learn_stored(self, study: Study) -> None:
        """An object was stored: its study exists now, with what the object told of it, unless more is known."""
        held = self._studies.get(study.study_instance_uid)
        if held is None or held[1] is None:
            self.learn(study.study_instance_uid, study)

    def learn(self, uid: str, study: Study | None) -> None:
        """Remember what came by."""
        _keep(self._studies, uid, (self._now() + _LIFETIME, study), _MOST)

    def forget(self) -> None:
        """Believe nothing any more."""
        self._studies.clear()
        self._members.clear()
        self._asking.clear()  # what is being asked was asked for what was believed before

    async def _find(self, uid: str) -> Study | None:
        study = await self._ask_study(uid)
        if self._asking.get(uid) is asyncio.current_task():
            self.learn(uid, study)
        return study

    def _asked(self, uid: str, task: asyncio.Task[Study | None]) -> None:
        if self._asking.get(uid) is task:
            del self._asking[uid]
        if not task.cancelled():
            task.exception()  # it may be that nobody waits any more


K = TypeVar("K")


def _keep(held: OrderedDict[K, T], key: K, value: T, most: int) -> None:
    held[key] = value
    held.move_to_end(key)
    if len(held) > most:
        held.popitem(last=False)
